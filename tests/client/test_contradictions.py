"""Evidence of pairs, offline: what jobs with one cheater prove, and what no lying reporter makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.client.contradictions import ASSUMING
from mpcd.client.evidence import in_common
from mpcd.identity.envelope import Envelope
from mpcd.jobs.evidence import Evidence, as_statements, as_texts
from mpcd.party.notes import InputNote
from mpcd.protocols.agreement.chains import read_statement
from mpcd.protocols.agreement.disputes import Sent, Void, about, answer_value
from mpcd.protocols.agreement.findings import Dispute
from mpcd.protocols.agreement.outcomes import read_slot_name, slot_name
from mpcd.protocols.agreement.words import Complaint, Late, Ready, Stopped, word_value
from tests.client.trials import TRIALS, A, B, C, D, Played, Scene, played, sets, value_of
from tests.party.world import COMPUTING, OWNER, identities

KINDS = pytest.mark.parametrize("kind", TRIALS)
PROVEN = pytest.mark.parametrize("kind", [name for name, trial in TRIALS.items() if trial.proven])


def changed(envelope: Envelope, reporter: str | None = None, **changes: Any) -> Envelope:
    """The record as a liar gives it."""
    record = Evidence.from_bytes(envelope.payload)
    fields = {name: getattr(record, name) for name in Evidence.model_fields}
    other = Evidence(**(fields | {"reporter": reporter or record.reporter} | changes))
    return other.envelope(identities()[other.reporter])


def accusing(game: Played, who: str = "") -> Envelope:
    """The first record that blames anybody, of the first honest party that has one."""
    for name in COMPUTING:
        for envelope in game.records[name]:
            if name != who and Evidence.from_bytes(envelope.payload).kind == "contradiction":
                return envelope
    raise AssertionError("nobody has recorded anything")


@KINDS
def test_what_the_parties_found_is_proven_to_strangers(kind: str) -> None:
    trial, game = TRIALS[kind], played(kind)
    honest = [name for name in COMPUTING if name != trial.cheater]
    full = []
    for name in honest:
        findings = game.verify(*game.records[name])
        for finding in findings:
            blamed = finding.record.blamed
            assert [proof.parties for proof in finding.proven] == ([blamed] if blamed else [])
            assert not [text for text in finding.claimed if "broke the rules" in text]
            alone = (
                kind == "keys that open nothing"
            )  # two words of one party, which nobody else has to confirm
        assert all(proof.assuming == ("" if alone else ASSUMING) for proof in finding.proven)
        full.append(tuple(sets(findings)))
        assert all(trial.cheater in parties for parties in full[-1])
    assert trial.proven in full
    assert all(found == trial.proven[: len(found)] for found in full)  # who was dropped has not seen the rest


@pytest.mark.parametrize("profile", ["fair", "abort"])
def test_the_same_is_proven_when_the_job_ends_by_it(profile: str) -> None:
    game = played("receiver and sender", profile=profile)
    assert sets(game.verify(*game.records[A])) == [(B, D)]


def test_two_pairs_name_the_party_that_is_in_both() -> None:
    game = played("two pairs")
    findings = game.verify(*game.records[C])
    assert in_common(findings, game.specification) == (
        f"acme cheats: it is in all of these; assuming that {ASSUMING}"
    )
    assert in_common(findings[:1], game.specification) == ""
    # A pair without the others' common party: then there are two cheaters, and the assumption is wrong.
    scene = frame_of_ready(liars=(2, 3))
    more = [*findings[:1], *scene.findings()]
    assert sets(more) == [(A, B), (C, D)]
    assert "void" in in_common(more, game.specification)


# -- a lying reporter ------------------------------------------------------------------------------------


@PROVEN
def test_a_record_without_one_of_its_statements_or_bodies_proves_nothing(kind: str) -> None:
    game = played(kind)
    envelope = accusing(game)
    record = Evidence.from_bytes(envelope.payload)
    needed = 0
    for k, statement in enumerate(record.statements):
        rest = tuple(s for s in record.statements if s != statement)
        bodies = tuple(b for j, b in enumerate(record.bodies) if j != k and b != record.bodies[k])
        found = sets(game.verify(changed(envelope, statements=rest, bodies=bodies)))
        needed += not found
        assert found in ([], [record.blamed])
    assert needed == {2: 2, 4: 4}.get(len(record.statements), 6)


@PROVEN
def test_who_is_blamed_beyond_what_is_proven_is_blamed_by_the_reporter_only(kind: str) -> None:
    game = played(kind)
    envelope = accusing(game)
    true = Evidence.from_bytes(envelope.payload).blamed
    for name in COMPUTING:
        if (name,) == true or name == Evidence.from_bytes(envelope.payload).reporter:
            continue
        (finding,) = game.verify(changed(envelope, blamed=(name,)))
        assert [proof.parties for proof in finding.proven] == [true]
        (text,) = finding.claimed
        assert f"says that {name} broke the rules" in text


@PROVEN
def test_values_that_somebody_else_signed_prove_nothing(kind: str) -> None:
    """Every party passes on what the others say, and signs it: that makes it nobody's but theirs."""
    game = played(kind)
    envelope = accusing(game)
    passed_on = []
    for one in Evidence.from_bytes(envelope.payload).envelopes():
        (signature,) = one.signatures
        other = next(name for name in COMPUTING if name != signature.signer)
        passed_on.append(Envelope(one.type, one.payload).sign(identities()[other]))
    assert sets(game.verify(changed(envelope, statements=as_statements(passed_on)))) == []


