"""Attacks on recovery: what would show keys, or cost an honest party its place."""

from __future__ import annotations

from tests.mutation.row import Mutation

_ANSWERS = "mpcd/protocols/agreement/key_answers.py"
_T_HALTING = "tests/runtime/test_halting.py"
_T_KEYS = "tests/party/test_key_complaints.py"

ROWS = [
    Mutation("recovery: contributions are shown until a key is public", _ANSWERS,
             "    if all(scheme.holders(key) & here - parties for key, parties in shown.items() if parties):\n",
             "    if True:\n", _T_KEYS),
    Mutation("recovery: a contribution that is a constant guards a key", _ANSWERS,
             "scheme.holders(key) & here - parties for", "scheme.holders(key) - parties for",
             f"{_T_KEYS}::test_after_one_party_was_dropped_nobody_shows_keys_either"),
    Mutation("recovery: complaints about the meeting", "mpcd/protocols/agreement/words.py",
             "if word.round == 0 and (complaint is not None or word.batch is not None):", "if False:",
             "tests/party/test_recovery_attacks.py"),
    Mutation("recovery: no time to end one's work at the entry", "mpcd/party/slots.py",
             "                run.postpone(seat.delta_s / 2)\n", "",
             "tests/party/test_slots_roster.py::test_who_ends_its_work_at_the_entry_is_heard_although_every_message_takes_a_delay"),
    Mutation("halting: a process in a long kernel says nothing", "mpcd/runtime/worker.py",
             "                self._halting.watch()\n", "",
             f"{_T_HALTING}::test_a_process_in_the_middle_of_a_long_kernel_says_what_it_keeps"),
    Mutation("halting: a round begins while the thread reports", "mpcd/runtime/driver.py",
             "    with speaking:\n", "    if True:\n",
             f"{_T_HALTING}::test_a_round_is_recorded_and_said_with_the_right_to_speak"),
    Mutation("halting: the thread reports in the middle of a round", "mpcd/runtime/halting.py",
             "while not self.speaking.acquire(timeout=AGAIN_S):", "while False:",
             f"{_T_HALTING}::test_the_thread_waits_for_whoever_speaks_and_is_the_last_to_speak"),
]  # fmt: skip
