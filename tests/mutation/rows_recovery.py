"""The checks by which a job goes on after a fault, and by which it does not."""

from __future__ import annotations

from tests.mutation.row import Mutation

_T, _T_MOMENTS = "tests/party/test_recovery.py", "tests/party/test_recovery_moments.py"
_SURVIVED = f"{_T}::test_every_fault_of_one_party_is_survived_and_nobody_honest_is_blamed_alone"

ROWS = [
    Mutation("recovery: one party calls another one back", "mpcd/party/recall.py",
             "said.count(raw) > CORRUPTED", "said.count(raw) > 0",
             f"{_T}::test_nobody_computes_in_an_epoch_on_the_word_of_one"),
    Mutation("recovery: a recall under another one's name", "mpcd/party/recall.py",
             "note = RecallNote.read(Envelope.from_bytes(message.parts[0].body), sender, case.tools.roster)",
             "note = RecallNote.from_bytes(Envelope.from_bytes(message.parts[0].body).payload)",
             f"{_T}::test_nobody_computes_in_an_epoch_on_the_word_of_one"),
    Mutation("recovery: an epoch is not on the disk", "mpcd/party/course.py",
             "        if standing.epoch:\n", "        if False:\n",
             f"{_T}::test_how_an_epoch_stands_is_on_the_disk_before_anything_of_it_runs"),
    Mutation("recovery: two are done without", "mpcd/party/present.py",
             " or self.fault is not None:", ":",
             f"{_T_MOMENTS}::test_two_that_fall_silent_one_after_the_other_end_the_job_for_all"),
    Mutation("recovery: a job that must end goes on", "mpcd/party/course.py",
             "        if not case.guaranteed:\n            raise end\n", "",
             f"{_T}::test_without_guaranteed_output_the_job_ends_and_the_same_is_found"),
    Mutation("recovery: nobody is called back", "mpcd/party/epochs.py",
             "                start(recall.send(case, course))\n", "                pass\n",
             f"{_SURVIVED}[a-lie-then-it-dies]"),
    Mutation("recovery: the last barrier waits for the deadline", "mpcd/party/barriers.py",
             "        patience=patience,\n", "",
             f"{_T_MOMENTS}::test_a_party_that_is_not_heard_in_one_slot_is_done_without[BARRIER]"),
    Mutation("recovery: a restarted daemon says nothing", "mpcd/party/life.py",
             "        self._start(self.farewell())\n", "",
             f"{_T_MOMENTS}::test_a_daemon_that_was_restarted_takes_no_part_any_more_and_gets_its_output"),
    Mutation("recovery: bodies that nobody signed", "mpcd/jobs/evidence.py",
             "        if not any(payload.endswith(digest) for payload in signed):", "        if False:",
             "tests/jobs/test_receipt.py::test_what_nobody_signed_is_no_evidence"),
    Mutation("recovery: one note is enough", "mpcd/party/opening.py",
             "if found.count(note) > CORRUPTED", "if found.count(note) > 0",
             "tests/party/test_notes_of_outputs.py::test_a_note_is_believed_when_two_have_signed_the_same"),
]  # fmt: skip
