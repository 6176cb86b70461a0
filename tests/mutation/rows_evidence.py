"""What is shown to others later: evidence, receipts completed late, forgotten jobs."""

from __future__ import annotations

from tests.mutation.row import Mutation

_LATE, _T_LATE = "mpcd/party/late_receipts.py", "tests/party/test_late_receipts.py"
_FILE, _TESTS = "mpcd/client/evidence.py", "tests/client/test_evidence.py"

ROWS = [
    Mutation("evidence: who passes on is convicted", _FILE, "if party not in one.signers & two.signers:",
             "if not one.signers & two.signers:", _TESTS),
    Mutation("evidence: a session of any job", _FILE, "(scope == record.session and party in bound)",
             "scope == record.session", _TESTS),
    Mutation("evidence: one computing party vouches", _FILE, "> CORRUPTED[specification.protocol]:", "> 0:",
             _TESTS),
    Mutation("evidence: an input of another job", _FILE, 'if first["job"] == record.job and owner',
             "if owner", _TESTS),
    Mutation("evidence: records of another job", _FILE, "if record.job != file.job.digest.hex():",
             "if False:", _TESTS),
    Mutation("evidence: entries are not verified", _FILE, "        entry.verify(roster)\n", "        pass\n",
             _TESTS),
    Mutation("evidence: values of different slots", _FILE, "if first is None or first != second or",
             "if first is None or second is None or", _TESTS),
    Mutation("late receipts: forged signatures", _LATE, "        envelope.verify(roster)\n", "        pass\n",
             _T_LATE),
    Mutation("late receipts: of another run", _LATE,
             "(envelope.type, envelope.payload) != (own.type, own.payload)", "False", _T_LATE),
    Mutation("late receipts: signatures of outsiders", _LATE, "if entry.signer in computing)", "if True)",
             _T_LATE),
    Mutation("a forgotten job is run again", "mpcd/party/office.py",
             "if await self.house.tools.store.jobs.was_forgotten(envelope.digest):", "if False:",
             "tests/party/test_past.py"),
]  # fmt: skip
