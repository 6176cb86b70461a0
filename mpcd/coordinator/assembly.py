"""The coordinator daemon, put together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from mpcd._pb.v1.coordinator_pb2_grpc import add_CoordinatorServicer_to_server
from mpcd.clock import Clock, SystemClock
from mpcd.coordinator.attached import Attached
from mpcd.coordinator.book import Book
from mpcd.coordinator.service import RULES, Service
from mpcd.errors import ConfigError
from mpcd.identity.config import CoordinatorConfig
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster
from mpcd.storage.database import SqliteDatabase, StorageError
from mpcd.storage.retention import keeping
from mpcd.transport.daemon_log import configure
from mpcd.transport.grpc_server import serve_tls
from mpcd.transport.launching import settle, stop_signal
from mpcd.transport.leaves import Leaves

STOP_GRACE_S = 2.0
_log = structlog.get_logger("mpcd.coordinator")


async def serve(config: CoordinatorConfig) -> None:
    """Run the coordinator until SIGTERM or SIGINT, or until its disk fails.

    Raises    ConfigError, NotFoundError, StorageError, AddressInUseError
    """
    configure(config.log)
    async with running(config, SystemClock()) as (port, failed):
        settle()
        _log.info("READY", role="coordinator", name=config.name, address=config.listen, port=port)
        stopping = asyncio.create_task(stop_signal())
        waited: set[asyncio.Future[Any]] = {stopping, failed}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if failed.done():
            raise failed.result()
        _log.info("stopping", role="coordinator", name=config.name)


@asynccontextmanager
async def running(
    config: CoordinatorConfig, clock: Clock
) -> AsyncIterator[tuple[int, asyncio.Future[StorageError]]]:
    """A coordinator that serves as long as the context lasts; yields its port, and what becomes done when its
    disk fails."""
    identity = Identity.load(config.keys.identity)
    roster = Roster.load(config.roster)
    _check(config, identity, roster)
    database = await SqliteDatabase.open(config.store)
    limits = config.limits
    book = Book(database, roster, clock, max_jobs=limits.jobs, max_per_submitter=limits.jobs_per_submitter)
    attached = Attached()
    timing = config.timing
    service = Service(book, attached, roster, heartbeat_s=timing.heartbeat, lost_after_s=timing.lost_after)
    try:
        await book.recover()
        leaves = Leaves(identity, clock, timing.leaf_valid)
        server, port = serve_tls(
            config.listen, roster, RULES, leaves, clock,
            lambda server: add_CoordinatorServicer_to_server(service, server),  # type: ignore[no-untyped-call]
        )  # fmt: skip
        await server.start()
        sweeping = asyncio.create_task(book.sweep())
        try:
            async with keeping(database, clock, config.retention.jobs):
                yield port, database.failed
        finally:
            attached.close()
            sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeping
            await server.stop(STOP_GRACE_S)
    finally:
        await database.close()


def _check(config: CoordinatorConfig, identity: Identity, roster: Roster) -> None:
    member = roster.find(config.name)
    if identity.name != config.name or member is None or member.role != "coordinator":
        raise ConfigError(
            f"{config.name} is not the coordinator of the roster, or the key is another's",
            where=str(config.roster),
            fix="compare name, keys.identity and roster",
        )
    if member.verify_key != identity.verify_key:
        raise ConfigError(
            f"the roster has another identity for {config.name} than its key file", where=str(config.roster)
        )
