"""Evidence offline: what convicts somebody before everybody, and what is the reporter's word only."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.evidence import command
from mpcd.cli.exit_codes import ExitCode
from mpcd.client.contradictions import ASSUMING, Proof
from mpcd.client.evidence import EvidenceFile, Finding, verify
from mpcd.errors import NotFoundError, RefusedError, UsageError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import render
from mpcd.jobs.evidence import Evidence, as_statements
from mpcd.party.notes import InputNote
from mpcd.party.operator_service import OperatorService
from mpcd.protocols.agreement.chains import statement
from mpcd.protocols.agreement.outcomes import slot_name
from mpcd.transport.wire import from_wire
from tests.client.trials import played
from tests.party.offices import Town, job, signed
from tests.party.world import OWNER, identities, roster

JOB = job(deadline=3600.0)
HASH = signed(JOB).digest
SESSION = b"s" * 32
CHEATER, CHEATER_AT = "dune", 3
REPORTER = "acme"
KEYS = slot_name("KEYS", SESSION, 0)


def value(name: bytes, digest: bytes, *signers: str, sender: int = CHEATER_AT) -> Envelope:
    envelope = Envelope("mpcd.slot", statement(name, sender, digest.ljust(32, b"\0")))
    for signer in signers:
        envelope = envelope.sign(identities()[signer])
    return envelope


def entry(owner: str, **changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "job": HASH.hex(), "session": SESSION.hex(), "owner": owner, "argument": "bids", "rows": 1,
        "commitments": ("aa" * 32,) * 4,
    }  # fmt: skip
    return InputNote(**{**fields, **changes}).envelope(identities()[owner])


def record(*statements: Envelope, **changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "job": HASH.hex(), "session": SESSION.hex(), "reporter": REPORTER, "kind": "equivocation",
        "step": "keys", "blamed": (CHEATER,), "detail": "two values",
        "statements": as_statements([*statements]),
    }  # fmt: skip
    one = Evidence(**{**fields, **changes})
    return one.envelope(identities()[one.reporter])


def finding(*statements: Envelope, entries: tuple[Envelope, ...] = (), **changes: Any) -> Finding:
    text = EvidenceFile(signed(JOB), (record(*statements, **changes),), entries).to_text()
    _, (found,) = verify(EvidenceFile.from_text(text), roster())
    return found


SESSION_SLOT = slot_name("SESSION", HASH, 0)
PAIR = value(KEYS, b"a", CHEATER), value(KEYS, b"b", CHEATER)


def test_two_values_in_the_slot_of_a_job_prove_it() -> None:
    found = finding(value(SESSION_SLOT, b"a", CHEATER), value(SESSION_SLOT, b"b", CHEATER))
    assert found.proven == (Proof((CHEATER,), "signed two different values in slot SESSION"),)
    assert found.claimed == ()


def test_two_values_in_a_session_prove_it_if_the_cheater_itself_says_that_it_is_the_jobs() -> None:
    found = finding(*PAIR, entries=(entry(CHEATER),))
    assert found.proven == (Proof((CHEATER,), "signed two different values in slot KEYS"),)


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (entry("bolt"),),
        (entry(OWNER), entry("bolt")),
        (entry("acme"), entry("bolt"), entry("crux")),
        (entry(CHEATER, session="bb" * 32),),
        (entry(CHEATER, job="bb" * 32),),
    ],
    ids=["nobody", "one, maybe corrupt", "one that computes", "all others", "another session", "another job"],
)
def test_a_session_of_which_nobody_says_whose_it_is_proves_nothing(entries: tuple[Envelope, ...]) -> None:
    found = finding(*PAIR, entries=entries)
    assert found.proven == ()
    assert found.claimed == ("acme says that dune broke the rules: two values",)


def test_a_job_that_never_ran_convicts_nobody_of_what_others_said_in_a_real_one() -> None:
    """acme says two things in a real job, and bolt has passed on both, signed, as it must. Then acme and an
    outsider make up a job in which bolt has acme's place, and say that the session is of that job."""
    made_up = signed(job("made-up", computing=("bolt", "acme", OWNER, "crux"), deadline=3600.0))
    said = [value(KEYS, body, "acme", "bolt", sender=0) for body in (b"a", b"b")]
    changes: dict[str, Any] = {"job": made_up.digest.hex(), "blamed": ("bolt",), "reporter": OWNER}
    entries = tuple(entry(name, job=made_up.digest.hex()) for name in ("acme", OWNER))
    file = EvidenceFile(made_up, (record(*said, **changes),), entries)
    _, (found,) = verify(EvidenceFile.from_text(file.to_text()), roster())
    assert found.proven == ()


FORGED = "\n    PROVEN   bolt signed two different values in slot KEYS"


@pytest.mark.parametrize("place", ["detail", "step"])
@pytest.mark.parametrize("verb", ["verify", "show"])
def test_a_reporter_cannot_write_a_line_that_looks_like_ours(tmp_path: Path, verb: str, place: str) -> None:
    envelope = record(*PAIR, **{place: f"x{FORGED}\x1b[2J"})
    text = shown(tmp_path, verb, EvidenceFile(signed(JOB), (envelope,)))
    assert not [line for line in text.splitlines() if line.strip().startswith("PROVEN")]
    assert "\x1b" not in text


