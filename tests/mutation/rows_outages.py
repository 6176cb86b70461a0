"""What keeps a party from waiting in vain, and from believing itself when it is the one that is cut off."""

from __future__ import annotations

from tests.mutation.row import Mutation

_T_LEFT, _T_DEAF = "tests/party/test_slots_abandoned.py", "tests/party/test_life_deaf.py"
_T_SILENCE = "tests/party/test_slots_silence.py"

ROWS = [
    Mutation("outage: those who left never time out", "mpcd/party/slot_clock.py",
             'if len(self._who("timeout") | self._who("left")) > self._t:', 'if len(self._who("timeout")) > self._t:',
             f"{_T_LEFT}::test_two_have_left_and_one_is_dead_so_the_last_one_waits_for_nobody"),
    Mutation("outage: a slot is waited for past the job", "mpcd/party/slot_run.py",
             "max(by, min(by + self.seat.grace_s, self.seat.latest))", "by + self.seat.grace_s",
             f"{_T_LEFT}::test_nobody_is_waited_for_longer_than_the_job_lasts"),
    Mutation("outage: who is cut off believes itself", "mpcd/party/life.py",
             "        if len(end.unreachable) <= CORRUPTED or not asking:\n            raise end\n", "        raise end\n",
             f"{_T_DEAF}::test_it_asks_the_others_how_the_slot_went"),
    Mutation("outage: the deadline is the others' fault", "mpcd/party/matter.py",
             "event = Event.DEADLINE if self._house.tools.clock.monotonic() >= self.deadline else Event.FAULT", "event = Event.FAULT",
             "tests/party/test_consents.py::test_if_the_deadline_passes_while_consents_are_confirmed_the_job_expires"),
    Mutation("outage: an owner without a session aborts", "mpcd/party/contributing.py",
             "event = Event.DEADLINE if until >= case.terms.deadline else Event.FAULT", "event = Event.FAULT",
             "tests/party/test_expiry.py"),
    Mutation("outage: what expired is said to be aborted", "mpcd/party/opening.py",
             "event = Event.DEADLINE if late else Event.FAULT", "event = Event.FAULT", "tests/party/test_expiry.py"),
    Mutation("outage: a silent holder is waited for", "mpcd/party/opening.py",
             "patience = self._case.tools.pace.delta_s if waiting else None", "patience = None",
             "tests/party/test_opening_silent.py"),
    Mutation("outage: a job that a bug has ended looks alive", "mpcd/party/supervising.py",
             "                await _is_done(job, give_up)\n", "                pass\n", "tests/party/test_bugs.py"),
    Mutation("outage: a bug after READY is an end", "mpcd/party/life.py",
             "        if self.case.state is State.VERIFYING:\n            # Our word", "        if False:\n            # Our word",
             "tests/party/test_ends.py::test_a_bug_after_ready_takes_the_output_from_nobody"),
    Mutation("outage: an error of ours after READY is an end", "mpcd/party/life.py",
             "            if case.state is not State.VERIFYING:\n                raise\n", "            raise\n",
             "tests/party/test_ends.py::test_a_bug_after_ready_takes_the_output_from_nobody"),
    Mutation("outage: a cancellation cuts off an end", "mpcd/party/life.py",
             "            self._task = None  # a cancellation that comes now must not cut off the end\n", "",
             "tests/party/test_ends.py::test_a_cancellation_that_meets_an_end_does_not_cut_it_off"),
    Mutation("outage: an owner waits for whom the others do not", "mpcd/party/matter.py",
             "by = min(by, enough)", "pass",
             "tests/party/test_consents.py::test_an_owner_who_does_not_compute_begins_when_the_others_do"),
    Mutation("outage: whoever stood still gives up the others", "mpcd/party/slots.py",
             "            self._heard = dict.fromkeys(self._heard, now)\n", "            pass\n",
             f"{_T_SILENCE}::test_a_party_that_stood_still_itself_gives_nobody_up_for_that"),
    Mutation("outage: one silent party is enough to leave out another", "mpcd/party/slots.py",
             "latest = max((self._heard[p] for p in parties)", "latest = min((self._heard[p] for p in parties)",
             f"{_T_SILENCE}::test_whoever_is_silent_to_one_party_does_not_make_it_leave_out_another_that_works"),
    Mutation("outage: silence ends our own work", "mpcd/party/slot_run.py",
             'if pending and "done" in said else math.inf', "if pending else math.inf",
             f"{_T_SILENCE}::test_nobody_is_given_up_while_our_own_work_goes_on"),
    Mutation("outage: signs of life are not heard", "mpcd/party/slots.py",
             "        self._heard[peer] = self._seat.clock.monotonic()\n", "",
             f"{_T_SILENCE}::test_a_party_that_is_alive_is_waited_for_until_the_stage_timer"),
    Mutation("outage: certificates are replaced in every handshake", "mpcd/transport/grpc_server.py",
             "        if leaf is self._leaf:\n            return None\n", "",
             "tests/transport/test_grpc_storm.py::test_a_storm_of_handshakes_does_not_crash_the_server"),
    Mutation("outage: links are waited for a shorter time than a slot takes", "mpcd/party/case.py",
             "return max(min(LINKS_S, self.round_s / 2), self.slot_s + LINK_DELTAS * self.delta_s)",
             "return min(LINKS_S, self.round_s / 2)",
             "tests/testing/simulation/test_found.py"
             "::test_whoever_leaves_a_slot_late_finds_the_others_at_the_next_meeting"),
    Mutation("outage: a round is waited for as long as links are", "mpcd/party/case.py",
             "return max(self.round_s, self.links_s + 2 * self.delta_s)", "return self.round_s",
             "tests/testing/simulation/test_found.py"
             "::test_whoever_is_given_no_link_says_so_before_others_tire_of_it"),
]  # fmt: skip
