"""A party daemon that cheats, for tests and demonstrations. Never run it with real data.

    python -m mpcd.testing.cheat --config party.yaml --edit "auction shift round=3 to=0"
    python -m mpcd.testing.cheat --coordinator --config coordinator.yaml --edit "auction crash ..."

It is the ordinary daemon with some of its parts replaced from outside; what it can do differently is
listed in `mpcd.testing.edits`. `--edit` may be given several times; in jobs that none concerns the
daemon is honest. SIGUSR1 lets go all that is held.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mpcd.errors import MpcdError
from mpcd.identity.config import CoordinatorConfig, PartyConfig
from mpcd.testing.edits import EditLine, parse_all
from mpcd.transport import grpc_environment
from mpcd.transport.launching import run

DIRECTORY = "cheats"


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    parser = argparse.ArgumentParser(prog="mpcd.testing.cheat", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--edit", action="append", default=[], help="JOB KIND key=value ...")
    parser.add_argument("--coordinator", action="store_true", help="a coordinator that crashes")
    given = parser.parse_args()
    try:
        if given.coordinator:
            serve_coordinator(CoordinatorConfig.load(given.config), parse_all(given.edit))
            return 0
        serve(PartyConfig.load(given.config), parse_all(given.edit))
    except MpcdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def serve(config: PartyConfig, edits: tuple[EditLine, ...]) -> None:
    """Run the cheating daemon. In the order of `mpcd.party.daemon`: the fork server first, then gRPC.

    Raises  what `mpcd.party.daemon.main` raises
    """
    grpc_environment.prepare()
    from mpcd.runtime.kernel_cache import prepare_cache
    from mpcd.testing.cheating_daemon import CheatingPool, Plan, install, release_at_signal
    from mpcd.testing.crashes import Crash
    from mpcd.testing.crashes import install as install_crashes

    directory = config.store.parent / DIRECTORY
    pool = CheatingPool(config.limits.running, prepare_cache(config.cache), directory)
    pool.launch()
    from mpcd.identity.keys import Identity
    from mpcd.party.assembly import serve as serve_party

    async def daemon() -> None:
        plan = Plan(edits, directory)
        install(plan, Identity.load(config.keys.identity))
        install_crashes(Crash(edits))
        await release_at_signal(plan)
        await serve_party(config, pool)

    run(daemon())


def serve_coordinator(config: CoordinatorConfig, edits: tuple[EditLine, ...]) -> None:
    """Run a coordinator that is honest until it crashes.

    Raises  what `mpcd.coordinator.daemon.main` raises
    """
    grpc_environment.prepare()
    from mpcd.coordinator.assembly import serve as serve_it
    from mpcd.testing.crashes import Crash
    from mpcd.testing.crashing_coordinator import install

    install(Crash(edits))
    run(serve_it(config))


if __name__ == "__main__":
    sys.exit(main())