def test_a_cheater_cannot_accuse_others_in_what_convicts_itself(tmp_path: Path) -> None:
    """The name of a slot and of an argument are what it signed."""
    said = [value(slot_name(f"X{FORGED}", SESSION, 0), body, CHEATER) for body in (b"a", b"b")]
    fields = {"job": HASH.hex(), "session": SESSION.hex(), "owner": CHEATER, "argument": f"x{FORGED}"}
    inputs = [
        Envelope("mpcd.input", json.dumps({**fields, "rows": n}).encode()).sign(identities()[CHEATER])
        for n in (1, 2)
    ]
    for statements in (said, inputs):
        file = EvidenceFile(signed(JOB), (record(*statements),), (entry(CHEATER),))
        assert verify(EvidenceFile.from_text(file.to_text()), roster())[1][0].proven == ()
        assert "PROVEN" not in shown(tmp_path, "verify", file)


def shown(tmp_path: Path, verb: str, file: EvidenceFile) -> str:
    path, members = tmp_path / "evidence.json", tmp_path / "roster.yaml"
    path.write_text(file.to_text())
    members.write_text(render(roster().members))
    words = [verb, str(path), *(["--roster", str(members)] if verb == "verify" else [])]
    return CliRunner().invoke(command, words, color=True).output


def test_whoever_passed_on_two_values_of_a_cheater_is_not_convicted() -> None:
    """An honest party signs both values of another one: a liar shows them as if they were its own."""
    both = [value(SESSION_SLOT, digest, "bolt", CHEATER) for digest in (b"a", b"b")]
    found = finding(*both, blamed=("bolt",))
    assert [proof.parties for proof in found.proven] == [(CHEATER,)]
    assert found.claimed == ("acme says that bolt broke the rules: two values",)


def test_nobody_is_convicted_of_values_that_only_others_signed() -> None:
    both = [value(SESSION_SLOT, digest, "acme", "bolt") for digest in (b"a", b"b")]
    assert finding(*both).proven == ()


@pytest.mark.parametrize(
    "two",
    [
        value(slot_name("SESSION", HASH, 0, 1), b"b", CHEATER),
        value(slot_name("SESSION", b"o" * 32, 0), b"b", CHEATER),
        value(SESSION_SLOT, b"a", CHEATER, "bolt"),
        value(SESSION_SLOT, b"b", "bolt"),
        value(SESSION_SLOT, b"b", CHEATER, sender=2),
        Envelope("mpcd.slot", statement(SESSION_SLOT, 3, b"b" * 33)).sign(identities()[CHEATER]),
        Envelope("mpcd.slot", b"mpcd slot\0").sign(identities()[CHEATER]),
        Envelope("mpcd.note", statement(SESSION_SLOT, 3, b"b" * 32)).sign(identities()[CHEATER]),
    ],
    ids=["number", "job", "same value", "signer", "sender", "long", "short", "type"],
)
def test_statements_that_do_not_contradict_each_other_prove_nothing(two: Envelope) -> None:
    assert finding(value(SESSION_SLOT, b"a", CHEATER), two, entries=(entry(CHEATER),)).proven == ()


def test_two_inputs_of_an_owner_prove_it() -> None:
    other = entry(OWNER, commitments=("bb" * 32,) * 4)
    found = finding(entry(OWNER), other, blamed=(OWNER,))
    assert found.proven == (Proof((OWNER,), "signed two different inputs for bids"),)
    forged = Envelope(other.type, other.payload).sign(identities()["bolt"])
    for two in (
        entry(OWNER, session="bb" * 32),
        entry(OWNER, argument="asks"),
        entry(OWNER, job="bb" * 32),
        entry("bolt"),
        forged,
    ):
        assert finding(entry(OWNER), two, blamed=(OWNER,)).proven == ()
    elsewhere = [entry(OWNER, job="bb" * 32, rows=rows) for rows in (1, 2)]
    assert finding(*elsewhere, blamed=(OWNER,)).proven == ()


def test_what_a_party_says_of_others_is_its_word() -> None:
    pair = finding(kind="bad-opening", blamed=("bolt", CHEATER), unreachable=("crux",))
    assert pair.proven == ()
    assert pair.claimed == (
        "acme says that at least one of bolt, dune broke the rules: two values",
        "acme says that it heard nothing of crux; this accuses nobody",
    )


def test_what_is_not_signed_is_refused() -> None:
    good, fake = signed(JOB), record(*PAIR)
    other_job = EvidenceFile(signed(job("another")), (fake,))
    stranger = EvidenceFile(Envelope(good.type, good.payload), (fake,))
    unsigned = EvidenceFile(good, (Envelope(fake.type, fake.payload),))
    forged = EvidenceFile(good, (fake,), (_forged(entry(OWNER)),))
    for bad in (other_job, stranger, unsigned, forged):
        with pytest.raises(RefusedError):
            verify(bad, roster())


