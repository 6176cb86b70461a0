"""The party daemon, put together.

Order of the start: store, what was left over from the last run, services, ports, socket; the coordinator
last, when job processes can be started. READY in the log means that all of it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog

from mpcd import __version__
from mpcd._pb.v1 import peer_pb2
from mpcd._pb.v1.party_pb2_grpc import add_OperatorServicer_to_server
from mpcd._pb.v1.peer_pb2_grpc import add_PeerServicer_to_server
from mpcd.apps.catalogue import CATALOGUE
from mpcd.clock import Clock, SystemClock
from mpcd.errors import ConfigError, InternalError
from mpcd.identity.config import PartyConfig
from mpcd.identity.keys import Identity, load_storage_key
from mpcd.identity.roster import Member, Roster
from mpcd.jobs.document import InputEntry
from mpcd.party.attach import CoordinatorLink, attached
from mpcd.party.case import Tools
from mpcd.party.link_port import LinkPort
from mpcd.party.matter import House
from mpcd.party.office import Office
from mpcd.party.operator_service import RULES as OPERATOR_RULES
from mpcd.party.operator_service import OperatorService
from mpcd.party.pace import Pace
from mpcd.party.peer_service import RULES as PEER_RULES
from mpcd.party.peer_service import PeerService
from mpcd.party.peers import PeerCalls
from mpcd.party.processes import Processes
from mpcd.program.text import program_hash
from mpcd.protocols.rounds import Words
from mpcd.ring.streams import derive
from mpcd.runtime.workers import WorkerPool
from mpcd.storage.database import SqliteDatabase, StorageError
from mpcd.storage.retention import keeping
from mpcd.storage.store import store_in
from mpcd.transport.daemon_log import configure
from mpcd.transport.grpc_channel import Channels
from mpcd.transport.grpc_server import serve_socket, serve_tls
from mpcd.transport.launching import settle, stop_signal
from mpcd.transport.leaves import Leaves

STOP_GRACE_S = 1.0
_log = structlog.get_logger("mpcd.party")


async def serve(config: PartyConfig, pool: WorkerPool) -> None:
    """Run the daemon until SIGTERM or SIGINT, or until its disk fails.

    Raises  ConfigError, NotFoundError, StorageError, AddressInUseError
    """
    configure(config.log)
    async with running(config, pool, SystemClock()) as failed:
        settle()
        _log.info("READY", role="party", name=config.name, address=config.listen.control)
        stopping = asyncio.create_task(stop_signal())
        waited: set[asyncio.Future[Any]] = {stopping, failed}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if failed.done():
            raise failed.result()
        _log.info("stopping", role="party", name=config.name)


@asynccontextmanager
async def running(
    config: PartyConfig, pool: WorkerPool, clock: Clock
) -> AsyncIterator[asyncio.Future[StorageError]]:
    """A daemon that serves as long as the context lasts; yields what becomes done when its disk fails."""
    identity = Identity.load(config.keys.identity)
    storage_key = load_storage_key(config.keys.storage)
    roster = Roster.load(config.roster)
    coordinator = _check(config, identity, roster)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(pool.close)
        database = await SqliteDatabase.open(config.store)
        stack.push_async_callback(database.close)
        await stack.enter_async_context(keeping(database, clock, config.retention.jobs))
        leaves = Leaves(identity, clock, config.timing.leaf_valid)
        channels = Channels(leaves)
        stack.push_async_callback(channels.close)
        store = store_in(database, storage_key)
        start = await store.starts.begin()
        shown = peer_pb2.Start(number=start.number, marks=start.marks)
        peers = PeerCalls(config.name, roster, channels, shown)
        stack.push_async_callback(peers.close)
        port = LinkPort(config.limits.connections)
        dataset_key = derive(storage_key, b"mpcd dataset digests", length=32)
        pace = Pace(delta_s=config.timing.delta, stage_s=config.timing.stage, round_s=config.timing.round)
        # The office and the stream to the coordinator need each other; so do office and processes.
        wiring = _Wiring()
        tools = Tools(
            identity=identity,
            roster=roster,
            store=store,
            peers=peers,
            workers=Processes(
                pool=pool,
                port=port,
                identity=identity,
                roster=roster,
                clock=clock,
                links_s=pace.links_s,
                first_round_s=pace.bears_s,
                memory_bytes=config.limits.per_process,
                told=lambda job, progress: wiring.office.told(job, progress),
            ),
            reader=_NoData(),
            clock=clock,
            pace=pace,
        )
        house = House(
            config=config,
            tools=tools,
            peers=peers,
            catalogue=_known_programs(config),
            dataset_key=dataset_key,
            say=lambda job, envelope: wiring.link.say(job, envelope),
            changed=lambda job, state, detail: wiring.office.changed(job, state, detail),
        )
        office = wiring.office = Office(house)
        link = wiring.link = CoordinatorLink(
            coordinator,
            channels,
            roster.hash,
            office,
            version=__version__,
            heartbeat_s=config.timing.heartbeat,
            lost_after_s=config.timing.lost_after,
        )
        await stack.enter_async_context(port.listening(config.listen.links))
        service = PeerService(office)
        control, _ = serve_tls(
            config.listen.control,
            roster,
            PEER_RULES,
            leaves,
            clock,
            lambda server: add_PeerServicer_to_server(service, server),  # type: ignore[no-untyped-call]
        )
        operator = OperatorService(office, link, leaves)
        socket = serve_socket(
            config.admin,
            OPERATOR_RULES,
            lambda server: add_OperatorServicer_to_server(operator, server),  # type: ignore[no-untyped-call]
        )
        database.failed.add_done_callback(lambda done: office.fail(done.result()))
        stack.push_async_callback(office.close)
        await office.recover()
        for server in (control, socket):
            await server.start()
            stack.push_async_callback(server.stop, STOP_GRACE_S)
        await pool.ready()
        await stack.enter_async_context(attached(link))
        yield office.failed


def _known_programs(config: PartyConfig) -> dict[str, str]:
    """Hashes of the programs that the policy names; the others are not even traced."""
    named = {program for rule in config.policy.rules for program in rule.programs}
    return {
        name: program_hash(CATALOGUE[name].definition.canonical).hex() for name in named & CATALOGUE.keys()
    }


class _Wiring:
    """Two parts that need each other."""

    office: Office
    link: CoordinatorLink


class _NoData:
    """The reader of no job: each job gets one that is bound to its consent (`Matter`)."""

    async def read(self, entry: InputEntry) -> Words:
        raise InternalError(f"the dataset {entry.dataset} was asked for outside of a job")


def _check(config: PartyConfig, identity: Identity, roster: Roster) -> Member:
    """Configuration, key file and roster are of one organisation; the coordinator of the roster."""
    member = roster.find(config.name)
    if identity.name != config.name or member is None or member.role != "party":
        raise ConfigError(
            f"{config.name} is not a party of the roster, or the key is another's",
            where=str(config.roster),
            fix="compare name, keys.identity and roster",
        )
    if member.verify_key != identity.verify_key:
        raise ConfigError(
            f"the roster has another identity for {config.name} than its key file", where=str(config.roster)
        )
    if roster.coordinator is None:
        raise ConfigError("the roster has no coordinator", where=str(config.roster))
    return roster.coordinator
