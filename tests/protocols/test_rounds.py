"""Rounds: how steps are composed, merged and named."""

from __future__ import annotations

import numpy as np
import pytest

from mpcd.errors import ChannelError, InternalError, UsageError
from mpcd.protocols.rounds import Inbox, Message, Payload, Round, Rounds, Spec, idle, parallel, run_locally
from mpcd.runtime.lockstep import lockstep
from mpcd.testing.wrappers import cheat, shift, silence_from, spy

ONE = Spec((1,))


def word(value: int) -> Payload:
    return np.array([value], np.uint64)


def swap(me: int, path: str, rounds: int = 1, absent: frozenset[int] = frozenset()) -> Rounds[list[int]]:
    """Two parties tell each other 10 * me + round; what was not received is -1."""
    peer, got = 1 - me, []
    for k in range(rounds):
        inbox = yield Round(
            f"{path}/{k}", send={(peer, "x"): word(10 * me + k)}, recv={(peer, "x"): ONE}, absent=absent
        )
        got.append(int(inbox[peer, "x"][0]) if (peer, "x") in inbox else -1)
    return got


def branches(me: int, *lengths: int) -> list[Rounds[list[int]]]:
    return [swap(me, f"b{k}", length) for k, length in enumerate(lengths)]


def stated(step: Rounds[object], mail: Inbox) -> list[Round]:
    """All rounds a step states if it always receives the same mail."""
    rounds: list[Round] = []
    inbox: Inbox | None = None
    while True:
        try:
            rounds.append(step.send(inbox))  # type: ignore[arg-type]
        except StopIteration:
            return rounds
        inbox = mail


def test_branches_of_different_lengths_take_as_many_rounds_as_the_longest() -> None:
    run = lockstep([parallel(branches(me, 1, 3, 0, 2)) for me in (0, 1)])
    assert run.rounds == 3
    assert run.results() == [[[10], [10, 11, 12], [], [10, 11]], [[0], [0, 1, 2], [], [0, 1]]]
    assert run.payload_bytes == {0: 8 * 6, 1: 8 * 6}


def test_nothing_in_parallel_takes_no_round() -> None:
    assert run_locally(parallel([])) == []
    assert run_locally(parallel([swap(0, "b", 0), swap(0, "c", 0)])) == [[], []]


def test_parallel_nests() -> None:
    def nested(me: int) -> Rounds[list[object]]:
        return parallel([parallel(branches(me, 2, 1)), swap(me, "c", 3)])

    run = lockstep([nested(0), nested(1)])
    assert run.rounds == 3
    assert run.outputs[0] == [[[10, 11], [10]], [10, 11, 12]]


def test_a_merged_round_names_all_running_branches_in_its_path() -> None:
    mail = {(1, f"{k}/x"): word(1) for k in range(3)}
    rounds = stated(parallel(branches(0, 1, 2, 2)), mail)
    assert [r.path for r in rounds] == ["0:b0/0|1:b1/0|2:b2/0", "1:b1/1|2:b2/1"]
    assert set(rounds[0].send) == set(rounds[0].recv) == {(1, "0/x"), (1, "1/x"), (1, "2/x")}


def test_vouching_keeps_its_branch() -> None:
    def vouching(path: str) -> Rounds[None]:
        yield Round(path, vouch={(1, 2, "x"): np.zeros(1, np.uint64)})

    def receiving(path: str) -> Rounds[None]:
        yield Round(path, recv={(1, "x"): ONE}, vouched={(1, "x"): 3})

    (r,) = stated(parallel([vouching("a"), receiving("b")]), {})
    assert set(r.vouch) == {(1, 2, "0/x")}
    assert r.vouched == {(1, "1/x"): 3}


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [({1}, {1}, {1}), ({1}, set(), set()), ({1, 2}, {2, 3}, {2}), (set(), set(), set())],
)
def test_silence_is_allowed_only_if_every_branch_allows_it(
    first: set[int], second: set[int], both: set[int]
) -> None:
    def allowing(absent: set[int]) -> Rounds[None]:
        yield Round("a", absent=frozenset(absent))

    (r,) = stated(parallel([allowing(first), allowing(second)]), {})
    assert r.absent == both


def test_an_absent_message_is_absent_in_its_branch() -> None:
    run = [swap(0, "a", 2, frozenset({1})), silence_from(swap(1, "a", 2), 1)]
    assert lockstep(run).outputs[0] == [10, -1]


def test_merged_branches_that_all_allow_silence_survive_it() -> None:
    def both(me: int) -> Rounds[list[list[int]]]:
        return parallel([swap(me, "a", 2, frozenset({1})), swap(me, "b", 2, frozenset({1}))])

    run = lockstep([both(0), silence_from(both(1), 1)])
    assert run.rounds == 2
    assert run.outputs[0] == [[10, -1], [10, -1]]


def test_one_branch_that_needs_a_peer_stops_them_all() -> None:
    def both(me: int) -> Rounds[list[list[int]]]:
        return parallel([swap(me, "a", 2, frozenset({1})), swap(me, "b", 2)])

    error = lockstep([both(0), silence_from(both(1), 1)]).outputs[0]
    assert isinstance(error, ChannelError)
    assert error.unreachable == {1}


def test_a_change_in_one_branch_leaves_the_other_alone() -> None:
    run = [parallel(branches(me, 2, 2)) for me in (0, 1)]
    run[1] = cheat(run[1], shift(by=5, round=1, label="1/x"))
    assert lockstep(run).outputs[0] == [[10, 11], [10, 16]]


def test_a_branch_that_fails_closes_the_others() -> None:
    closed: list[str] = []

    def waits() -> Rounds[None]:
        try:
            yield Round("a")
            yield Round("b")
        finally:
            closed.append("waits")

    def fails() -> Rounds[None]:
        yield Round("a")
        raise UsageError("on purpose")

    branches = [waits(), fails()]  # kept, so that nothing is closed by being forgotten
    step = parallel(branches)
    step.send(None)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        step.send({})
    assert closed == ["waits"]


def test_a_step_that_is_closed_closes_its_branches() -> None:
    closed: list[int] = []

    def waits(k: int) -> Rounds[None]:
        try:
            yield Round("a")
        finally:
            closed.append(k)

    branches = [waits(0), waits(1)]  # kept, so that nothing is closed by being forgotten
    step = parallel(branches)
    step.send(None)  # type: ignore[arg-type]
    step.close()
    assert sorted(closed) == [0, 1]


def test_labels_may_contain_slashes() -> None:
    def deep(me: int) -> Rounds[int]:
        key: Message = (1 - me, "a/b/c")
        inbox = yield Round("p", send={key: word(me)}, recv={key: ONE})
        return int(inbox[key][0])

    assert lockstep([parallel([deep(me)]) for me in (0, 1)]).outputs == {0: [1], 1: [0]}


def test_a_local_step_that_asks_for_a_round_is_our_bug() -> None:
    with pytest.raises(InternalError):
        run_locally(idle("a"))


def test_an_idle_round_is_a_round_without_payload() -> None:
    run = lockstep([idle("a"), idle("a")])
    assert (run.rounds, run.frames, run.payload_bytes) == (1, 2, {})


def test_payloads_are_not_printed() -> None:
    r = Round("a", send={(1, "x"): word(123456789)})
    assert "123456789" not in repr(r)


def test_a_spied_step_shows_what_its_party_received() -> None:
    seen: list[Inbox] = []
    run = [swap(0, "a", 2), swap(1, "a", 2)]
    run[0] = spy(run[0], seen)
    lockstep(run)
    assert [int(inbox[1, "x"][0]) for inbox in seen] == [10, 11]