def _forged(envelope: Envelope) -> Envelope:
    (signature,) = envelope.signatures
    wrong = signature.signature[:-1] + bytes([signature.signature[-1] ^ 1])
    return Envelope(envelope.type, envelope.payload, (type(signature)(signature.signer, wrong),))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "evidence", "version": 2}', "[" * 5000])
def test_what_is_no_evidence_is_said_to_be_none(text: str) -> None:
    with pytest.raises(MalformedError):
        EvidenceFile.from_text(text)


# -- the commands ----------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A file with evidence, and the roster."""
    file = tmp_path / "evidence.json"
    file.write_text(EvidenceFile(signed(JOB), (record(*PAIR),), (entry(CHEATER),)).to_text())
    (tmp_path / "roster.yaml").write_text(render(roster().members))
    return file, tmp_path / "roster.yaml"


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)


def test_the_command_says_what_is_proven(files: tuple[Path, Path]) -> None:
    file, known = files
    done = run("verify", file, "--roster", known)
    assert (done.return_value, done.exception) == (ExitCode.OK, None)
    assert done.output.startswith("valid: all signatures of 1 records hold\n")
    assert "PROVEN   dune signed two different values in slot KEYS" in done.output
    plain = json.loads(run("verify", file, "--roster", known, "--json").output)
    assert plain["valid"] is True
    assert plain["job"] == HASH.hex()
    (found,) = plain["records"]
    assert found["proven"] == [
        {"parties": [CHEATER], "what": "signed two different values in slot KEYS", "assuming": None}
    ]
    assert found["claimed"] == []
    assert plain["together"] is None


def test_the_command_says_what_a_pair_rests_on(tmp_path: Path) -> None:
    game = played("two pairs")
    file, known = tmp_path / "evidence.json", tmp_path / "roster.yaml"
    file.write_text(EvidenceFile(game.job, game.records["crux"]).to_text())
    known.write_text(render(roster().members))
    done = run("verify", file, "--roster", known)
    assert (done.return_value, done.exception) == (ExitCode.OK, None)
    lines = done.output.splitlines()
    why = "bolt got something else than acme says it sent"
    at = lines.index(f"    PROVEN   one of acme and bolt lies: {why}")
    assert lines[at + 1] == f"             assuming that {ASSUMING}"
    assert lines[-1].startswith("  together   acme cheats: it is in all of these; assuming that at most one")
    plain = json.loads(run("verify", file, "--roster", known, "--json").output)
    assert plain["records"][0]["proven"] == [
        {"parties": ["acme", "bolt"], "what": why, "assuming": ASSUMING},
    ]
    assert plain["together"].startswith("acme cheats")


@pytest.mark.parametrize("change", ["two values", '"rows\\":1', '"name\\":\\"auction', "blamed"])
def test_a_tampered_file_is_not_valid(change: str, files: tuple[Path, Path]) -> None:
    file, known = files
    text = file.read_text()
    assert text.count(change) >= 1
    file.write_text(text.replace(change, change[:-1] + chr(ord(change[-1]) ^ 1)))
    done = run("verify", file, "--roster", known)
    assert done.return_value == ExitCode.PROBLEMS_FOUND
    assert done.output.startswith("NOT VALID: ")
    plain = json.loads(run("verify", file, "--roster", known, "--json").output)
    assert (plain["valid"], plain["records"]) == (False, [])


def test_show_says_that_nothing_was_checked(files: tuple[Path, Path]) -> None:
    file, _ = files
    file.write_text(file.read_text().replace("two values", "two worlds"))
    done = run("show", file)
    assert done.output.startswith("not verified")
    assert "two worlds" in done.output
    plain = json.loads(run("show", file, "--json").output)
    assert [r["detail"] for r in plain["records"]] == ["two worlds"]


def test_files_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    assert isinstance(run("show", file).exception, NotFoundError)
    file.write_text("[]")
    assert isinstance(run("show", file).exception, UsageError)


def test_the_daemon_gives_its_operator_what_it_has_recorded(tmp_path: Path) -> None:
    async def scene() -> EvidenceFile:
        town = Town(tmp_path)
        try:
            await town.propose(signed(JOB), (REPORTER,))
            office = town.offices[REPORTER]
            store = office.house.tools.store
            await store.evidence.add(HASH, "equivocation", record(*PAIR).to_bytes())
            await store.jobs.use_session(HASH, 0, SESSION)
            await store.inputs.add_entries(SESSION, [((CHEATER, "bids"), entry(CHEATER).to_bytes())])
            service = OperatorService(office, cast(Any, SimpleNamespace()), cast(Any, SimpleNamespace()))
            reply = await service.Evidence(pb.OperatorJobRequest(job=HASH), None)
            records, entries = ([from_wire(e) for e in some] for some in (reply.records, reply.entries))
            return EvidenceFile(from_wire(reply.job), tuple(records), tuple(entries))
        finally:
            await town.close()

    _, (found,) = verify(EvidenceFile.from_text(asyncio.run(scene()).to_text()), roster())
    assert [proof.parties for proof in found.proven] == [(CHEATER,)]