def test_the_session_must_belong_to_the_job() -> None:
    game = played("receiver and sender")
    envelope = accusing(game)
    record = Evidence.from_bytes(envelope.payload)
    assert record.session is not None
    for lie in ({"nonces": ()}, {"attempt": 1}, {"nonces": (*record.nonces[:3], "ab" * 32)}):
        assert sets(game.verify(changed(envelope, **lie))) == []
    # What parties who are not accused say of the session is worth nothing: they may have made up the job.
    note = InputNote(
        job=record.job, session=record.session, owner=A, argument="bids", rows=1, commitments=("aa" * 32,) * 4
    )
    others = InputNote(**{**note.model_dump(), "commitments": note.commitments, "owner": B})
    bare = changed(envelope, nonces=())
    assert sets(game.verify(bare, entries=(note.envelope(identities()[A]),))) == []
    entries = note.envelope(identities()[A]), others.envelope(identities()[B])
    assert sets(game.verify(bare, entries=entries)) == []


def test_words_of_another_job_prove_nothing() -> None:
    """The same words under the same indices, in which another party has another number or other outputs."""
    game, other = played("receiver and sender"), played("receiver and sender", "another")
    mine, theirs = accusing(game), Evidence.from_bytes(accusing(other).payload)
    strange = {name: getattr(theirs, name) for name in ("statements", "bodies", "session", "nonces")}
    assert sets(game.verify(changed(mine, **strange))) == []
    del strange["session"], strange["nonces"]
    assert sets(game.verify(changed(mine, **strange))) == []


# -- what the names of slots are for ---------------------------------------------------------------------

ROSTER = (0, 1, 2, 3)
EARLY = Complaint(0, 1, b"e" * 32)


def test_answers_to_one_complaint_are_none_to_another() -> None:
    """dune complained about acme and bolt in round 4, who both said what acme had sent; the complaint of
    crux, about a lie of dune in round 5, was not settled. Afterwards dune signs another word."""
    late = Complaint(0, 3, b"l" * 32)
    words = {p: Stopped(6) for p in ROSTER} | {2: Stopped(5, complaint=late)}
    first = Dispute(4, 3, "", complaint=EARLY)
    scene = Scene()
    for p in range(3):
        scene.say("BARRIER", p, word_value(words[p]), epoch=0)
    answers: dict[int, bytes] = {0: b"h" * 32, 1: b"h" * 32, 3: b"h" * 32}
    true, other = (Scene(said=list(scene.said)) for _ in range(2))
    true.say("BARRIER", 3, word_value(Stopped(4, complaint=EARLY)), epoch=0)
    other.say("BARRIER", 3, word_value(words[3]), epoch=0)
    for p in ROSTER:
        body = answer_value(Sent(answers[p])) if p in answers else b""
        true.say("DISPUTE", p, body, about=about(first, ROSTER), epoch=0)
        other.said.append(true.said[-1])
    assert true.proven() == [(A, D)]  # what it sent is not what dune says
    assert other.proven() == []
    second = about(Dispute(5, 2, "", complaint=late), ROSTER)
    other.said.pop()
    other.say("DISPUTE", 3, answer_value(Sent(b"h" * 32)), about=second, epoch=0)
    assert other.proven() == []
    # If acme had indeed answered that one, it would be a pair.
    other.say("DISPUTE", 0, answer_value(Sent(b"h" * 32)), about=second, epoch=0)
    assert other.proven() == [(A, C)]


