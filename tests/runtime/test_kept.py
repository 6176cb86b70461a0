"""What is kept for a dispute: the same at sender, backup and receiver, unless one of them lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import numpy as np
import pytest

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import ChannelError, InternalError, MpcdError, PeerError
from mpcd.protocols.rep3 import replay
from mpcd.protocols.rep3.batch import understand
from mpcd.protocols.rounds import Round, Rounds, Words
from mpcd.runtime.driver import drive
from mpcd.runtime.frames import FrameCodec
from mpcd.runtime.kept import Place, Record, _known, dispute_keys
from mpcd.runtime.lockstep import lockstep, tag_keys
from mpcd.runtime.reports import kept_of, report_of
from mpcd.testing.wrappers import cheat, edit_vouch, every_message, flip, flipped, silence_from
from mpcd.transport.channel import Buffer
from mpcd.transport.memory import MemoryChannel, MemoryNetwork
from tests.runtime.engines import ENGINES
from tests.runtime.ring_of_parties import PARTIES, steps

SESSION = bytes(32)
KEYS = {a: bytes([a]) * 32 for a in range(4)}
TIMEOUT_S = 20.0

Damage = tuple[int, int, int, Callable[[bytes], bytes]]
"""(sender, receiver, number of the round, what becomes of the frame)."""


class Damaged(MemoryChannel):
    """A channel on which frames of one round are changed on their way out, to one peer."""

    def __init__(self, network: MemoryNetwork, damage: Damage) -> None:
        me, self._to, self._at, self._change = damage
        super().__init__(network, me)

    def exchange(
        self,
        number: int,
        outgoing: Mapping[int, Sequence[Buffer]],
        lengths: Mapping[int, int],
        timeout_s: float,
        absent_ok: frozenset[int] = frozenset(),
    ) -> dict[int, memoryview]:
        if number == self._at:
            outgoing = {**outgoing, self._to: [self._change(b"".join(outgoing[self._to]))]}
        return super().exchange(number, outgoing, lengths, timeout_s, absent_ok)


class Party:
    """One party's end of a run: its record, and what it reports."""

    def __init__(self, me: int, parties: int) -> None:
        held = {a: key for a, key in KEYS.items() if a != me}
        self.record = Record(me, dispute_keys(parties, held, SESSION, 0, bytes(32)))
        self.error: MpcdError | None = None

    @property
    def report(self) -> pb.Report | None:
        return None if self.error is None else report_of(self.error, self.record)


def run(steps: Sequence[Rounds[Any]], damage: Damage | None = None) -> list[Party]:
    """All parties' steps over a network of threads."""
    parties = len(steps)
    network = MemoryNetwork(parties)
    ends = [Party(me, parties) for me in range(parties)]

    def one(me: int) -> None:
        channel = network.channel(me)
        if damage is not None and damage[0] == me:
            channel = Damaged(network, damage)
        codec = FrameCodec(me, range(parties), SESSION, 0, tag_keys(me, range(parties)))
        try:
            drive(steps[me], codec, channel, round_timeout_s=TIMEOUT_S, record=ends[me].record)
        except MpcdError as error:
            ends[me].error = error
        finally:
            channel.close()

    with ThreadPoolExecutor(parties) as pool:
        list(pool.map(one, range(parties)))
    return ends


def said(party: Party, place: Place) -> bytes | None:
    return party.record.digests().get(place)


# -- honest runs -----------------------------------------------------------------------------------


def test_sender_and_backup_keep_the_same_of_the_last_two_rounds() -> None:
    ends = run(steps(4))
    places = [place for end in ends for place in end.record.digests()]
    assert {place[0] for place in places} == {3, 4}
    assert len(places) == 2 * 2 * PARTIES
    for place in places:
        _, sender, backup, _ = place
        assert said(ends[sender], place) == said(ends[backup], place) is not None
    assert all(
        end.record.accepted == dict.fromkeys(set(range(PARTIES)) - {me}, 4) for me, end in enumerate(ends)
    )


