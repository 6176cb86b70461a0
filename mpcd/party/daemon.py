"""Starting a party daemon: the fork server first, since it must inherit nothing; then gRPC and the rest."""

from __future__ import annotations

from pathlib import Path

from mpcd.identity.config import PartyConfig
from mpcd.transport import grpc_environment
from mpcd.transport.launching import run


def main(config: Path) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises    ConfigError, NotFoundError, StorageError, AddressInUseError
    """
    loaded = PartyConfig.load(config)
    grpc_environment.prepare()
    from mpcd.runtime.kernel_cache import prepare_cache
    from mpcd.runtime.workers import WorkerPool

    pool = WorkerPool(loaded.limits.running, prepare_cache(loaded.cache))
    pool.launch()
    # gRPC is imported in here, after its environment and after the fork server.
    from mpcd.party.assembly import serve

    run(serve(loaded, pool))
