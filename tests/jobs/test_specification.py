"""Specifications: what a job file may say, what a job must match, and its bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import ConfigError, RefusedError, UsageError
from mpcd.identity.documents import loads
from mpcd.identity.encoding import MalformedError
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster
from mpcd.jobs.document import FileProgram, IrProgram, JobDocument
from mpcd.jobs.limits import MAX_PROGRAM_BYTES
from mpcd.jobs.specification import Specification, check_program, check_roster, job_hash
from mpcd.program.check import Checked
from mpcd.program.nodes import Node, Program
from mpcd.program.types import Type

from .conftest import JOB, NOW, PROGRAM


def edited(old: str, new: str) -> str:
    assert old in JOB
    return JOB.replace(old, new)


def test_a_job_file_is_read(document: JobDocument, specification: Specification) -> None:
    assert document.deadline == 60.0
    assert document.parameters == {"reserve": 100}
    assert document.parties == ("alice", "bob", "carol", "dave", "erin", "frank")
    assert document.result_parties == ("alice", "frank")
    assert [entry.rows for entry in document.inputs_of("erin")] == [2]
    assert specification.index_of("carol") == 2
    assert specification.index_of("erin") is None
    assert specification.created == int(NOW.timestamp() * 1000)


def test_the_other_kinds_of_program() -> None:
    text = edited("{kind: app, name: second-price}", "{kind: file, path: a.py, function: f}")
    assert loads(text, JobDocument, source="j").program == FileProgram(kind="file", path="a.py", function="f")
    text = edited("{kind: app, name: second-price}", "{kind: ir, path: a.ir}")
    assert loads(text, JobDocument, source="j").program == IrProgram(kind="ir", path="a.ir")


FIVE = "computing: [alice, bob, carol, dave, erin]"


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        ("computing: [alice, bob, carol, dave]", FIVE, "6:1", "exactly 4 parties, 5 are listed"),
        ("computing: [alice, bob, carol, dave]", "computing: [a, b, c, c]", "6:1", "must be distinct"),
        ("profile: fair", "profile: identified-abort", "16:1", "the most it gives is guaranteed"),
        ("profile: fair", "profile: fare", "16:10", "did you mean 'fair'"),
        ("profile: fair", "adversary: semi-honest", "16:1", "semi-honest is not offered"),
        ("protocol: rep4", "protocol: rep5", "5:11", "it is one of rep4"),
        ("kind: app,", "kind: sql,", "4:10", "one of app, file, ir"),
        ("{kind: app, name: second-price}", "{name: second-price}", "4:10", "the key 'kind' is missing"),
        ("{kind: app, name: second-price}", "{kind: app, nam: x}", "4:22", r"did you mean 'name'"),
        ("rows: 1}", "rows: one}", "8:57", "should be a whole number"),
        ("rows: 1}", "rows: 0}", "8:57", "greater than or equal to 1"),
        ("rows: 1}", "rows: 1.5}", "8:57", "should be a whole number"),
        ("rows: 1}", "row: 1}", "8:5", "the key 'rows' is missing"),
        ("party: erin,", "party: Erin,", "9:13", "match pattern"),
        ("party: erin,", "party: alice,", "7:1", "alice gives the argument bids twice"),
        ("output: price", "output: winner", "10:1", "output winner is listed twice"),
        ("to: [alice, frank]", "to: [alice, alice]", "11:5", "a recipient is listed twice"),
        ("to: [frank]", "to: []", "12:25", "at least 1 item"),
        ("order: [erin, alice]", "order: [erin]", "15:1", "every input party exactly once"),
        ("reserve: 100", "reserve: lots", "14:12", "whole number, true, false"),
        ("deadline: 60s", "deadline: 60", "17:11", "duration with its unit"),
        ("deadline: 60s", "deadline: 8d", "17:11", "less than or equal to 604800"),
        ("deadline: 60s", "deadlin: 60s", "17:1", "did you mean 'deadline'"),
        ("deadline: 60s", "deadline: 60s\nname: b", "18:1", "occurs twice"),
        ("name: auction\n", "", "1:1", "the key 'name' is missing"),
        ("apiVersion: mpcd/v1", "apiVersion: mpcd/v2", "1:13", "one of mpcd/v1"),
        ("kind: Job", "kind: Party", "2:7", "one of Job"),
    ],
)
def test_mistakes_are_found_where_they_are(old: str, new: str, where: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        loads(edited(old, new), JobDocument, source="job.yaml")
    fault = str(caught.value)
    assert f"job.yaml:{where}:" in fault, fault


def test_all_mistakes_are_listed_at_once() -> None:
    text = edited("rows: 1}", "rows: x}").replace("deadline: 60s", "deadline: 60")
    with pytest.raises(ConfigError) as caught:
        loads(text, JobDocument, source="job.yaml")
    assert str(caught.value).count("job.yaml:") == 2


def test_an_unknown_party_is_named_with_the_nearest(document: JobDocument, roster: Roster) -> None:
    with pytest.raises(UsageError, match=r"'alise' is no party of the roster \(did you mean 'alice'\?\)"):
        specify(edited("computing: [alice,", "computing: [alise,"), roster)
    with pytest.raises(UsageError, match="'hub' is no party"):
        specify(edited("to: [frank]", "to: [hub]"), roster)


def specify(text: str, roster: Roster, program: bytes = PROGRAM) -> Specification:
    document = loads(text, JobDocument, source="job.yaml")
    common = {"program_hash": bytes(32), "roster": roster, "submitter": "alice"}
    return Specification.of(document, program=program, now=NOW, nonce=bytes(32), **common)  # type: ignore[arg-type]


def test_a_submitter_outside_the_roster_is_refused(specification: Specification, roster: Roster) -> None:
    with pytest.raises(UsageError, match="'zoe' is no party"):
        check_roster(specification.model_copy(update={"submitter": "zoe"}), roster)


def test_another_roster_is_refused(specification: Specification, roster: Roster) -> None:
    other = Roster(roster.members[1:])
    with pytest.raises(RefusedError, match="made for roster"):
        check_roster(specification, other)
    check_roster(specification, roster)


# ---------------------------------------------------------------- against the program


def auction(**changes: Type) -> Checked:
    """A checked program with an argument, a reserve, an order and two outputs (types only)."""
    types = {
        "bids": Type("int", ("n",), True, 0, 1000),
        "reserve": Type("int", (), False, 0, 1000),
        "ties": Type("order", ("n",), False),
    } | changes
    nodes = tuple(
        Node("input" if declared.secret else "parameter", (), name, declared)
        for name, declared in types.items()
    )
    program = Program("p", "", (("n", 3),), nodes, (("winner", 0), ("price", 0)))
    return Checked(program, tuple(types.values()), tuple(range(len(types))))


def test_a_job_that_fits_its_program_passes(specification: Specification) -> None:
    check_program(specification, auction())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("argument: bids, rows: 2", "argument: bidz, rows: 2", "no argument 'bidz' .did you mean 'bids'"),
        ("rows: 2", "rows: 3", "allows 4 rows for bids, the program at most 3"),
        ("output: price", "output: prize", "no output 'prize' .did you mean 'price'"),
        ("  - {output: price, to: [frank]}\n", "", "the output 'price' of the program is missing"),
        ("reserve: 100", "reserve: 1001", r"must lie in \[0, 1000\]"),
        ("reserve: 100", "reserve: true", "must be of type int"),
        ("reserve: 100", "reserv: 100", "no parameter 'reserv' .did you mean 'reserve'"),
        ("parameters:\n  reserve: 100\n", "", "the parameter 'reserve' of the program is missing"),
    ],
)
def test_a_job_that_does_not_fit_is_refused(old: str, new: str, message: str, roster: Roster) -> None:
    with pytest.raises(UsageError, match=message):
        check_program(specify(edited(old, new), roster), auction())


def test_a_missing_argument_and_a_useless_order(specification: Specification) -> None:
    with pytest.raises(UsageError, match="argument 'more' of the program is missing"):
        check_program(specification, auction(more=Type("int", ("n",), True, 0, 1)))
    with pytest.raises(UsageError, match="breaks no ties"):
        check_program(specification, auction(ties=Type("int", (), False, 0, 1)))


def test_a_table_argument_covers_its_columns(specification: Specification, roster: Roster) -> None:
    columns = {"t.a": Type("int", ("n",), True), "t.b": Type("int", ("n",), True)}
    text = JOB.replace("argument: bids", "argument: t")
    with pytest.raises(UsageError, match="argument 'bids' of the program is missing"):
        check_program(specify(text, roster), auction(**columns))


# ---------------------------------------------------------------- bytes


def test_the_bytes_come_back(specification: Specification) -> None:
    data = specification.to_bytes()
    assert Specification.from_bytes(data) == specification
    assert specification.job == job_hash(data)
    assert specification.program == PROGRAM.decode()


def test_the_identity_of_the_job_depends_on_every_field(specification: Specification) -> None:
    plain = json.loads(specification.to_bytes())
    for key in plain:
        changed = {name: value for name, value in plain.items() if name != key}
        assert job_hash(json.dumps(changed).encode()) != specification.job


def test_signed_and_read(
    specification: Specification, identities: dict[str, Identity], roster: Roster
) -> None:
    envelope = specification.envelope(identities["alice"])
    assert envelope.digest == specification.job
    assert Specification.read(envelope, "alice", roster) == specification
    with pytest.raises(RefusedError, match="lacks the signature of bob"):
        Specification.read(envelope, "bob", roster)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"rows":2', '"rows":"2"'),
        lambda text: text.replace('"rows":2', '"rows":2.0'),
        lambda text: text.replace('"rows":2', '"rows":1,"rows":2'),
        lambda text: text.replace('"rows":2', '"rows":2,"x":1'),
        lambda text: text.replace(",", ", ", 1),
        lambda text: text.replace('"profile":"fair"', '"profile":"identified-abort"'),
        lambda text: text.replace('"deadline":60.0', '"deadline":NaN'),
        lambda text: text.replace('"deadline":60.0', '"deadline":60'),
        lambda text: text.replace('"version":1', '"version":2'),
        lambda text: text.replace('"version":1', '"version":true'),
        lambda text: text[:-1],
        lambda text: text + " ",
        lambda text: "[" * 100_000,
        lambda text: text.replace("auction", "\\ud800"),
    ],
)
def test_only_canonical_bytes_are_read(specification: Specification, change: object) -> None:
    text = specification.to_bytes().decode()
    changed = change(text)  # type: ignore[operator]
    assert changed != text
    with pytest.raises(MalformedError):
        Specification.from_bytes(changed.encode())


def test_a_large_program_fits_and_a_larger_one_does_not(roster: Roster) -> None:
    large = specify(JOB, roster, b"\n" * MAX_PROGRAM_BYTES)
    assert len(Specification.from_bytes(large.to_bytes()).program) == MAX_PROGRAM_BYTES
    with pytest.raises(UsageError, match="allowed are"):
        specify(JOB, roster, b"x" * (MAX_PROGRAM_BYTES + 1))


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_raise(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Specification.from_bytes(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@given(data=st.data())
def test_any_value_in_any_field_parses_or_raises(data: st.DataObject, specification: Specification) -> None:
    plain = json.loads(specification.to_bytes())
    plain[data.draw(st.sampled_from(sorted(plain)))] = data.draw(JSON)
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return
    try:
        found = Specification.from_bytes(raw)
    except MalformedError:
        return
    assert found.to_bytes() == raw


@pytest.mark.parametrize(
    ("protocol", "computing", "profile"), [("rep4", 4, "guaranteed"), ("rep3", 3, "fair")]
)
def test_a_job_that_names_no_profile_gets_the_strongest(protocol: str, computing: int, profile: str) -> None:
    four = "[alice, bob, carol, dave]"
    text = edited("profile: fair\n", "").replace("protocol: rep4", f"protocol: {protocol}")
    text = text.replace(four, "[alice, bob, carol]" if computing == 3 else four)
    assert loads(text, JobDocument, source="job.yaml").profile == profile


def test_the_bytes_of_every_specification_are_read_again(specification: Specification) -> None:
    three = specification.model_copy(update={"protocol": "rep3", "computing": ("alice", "bob", "carol")})
    for one in (specification, three):
        assert Specification.from_bytes(one.to_bytes()) == one
