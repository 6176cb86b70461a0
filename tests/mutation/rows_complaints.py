"""The checks of complaints: who may say what about whom, and what follows."""

from __future__ import annotations

from tests.mutation.row import Mutation

_FILE = "mpcd/party/complaints.py"
_DROPPED = "tests/party/test_complaints.py::test_a_complaint_that_nobody_may_make_is_dropped"
_RECORDED = (
    "tests/party/test_complaints.py::test_everybody_records_a_set_with_the_cheater_and_no_honest_party_alone"
)


def _row(name: str, old: str, new: str, tests: str) -> Mutation:
    return Mutation(name, _FILE, old, new, tests)


ROWS = [
    _row("a complaint in another's name", "(record.job, record.reporter) != (case.job.hex(), sender)",
         "record.job != case.job.hex()", f"{_DROPPED}[reporter]"),
    _row("a complaint about another job", "(record.job, record.reporter) != (case.job.hex(), sender)",
         "record.reporter != sender", f"{_DROPPED}[job]"),
    _row("a complaint of any kind", "or record.kind not in _KINDS", "", f"{_DROPPED}[kind]"),
    _row("a complaint about strangers or oneself", "not set(record.blamed) <= known", "False", _DROPPED),
    _row("a complaint about another session", "if record.session == session.hex()", "",
         f"{_DROPPED}[session]"),
    _row("the complainer is not suspected", "(frozenset(record.blamed) | {name}) - {case.name}",
         "frozenset(record.blamed) - {case.name}", _RECORDED),
    _row("a party suspects itself", "(frozenset(record.blamed) | {name}) - {case.name}",
         "frozenset(record.blamed) | {name}", _RECORDED),
    _row("nobody waits for a complaint",
         "await case.desk.wait(lambda: bool(_heard(case, session)), case.now() + case.tools.pace.delta_s)",
         "pass", _RECORDED),
]  # fmt: skip
