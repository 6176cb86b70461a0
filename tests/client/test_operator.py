"""The operator's socket and its client: real gRPC over a Unix socket, an office with real files behind it."""

from __future__ import annotations

import asyncio
import socket
import stat
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from mpcd._pb.v1 import party_pb2 as pb
from mpcd._pb.v1.party_pb2_grpc import add_OperatorServicer_to_server
from mpcd.cli.auction_job import job_text
from mpcd.client.operator import Operator
from mpcd.clock import SystemClock
from mpcd.errors import ChannelError, ConfigError, NotFoundError, RefusedError, UsageError
from mpcd.identity.envelope import Envelope
from mpcd.party.attach import CoordinatorLink
from mpcd.party.operator_service import RULES, OperatorService
from mpcd.transport.grpc_server import AddressInUseError, serve_socket
from mpcd.transport.leaves import Leaves
from tests.party.offices import PROGRAM, Town, job, signed
from tests.party.world import COMPUTING, OWNER, identities

FILE = job_text("auction", computing=COMPUTING, bidders=("acme", OWNER), readers=("acme",)).replace(
    "dataset: bid,", "dataset: bids,"
)


class Hub:
    """A coordinator that takes everything."""

    attached = True

    def __init__(self) -> None:
        self.submitted: list[Envelope] = []
        self.cancelled: list[Envelope] = []

    async def submit(self, envelope: Envelope) -> tuple[bytes, bool]:
        self.submitted.append(envelope)
        return envelope.digest, False

    async def cancel(self, envelope: Envelope) -> None:
        self.cancelled.append(envelope)


Scene = Callable[[Operator, Town, Hub], None]


def play(directory: Path, scene: Scene) -> None:
    """Run `scene`, which blocks, in a thread beside the daemon of acme."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mpcd-")))
            town, hub = Town(directory), Hub()
            stack.push_async_callback(town.close)
            leaves = Leaves(identities()["acme"], SystemClock())
            service = OperatorService(town.offices["acme"], cast(CoordinatorLink, hub), leaves)
            server = serve_socket(
                short / "s",
                RULES,
                lambda server: add_OperatorServicer_to_server(service, server),  # type: ignore[no-untyped-call]
            )
            await server.start()
            stack.push_async_callback(server.stop, None)
            cast(Any, town.offices["acme"].house.peers).is_connected = lambda name: False
            with Operator(short / "s") as operator:
                await asyncio.to_thread(scene, operator, town, hub)

    asyncio.run(run())


def test_every_rpc_has_a_rule() -> None:
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name["Operator"].methods}
    assert set(RULES) == {f"/mpcd.v1.Operator/{method}" for method in methods}


def test_status_and_plan(tmp_path: Path) -> None:
    def scene(operator: Operator, town: Town, hub: Hub) -> None:
        status = operator.status()
        assert (status.name, status.coordinator_attached) == ("acme", True)
        plan = operator.plan(FILE.encode(), "auction.yaml", PROGRAM)
        assert plan.acceptable, plan.facts
        assert plan.rounds > 0
        assert any(fact.topic == "learns" for fact in plan.facts)
        (tmp_path / "acme" / "bids.csv").unlink()
        refused = operator.plan(FILE.encode(), "auction.yaml", PROGRAM)
        assert not refused.acceptable
        assert any("bids.csv" in fact.text for fact in refused.facts)
        assert not hub.submitted

    play(tmp_path, scene)


def test_a_submitted_job_is_signed_and_known_at_once(tmp_path: Path) -> None:
    def scene(operator: Operator, town: Town, hub: Hub) -> None:
        found, existed = operator.submit(FILE.encode(), "auction.yaml", PROGRAM, "key")
        assert not existed
        (envelope,) = hub.submitted
        assert envelope.digest == found
        assert envelope.signers == {"acme"}
        assert operator.get(found).name == "auction"
        assert [known.job for known in operator.jobs()] == [found]
        operator.cancel(found, "no more")
        *_, last = operator.watch(found, 10.0)
        assert (last.state, last.ended) == ("cancelled", True)
        assert len(hub.cancelled) == 1
        with pytest.raises(UsageError, match="ended already"):
            operator.cancel(found, "again")
        with pytest.raises(UsageError, match="no results"):
            operator.result(found, 1.0)
        with pytest.raises(NotFoundError, match="no receipt"):
            operator.receipt(found, 1.0)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("change", "error", "where", "word"),
    [
        (("deadline: 60s", "deadline: 60"), ConfigError, "auction.yaml:", "duration"),
        (("profile: guaranteed", "profile: identified-abort"), ConfigError, "auction.yaml", "finds a set"),
        (("profile: guaranteed", "profil: fair"), ConfigError, "auction.yaml:", "profil"),
        (("winner, to: [acme]", "winner, to: [zoe]"), ConfigError, "auction.yaml", "zoe"),
        (("computing: [acme,", "computing: [acme, echo,"), ConfigError, "auction.yaml", "exactly 4"),
        (("reserve: 100", "reserve: -1"), UsageError, "", "reserve"),
    ],
)
def test_a_bad_job_file_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], error: type[Exception], where: str, word: str
) -> None:
    def scene(operator: Operator, town: Town, hub: Hub) -> None:
        text = FILE.replace(*change)
        assert text != FILE
        with pytest.raises(error) as caught:
            operator.submit(text.encode(), "auction.yaml", PROGRAM)
        assert where in str(caught.value)
        assert word in str(caught.value)
        assert not hub.submitted

    play(tmp_path, scene)


def test_another_partys_job_is_neither_cancelled_nor_read_by_us(tmp_path: Path) -> None:
    def scene(operator: Operator, town: Town, hub: Hub) -> None:
        other = job(submitter="bolt", results=[{"output": o, "to": ("bolt",)} for o in ("winner", "price")])
        loop.call(town.offices["acme"].proposal(signed(other, "bolt")))
        with pytest.raises(RefusedError, match="bolt"):
            operator.cancel(other.job, "spite")

    loop = _Loop()
    play(tmp_path, loop.inside(scene))


def test_unknown_jobs_are_not_found(tmp_path: Path) -> None:
    def scene(operator: Operator, town: Town, hub: Hub) -> None:
        for ask in (operator.get, operator.result, operator.receipt, lambda j: operator.cancel(j, "")):
            with pytest.raises(NotFoundError):
                ask(bytes(32))

    play(tmp_path, scene)


class _Loop:
    """Calls a coroutine of the daemon's loop from the scene's thread."""

    def inside(self, scene: Scene) -> Scene:
        def run(operator: Operator, town: Town, hub: Hub) -> None:
            self._loop = town.offices["acme"].failed.get_loop()
            scene(operator, town, hub)

        return run

    def call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)


def test_without_a_daemon_the_client_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="no daemon"):
        Operator(tmp_path / "nothing")


def test_the_socket_is_for_its_owner_only_and_a_stale_one_is_replaced() -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory(prefix="mpcd-") as short:
            path = Path(short) / "s"
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(path))
            server = serve_socket(path, {}, lambda _: None)
            await server.start()
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
            with pytest.raises(AddressInUseError, match="another daemon"):
                serve_socket(path, {}, lambda _: None)
            await server.stop(None)
            path.unlink(missing_ok=True)
            path.write_text("not a socket")
            with pytest.raises(UsageError, match="no socket"):
                serve_socket(path, {}, lambda _: None)

    asyncio.run(run())
