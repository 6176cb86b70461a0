"""What keeps a party from waiting in vain, and from believing itself when it is the one that is cut off."""

from __future__ import annotations

from tests.mutation.row import Mutation

_T_LEFT, _T_DEAF = "tests/party/test_slots_abandoned.py", "tests/party/test_life_deaf.py"

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
             "event = Event.DEADLINE if case.now() >= case.terms.deadline else Event.FAULT", "event = Event.FAULT",
             "tests/party/test_expiry.py"),
    Mutation("outage: what expired is said to be aborted", "mpcd/party/opening.py",
             "event = Event.DEADLINE if late else Event.FAULT", "event = Event.FAULT", "tests/party/test_expiry.py"),
    Mutation("outage: a silent holder is waited for", "mpcd/party/opening.py",
             "patience = self._case.tools.pace.delta_s if waiting else None", "patience = None",
             "tests/party/test_opening_silent.py"),
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