def test_every_digest_depends_on_its_place_and_its_bytes() -> None:
    ends = run(steps(4))
    found = {digest for end in ends for digest in end.record.digests().values()}
    assert len(found) == 2 * PARTIES
    changed = run([cheat(step, flip(bit=0)) for step in steps(4)])
    theirs = {
        end.record.digests()[p] for me, end in enumerate(changed) for p in end.record.digests() if p[1] == me
    }
    assert found.isdisjoint(theirs)


def test_a_record_shows_nothing() -> None:
    record = run(steps(2))[0].record
    assert repr(record) == "Record(me=0, begun=2)"


# -- lies ------------------------------------------------------------------------------------------

MESSAGES = [m for m in every_message(steps(2)) if m.shape is not None]


@pytest.mark.parametrize("m", MESSAGES, ids=str)
def test_a_wrong_message_sets_sender_and_backup_against_each_other(m: Any) -> None:
    """The receiver's digest is that of what came; the sender has sent it, the backup has not."""
    attacked = steps(3)
    attacked[m.sender] = cheat(attacked[m.sender], flip(round=m.round, to=m.receiver, label=m.label))
    ends = run(attacked)
    report = ends[m.receiver].report
    assert report is not None
    complaint = report.complaint
    assert (report.round, complaint.round, list(report.missing)) == (m.round + 1, m.round + 1, [])
    assert (complaint.sender, complaint.receiver) == (m.sender, m.receiver)
    place = complaint.round, complaint.sender, complaint.backup, complaint.receiver
    assert said(ends[m.sender], place) == complaint.digest
    assert said(ends[complaint.backup], place) not in (None, complaint.digest)
    _only_misses(ends, m.receiver, m.round + 2)


def _only_misses(ends: Sequence[Party], gone: int, number: int) -> None:
    """All others went on by a round, and miss that party there."""
    for me, end in enumerate(ends):
        if me != gone:
            assert end.report is not None
            assert (end.report.round, list(end.report.missing)) == (number, [gone])
            assert end.record.accepted[gone] == number - 1


@pytest.mark.parametrize("backup", range(PARTIES))
def test_a_wrong_tag_sets_receiver_and_backup_against_each_other(backup: int) -> None:
    """What came is what was sent, so sender, receiver and the honest digest agree: only the tag is wrong."""
    sender, receiver = (backup + 1) % PARTIES, (backup + 2) % PARTIES
    attacked = steps(2)

    def once(words: Words) -> Words:
        return np.asarray(flipped(words, 3))

    attacked[backup] = cheat(attacked[backup], edit_vouch(once, round=0))  # type: ignore[arg-type]
    ends = run(attacked)
    report = ends[receiver].report
    assert report is not None
    assert (report.complaint.sender, report.complaint.backup) == (sender, backup)
    assert said(ends[sender], (1, sender, backup, receiver)) == report.complaint.digest
    _only_misses(ends, receiver, 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame[:-1],
        lambda frame: bytes([frame[0] ^ 1]) + frame[1:],
        lambda frame: frame + bytes(1 << 20),
    ],
    ids=["short", "another version", "long"],
)
def test_a_garbled_frame_is_missing_at_its_receiver_alone(change: Callable[[bytes], bytes]) -> None:
    ends = run(steps(3), (1, 3, 1, change))
    report = ends[3].report
    assert report is not None
    assert (report.round, list(report.missing)) == (2, [1])
    assert not report.HasField("complaint")
    assert ends[3].record.accepted[0] == ends[3].record.accepted[2] == 2
    _only_misses(ends, 3, 3)


def test_whoever_falls_silent_is_missed_by_all_in_that_round() -> None:
    attacked = steps(3)
    attacked[2] = silence_from(attacked[2], 1)
    ends = run(attacked)
    for me in (0, 1, 3):
        report = ends[me].report
        assert report is not None
        assert (report.round, list(report.missing)) == (2, [2])
        assert ends[me].record.accepted[2] == 1


