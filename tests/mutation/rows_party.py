"""The checks of a party daemon: the slot clock, the driver of slots, and the stages of a job's life."""

from __future__ import annotations

from tests.mutation.row import Mutation

_CLOCK, _SLOTS = "mpcd/party/slot_clock.py", "mpcd/party/slots.py"
_RUN = "mpcd/party/slot_run.py"
_NOTES, _GATHER, _GIVE = "mpcd/party/notes.py", "mpcd/party/gathering.py", "mpcd/party/contributing.py"
_OPEN, _COMPUTE, _AGREE = "mpcd/party/opening.py", "mpcd/party/computing.py", "mpcd/party/agreeing.py"
_LIFE, _CASE = "mpcd/party/life.py", "mpcd/party/case.py"
_VALUES, _JOBS, _VAULT = "mpcd/storage/statements.py", "mpcd/storage/jobs.py", "mpcd/storage/vault.py"
_T_SLOTS, _T_FAULTS = "tests/party/test_slots.py", "tests/party/test_life_faults.py"
_T_CHEAT_IN, _T_CHEAT_RUN = "tests/party/test_cheating_inputs.py", "tests/party/test_cheating_processes.py"
_T_CHEAT_OUT, _T_STORE = "tests/party/test_cheating_holders.py", "tests/storage/test_store.py"

