"""Starting the coordinator: the environment first, then everything else."""

from __future__ import annotations

from pathlib import Path

from mpcd.identity.config import CoordinatorConfig
from mpcd.transport import grpc_environment
from mpcd.transport.launching import run


def main(config: Path) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises    ConfigError, NotFoundError, StorageError, AddressInUseError
    """
    loaded = CoordinatorConfig.load(config)
    grpc_environment.prepare()
    # gRPC is imported in here, after its environment.
    from mpcd.coordinator.assembly import serve

    run(serve(loaded))