@pytest.mark.parametrize(
    "change",
    [
        {"round": 5}, {"receiver": 2}, {"batch": 4}, {"others": frozenset({1})},
        {"complaint": Complaint(1, 0, EARLY.digest)}, {"complaint": Complaint(0, 1, b"f" * 32)},
        {"complaint": Complaint(0, 2, EARLY.digest)}, {"complaint": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_question_is_about_one_thing(change: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"round": 4, "receiver": 3, "why": "", "complaint": EARLY}
    asked = about(Dispute(**fields), ROSTER)
    assert about(Dispute(**(fields | change)), ROSTER) != asked
    assert about(Dispute(**(fields | {"why": "in other words"})), ROSTER) == asked
    assert len({asked, about(Dispute(**fields), (0, 1, 2)), about(Dispute(**fields), ROSTER, b"w")}) == 3


def coms(*pieces: int) -> tuple[bytes, ...]:
    return tuple(bytes([a + 1]) * 32 for a in pieces)


HELD = {0: (0, 1), 1: (1, 2), 2: (2, 0)}
"""Pieces of rep3 at each place, ascending as words list them."""


def frame_of_ready(
    reporter: str = D, liars: tuple[int, ...] = (), names: tuple[int, ...] = (1, 2, 3)
) -> Scene:
    """Three parties of epoch 1 say READY; two liars say different things of the piece that they share."""
    scene = Scene(reporter)
    for place, party in enumerate((1, 2, 3)):
        held = sorted(HELD[place])
        said = [bytes([a + 1]) * 32 for a in held]
        if party in liars[:1]:
            shared = set(held) & set(HELD[(1, 2, 3).index(liars[1])])
            said = [b"x" * 32 if a in shared else com for a, com in zip(held, said, strict=True)]
        word = Ready("open", (tuple(said),) * 2, bytes(32))
        scene.say("BARRIER", party, word_value(word), names)
    return scene


def test_places_are_read_by_the_roster_that_was_signed() -> None:
    """With other people at the places the same words would contradict each other."""
    assert frame_of_ready().proven() == []
    assert frame_of_ready(liars=(2, 3)).proven() == [(C, D)]
    honest = Scene(D)
    for place, party in enumerate((0, 1, 2)):
        word = Ready("open", (coms(*sorted(HELD[place])),) * 2, bytes(32))
        honest.say("BARRIER", party, word_value(word), (0, 1, 2))
    assert honest.proven() == []
    # dune, which was dropped, would be the third of another roster: bolt and crux have not signed that.
    honest.said = honest.said[1:]
    own = Ready("open", (coms(0, 2),) * 2, bytes(32))
    for roster in ((1, 2, 3), (0, 1, 2), (1, 2), ()):
        honest.say("BARRIER", 3, word_value(own), roster)
    assert honest.proven() == []


@pytest.mark.parametrize("roster", [(0, 1), (0, 0, 1), (0, 1, 9), (0, 1, 2, 3), (0,), (4, 5, 6)], ids=str)
def test_epochs_that_cannot_be_are_not_judged(roster: tuple[int, ...]) -> None:
    scene = Scene()
    for party in sorted({p for p in roster if p < 4}):
        word = Ready("open", ((bytes([party]) * 32,) * 2,) * 2, bytes(32))
        scene.say("BARRIER", party, word_value(word), roster)
    assert scene.proven() == []


def test_who_signs_two_values_proves_nothing_against_others() -> None:
    scene = frame_of_ready(liars=(2, 3))
    word = Ready("open", ((b"y" * 32,) * 2,) * 2, bytes(32))
    scene.say("BARRIER", 2, word_value(word), (1, 2, 3))
    assert scene.proven() == [(C,)]
    assert scene.findings()[0].proven[0].assuming == ""


def test_frames_that_did_not_come_prove_nothing() -> None:
    for missing in (frozenset({0}), frozenset({0, 1})):
        scene = Scene()
        for p in ROSTER:
            word = Stopped(4, missing) if p == 2 else Stopped(5, late=(Late(3, (p + 1) % 4, 8),))
            scene.say("BARRIER", p, word_value(word), epoch=0)
        assert scene.proven() == []


def test_an_owner_that_signs_two_inputs_is_no_computing_party() -> None:
    scene = frame_of_ready(liars=(2, 3))
    twice = [
        InputNote(
            job=scene.spec.job.hex(), session=scene.session.hex(), owner=OWNER, argument="bids", rows=1,
            commitments=(digit * 64,) * 4,
        ).envelope(identities()[OWNER])
        for digit in "ab"
    ]  # fmt: skip
    owner = Scene(spec=scene.spec).findings(
        statements=as_statements(twice), kind="equivocation", blamed=(OWNER,), bodies=()
    )
    both = [*scene.findings(), *owner]
    assert sets(both) == [(C, D), (OWNER,)]
    assert in_common(both, scene.spec) == ""


def test_a_complaint_that_is_denied_is_a_pair_and_no_answer_is_nothing() -> None:
    words = {p: Stopped(6) for p in ROSTER} | {2: Stopped(5, complaint=Complaint(0, 1, b"c" * 32))}
    question = about(Dispute(5, 2, "", complaint=Complaint(0, 1, b"c" * 32)), ROSTER)
    for answers, parties in (
        ({0: answer_value(Void()), 1: answer_value(Sent(b"c" * 32))}, [(A, C)]),
        ({0: answer_value(Void()), 1: answer_value(Void())}, [(C,)]),
        ({0: answer_value(Sent(b"x" * 32)), 1: answer_value(Sent(b"c" * 32))}, [(A, B)]),
        ({0: answer_value(Sent(b"c" * 32)), 1: answer_value(Sent(b"c" * 32))}, [(B, C)]),
        ({0: b"", 1: answer_value(Sent(b"x" * 32))}, []),
        ({1: answer_value(Sent(b"x" * 32))}, []),
    ):
        scene = Scene()
        for p, word in words.items():
            scene.say("BARRIER", p, word_value(word), epoch=0)
        for p, body in answers.items():
            scene.say("DISPUTE", p, body, about=question, epoch=0)
        assert scene.proven() == parties


# -- anything that one cheater can put together ----------------------------------------------------------

GAMES = [played(kind) for kind in ("two pairs", "two that are ready for different things")]
"""acme cheats in both."""
MATERIAL = [
    (one, body)
    for game in GAMES
    for name in COMPUTING
    for record in game.evidence(name)
    for one, body in zip(record.envelopes(), record.said(), strict=True)
]
NAMES = sorted({signed[0] for one, _ in MATERIAL if (signed := read_statement(one.payload)) is not None})
BODIES = sorted({body for _, body in MATERIAL})


def lies() -> st.SearchStrategy[tuple[Envelope, bytes]]:
    """A value of acme that it has never said: in one of the slots, with one of the bodies or another one."""
    digests = st.sampled_from([b"d" * 32, *(body[-32:] for body in BODIES if len(body) > 32)])
    rounds, others = st.integers(0, 4), st.permutations([1, 2, 3])

    def complains(number: int, two: list[int], digest: bytes) -> bytes:
        return word_value(Stopped(max(1, number), complaint=Complaint(two[0], two[1], digest)))

    def misses(number: int, some: list[int]) -> bytes:
        return word_value(Stopped(number, frozenset(some[:1])))

    def sent(digest: bytes) -> bytes:
        return answer_value(Sent(digest))

    words = st.one_of(
        st.builds(complains, rounds, others, digests),
        st.builds(misses, rounds, others),
        st.builds(sent, digests),
        st.sampled_from([*BODIES, b"", answer_value(Void())]),
    )
    return st.builds(lambda name, body: (value_of(name, 0, body), body), st.sampled_from(NAMES), words)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_no_record_of_a_cheater_proves_anything_that_it_is_not_part_of(data: st.DataObject) -> None:
    """It shows what it likes of two jobs and epochs, and signs what it likes."""
    game = data.draw(st.sampled_from(GAMES))
    true = data.draw(st.sampled_from([e for name in COMPUTING for e in game.records[name]]))
    shown = data.draw(st.lists(st.one_of(st.sampled_from(MATERIAL), lies()), max_size=24))
    if data.draw(st.booleans()):
        record = Evidence.from_bytes(true.payload)
        shown += zip(record.envelopes(), record.said(), strict=True)
        mine = [k for k, (one, _) in enumerate(shown) if one.signers == {A}]
        dropped = data.draw(st.sets(st.sampled_from(mine))) if mine else set()
        shown = [one for k, one in enumerate(shown) if k not in dropped]
    lie = changed(
        true, reporter=A, blamed=(B, C), unreachable=(), kind="contradiction",
        statements=as_statements([one for one, _ in shown]), bodies=as_texts([body for _, body in shown]),
    )  # fmt: skip
    assert all(A in parties for parties in sets(game.verify(lie)))


@settings(deadline=None, max_examples=200)
@given(
    family=st.sampled_from(["BARRIER", "DISPUTE", "BATCH-KEYS", "", "é", "x/y"]),
    roster=st.lists(st.integers(-1, 9), max_size=5),
    question=st.binary(max_size=33),
    body=st.binary(max_size=80),
    tail=st.binary(max_size=3),
)
def test_any_words_are_read_or_are_none(
    family: str, roster: list[int], question: bytes, body: bytes, tail: bytes
) -> None:
    scene = Scene()
    name = slot_name(family, scene.session, 1, 0, roster, question)
    for party in range(4):
        scene.said.append((value_of(name + tail, party, body), body))
    assert scene.proven() == []
    found = read_slot_name(name)
    if found is not None:
        parts = found.family, found.scope, found.epoch, found.number, found.roster, found.about
        assert slot_name(*parts) == name
