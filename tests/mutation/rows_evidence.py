"""What convicts a party before everybody: evidence that is checked offline."""

from __future__ import annotations

from tests.mutation.row import Mutation

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
]  # fmt: skip