ROWS = [
    # -- the slot clock and the driver of slots
    Mutation("marks are not verified", _CLOCK, "if not self._verify(mark.party, self._words[mark.kind], mark.signature):", "if False:",
             f"{_T_SLOTS}::test_forged_marks_count_for_nothing"),
    Mutation("one party's timer begins a slot", _CLOCK,
             'if len(self._who("timeout") | self._who("left")) > self._t:',
             'if len(self._who("timeout") | self._who("left")) > 0:',
             f"{_T_SLOTS}::test_one_cheater_cannot_begin_a_slot_before_the_honest_are_ready"),
    Mutation("marks without the slot", _CLOCK, 'b"" if kind == "left" else slot_id', 'b""',
             f"{_T_SLOTS}::test_marks_of_another_slot_or_job_count_for_nothing"),
    Mutation("marks without the job", _CLOCK, "job.hex().encode()", 'b""',
             f"{_T_SLOTS}::test_marks_of_another_slot_or_job_count_for_nothing"),
    Mutation("certificates are not passed on", _RUN, "            self._tell(certificate)\n", "",
             f"{_T_SLOTS}::test_all_enter_within_one_delay_of_the_first"),
    Mutation("later letters replace earlier ones", _RUN, "            if place not in self.letters:", "            if True:",
             f"{_T_SLOTS}::test_doubled_and_changed_letters_of_one_round_count_once"),
    Mutation("marks of a dropped party count", _CLOCK, "mark.party not in self._among", "mark.party > 3",
             "tests/party/test_slots_roster.py::test_the_timer_of_a_dropped_party_begins_nothing"),
    Mutation("slots of all epochs have one name", _RUN, "key.epoch, key.number, roster", "0, key.number, roster",
             "tests/party/test_slots_roster.py::test_slots_of_different_epochs_and_numbers_are_different"),
    Mutation("early messages without a limit", "mpcd/party/slot_early.py", "len(self) < EARLY_MESSAGES and ", "",
             f"{_T_SLOTS}::test_early_messages_are_kept_and_a_flood_is_not"),
    Mutation("a value is signed before it is on the disk", _RUN, "        await seat.fix(self.slot_id, value)\n", "",
             f"{_T_FAULTS}::test_ready_and_the_output_shares_are_on_the_disk_before_ready_is_sent"),
    Mutation("rounds without an end", _RUN, "end = self.entered + 2 * number * self.seat.delta_s", "end = self.entered + 1e6",
             "tests/party/test_slots_silence.py::test_a_party_of_which_nothing_is_heard_is_waited_for_some_deltas_and_is_bottom"),
    Mutation("rounds shorter than two delays", _RUN, "end = self.entered + 2 * number * self.seat.delta_s", "end = self.entered + 0.5 * number * self.seat.delta_s",
             f"{_T_SLOTS}::test_all_enter_within_one_delay_of_the_first"),
    # -- session, keys, start
    Mutation("complaints about keys are ignored", "mpcd/party/keying.py", "    if said.pairs:", "    if False:",
             f"{_T_CHEAT_IN}::test_who_is_said_to_send_wrong_keys_shows_them_and_the_job_goes_on"),
    Mutation("processes are kept between starts", _AGREE, "                await worker.release()\n", "                pass\n",
             f"{_T_FAULTS}::test_two_jobs_that_need_each_others_processes_both_succeed"),
    # -- inputs
    Mutation("an entry with further signatures is a second entry", _NOTES, "len(envelope.signatures) != 1", "False",
             f"{_T_CHEAT_IN}::test_nobody_can_add_a_signature_to_an_honest_owners_entry"),
    Mutation("shares are not compared with the commitments", "mpcd/party/forwarding.py", "return opens(commitment, context, a, note.rows, columns, payload, salt, case.scheme)", "return True",
             "tests/party/test_openings.py"),
    Mutation("nothing is forwarded", "mpcd/party/forwarding.py", "            if missing:\n", "            if False:\n",
             f"{_T_FAULTS}::test_inputs_of_all_are_in_although_one_party_hears_no_owner"),
    Mutation("missing inputs are left out silently", _GATHER, "    if not left_out or ", "    if True or ",
             "tests/party/test_life.py::test_an_owner_that_gives_nothing_is_treated_as_the_job_says"),
    Mutation("an owner follows one announcement", _GIVE, "if said.count(session) > CORRUPTED), None)", "if said.count(session) > 0), None)",
             f"{_T_CHEAT_IN}::test_an_owner_does_not_follow_one_party_into_a_false_session"),
    # -- opening
    Mutation("READY is signed without time for the opening", "mpcd/party/running.py", "            if not in_time(self._case):\n                return Stopped(0)\n", "",
             f"{_T_FAULTS}::test_whether_ready_is_signed_depends_on_the_time_left"),
    Mutation("output shares are not persisted", _COMPUTE, "    await case.tools.store.outputs.put(case.job, order.session, shares)\n", "",
             f"{_T_FAULTS}::test_ready_and_the_output_shares_are_on_the_disk_before_ready_is_sent"),
    Mutation("shares are served before all have agreed", "mpcd/party/serving.py", "if not request.output or not case.opened or case.me is None", "if not request.output or case.me is None",
             f"{_T_FAULTS}::test_whoever_asks_all_the_time_gets_no_share_before_all_have_agreed_to_open"),
    Mutation("outputs are served to anybody", "mpcd/party/serving.py", "    if not allowed or (request.output and (request.output, requester) not in places(case)):", "    if False:",
             f"{_T_CHEAT_OUT}::test_an_outsider_gets_nothing"),
    Mutation("served summands are not compared with commitments", _OPEN, "if opened is None or not opens(bytes.fromhex(com), place, a, len(opened.summand) // 8, opened):", "if opened is None:",
             f"{_T_CHEAT_OUT}::test_one_lying_holder_neither_changes_nor_withholds_an_output"),
    Mutation("one holder can end a recipient's waiting", _OPEN, "if len(self._ended) > CORRUPTED:", "if len(self._ended) > 0:",
             f"{_T_CHEAT_OUT}::test_one_holder_that_says_aborted_from_the_beginning_ends_nobodys_waiting"),
    Mutation("what was opened is forgotten by a restart", "mpcd/party/past.py", "opened=await was_opened(tools.store, row.job),", "",
             "tests/party/test_past.py::test_what_was_opened_is_served_after_any_number_of_restarts"),
    Mutation("jobs that can only expire are consented to", "mpcd/party/proposals.py", "    if hopeless:\n", "    if False:\n",
             "tests/party/test_consents.py::test_a_job_that_could_only_expire_is_refused_by_submitter_plan_and_parties"),
    Mutation("outvoted openings are forgotten", "mpcd/party/running.py", "        await record_outvoted(self._case, self._order, product)\n", "",
             f"{_T_CHEAT_RUN}::test_what_was_outvoted_is_recorded_as_a_pair_and_the_job_succeeds"),
    Mutation("outvoted openings do not reach the daemon", "mpcd/party/processes.py", "excluded, outvoted, _kept(", "excluded, (), _kept(",
             f"{_T_CHEAT_RUN}::test_the_result_of_a_job_process_carries_what_was_outvoted"),
    Mutation("a party alone is recorded", _COMPUTE, "        if len(blamed) < 2:", "        if False:",
             f"{_T_CHEAT_RUN}::test_a_job_process_that_names_one_party_alone_is_our_bug"),
    Mutation("plans without the range checks", "mpcd/party/proposals.py", 'checks = {"range_check": sum(narrow), "open_bits": sum(cells)}', 'checks = {"open_bits": sum(cells)}',
             "tests/party/test_plans.py::test_the_plan_of_an_auction_is_its_run"),
    Mutation("jobs that have not ended are forgotten", "mpcd/storage/retention.py", " AND state IN ({marks})", " OR state IN ({marks})",
             "tests/storage/test_retention.py::test_a_start_forgets_what_is_old_and_ended_and_nothing_else"),
    Mutation("old jobs are kept for ever", "mpcd/storage/retention.py", "    await sweep()\n    task", "    task",
             "tests/storage/test_retention.py::test_a_start_forgets_what_is_old_and_ended_and_nothing_else"),
    # -- states and storage
    Mutation("a party that fails does not say so", _LIFE, "before is not State.OPENING:\n            self._slots.leave()\n", "before is not State.OPENING:\n            pass\n",
             f"{_T_CHEAT_RUN}::test_a_job_process_that_fails_at_one_party_keeps_everything_closed"),
    Mutation("cancelling after READY", _LIFE, "if self._cancelled is not None or not self.case.can(Event.CANCEL):", "if self._cancelled is not None:",
             "tests/party/test_life.py::test_a_job_that_has_ended_cannot_be_cancelled"),
    Mutation("a restarted daemon leaves running jobs", "mpcd/party/past.py", "store.jobs.in_states(frozenset(state.value for state in RUNNING)):", "store.jobs.in_states(frozenset()):",
             f"{_T_FAULTS}::test_a_restart_ends_running_jobs_and_keeps_the_others"),
    Mutation("a second value in one slot", _VALUES, "if not hmac.compare_digest(kept, value):", "if False:",
             f"{_T_STORE}::test_a_slot_has_one_value_for_ever"),
    Mutation("open cursors leave the writer", "mpcd/storage/database.py", "                    result.close()", "                    pass",
             "tests/storage/test_database.py::test_no_open_cursor_leaves_the_writers_thread"),
    Mutation("queries that write", "mpcd/storage/database.py", 'connection.execute("PRAGMA query_only = ON")', "pass",
             "tests/storage/test_database.py::test_a_query_sees_what_was_written_and_waits_for_nobody"),
    Mutation("queries of a broken disk", "mpcd/storage/database.py", "        if self._broken is not None:\n            raise self._broken\n        try:\n            return", "        try:\n            return",
             "tests/storage/test_database.py"),
    Mutation("a process forked ahead that has died is given to a job", "mpcd/runtime/workers.py", "            if job is self._ahead:  # not", "            if False:  # not",
             "tests/runtime/test_workers.py::test_a_process_that_dies_before_its_job_is_not_given_to_one"),
    Mutation("a process forked ahead waits for ever", "mpcd/runtime/workers.py", "if time.monotonic() - self._made > ORDER_S / 2:", "if False:",
             "tests/runtime/test_workers.py::test_after_a_job_a_process_is_forked_for_the_next_one"),
    Mutation("a transition from another state", _JOBS, "if moved.rowcount != 1:", "if False:",
             f"{_T_STORE}::test_a_job_moves_only_from_the_state_it_is_in"),
    Mutation("sealed rows are not bound to their place", _VAULT, "    return pack(row)", "    return pack(())",
             f"{_T_STORE}::test_a_row_that_was_moved_or_changed_does_not_open"),
]  # fmt: skip