def test_our_own_faults_are_no_report() -> None:
    record = run(steps(1))[0].record
    assert report_of(InternalError("a bug"), record) is None
    assert report_of(ChannelError("the daemon is gone"), record) is None
    report = report_of(PeerError("the holders disagree", step="open", blamed=frozenset({1, 2})), record)
    assert report is not None
    assert (report.round, list(report.missing)) == (1, [1, 2])


def test_late_peers_are_noted_from_a_quarter_of_the_patience_on() -> None:
    record = Record(0, dispute_keys(4, KEYS, SESSION, 0, bytes(32)))
    for number, seconds in enumerate([0.2, 0.25, 0.6, 0.999, 5.0]):
        record.begin(number, Round(""))
        record.waited(2, seconds, 1.0)
    assert list(record.late) == [(2, 2, 2), (3, 2, 4), (4, 2, 7), (5, 2, 8)]


# -- batches of rep3 -------------------------------------------------------------------------------


def test_a_failed_batch_is_named_alike_and_everybody_keeps_what_it_needs() -> None:
    """Two complain about the same batch; the keys of all show which product's message was wrong."""
    setup = ENGINES["rep3"]
    engines = setup.engines()
    shares = setup.share(np.arange(5, dtype=np.int64), 1)
    run_of = [e.at("mul").mul(x, x) for e, x in zip(engines, shares, strict=True)]
    liar = 1
    run_of[liar] = cheat(run_of[liar], flip(round=0))
    ends = run(run_of)
    reports = [ends[me].report for me in (0, 2)]
    assert all(report is not None and report.HasField("batch") for report in reports)
    assert len({report.batch for report in reports if report is not None}) == 1
    kept = [kept_of(end.record, e.unsettled()).batches for end, e in zip(ends, engines, strict=True)]
    assert all(len(batches) == 1 for batches in kept)
    found = [batches[0] for batches in kept]
    assert {batch.number for batch in found} == {report.batch for report in reports if report is not None}
    assert len({batch.what for batch in found}) == 1
    keys = {a: key for batch in found for a, key in batch.keys.items()}
    expected = replay.expected(*understand(found[0].what), keys)
    for me, batch in enumerate(found):
        assert batch.sent == expected.products[me]
        after = (me + 1) % 3
        assert (batch.received == expected.products[after]) == (after != liar)
        assert len(batch.shown) == 32


# -- what is kept does not change --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rep3", "rep4"])
def test_no_step_changes_what_it_has_sent(name: str) -> None:
    """All operations: what a round sent and backed is the same two rounds later."""
    setup = ENGINES[name]
    engines = setup.engines()
    x, y = (setup.share(np.arange(start, start + 70, dtype=np.int64), start) for start in (3, 40))
    kept: dict[int, list[tuple[Any, bytes]]] = {}
    compared = count()

    def look(number: int, rounds: Mapping[int, Round]) -> None:
        for arrays in kept.values():
            for array, before in arrays:
                assert np.asarray(array).tobytes() == before
                next(compared)
        kept[number] = [
            (array, np.asarray(array).tobytes())
            for me, r in rounds.items()
            for parts in _known(me, number, r).values()
            for array in parts
        ]
        kept.pop(number - 2, None)

    lockstep([_everything(e, a, b) for e, a, b in zip(engines, x, y, strict=True)], on_round=look).results()
    assert next(compared) > 50


def _everything(e: Any, x: Any, y: Any) -> Rounds[None]:
    product = yield from e.at("mul").mul(x, y)
    below = yield from e.at("less").less_than(product, x)
    wide = yield from e.at("full").less_than_full(x, y)
    same = yield from e.at("equal").equal(x, y)
    bits = yield from e.at("and").conj(e.xor(below, wide), e.negate(same))
    number = yield from e.at("b2a").to_arithmetic(bits)
    yield from e.at("inner").inner(e.reshape(number, (7, 10)), e.reshape(y, (7, 10)))
    yield from e.at("matmul").matmul(e.reshape(x, (7, 10)), e.reshape(y, (10, 7)))
    yield from e.at("open").open(number)
