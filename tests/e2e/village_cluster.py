"""A cluster whose daemons live on hosts of their own, behind a network that can be slow, lossy or cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mpcd.cli.local_cluster import COORDINATOR, LocalCluster
from mpcd.testing.network.village import Village

_CONTROL, _LINKS = 7411, 7412


@dataclass(frozen=True, slots=True)
class VillageCluster(LocalCluster):
    """As `LocalCluster`, but every daemon runs on the host of its name. Operator sockets are files, so that
    commands work from everywhere."""

    village: Village

    @classmethod
    def settle(
        cls, directory: Path, bids: Mapping[str, int | None], village: Village, *, delta: str = "1s"
    ) -> VillageCluster:
        """Make the files of a cluster for the hosts `coordinator` and all parties of a village.

        Raises  what `LocalCluster.create` raises
        """
        places = [f"{village.address(COORDINATOR)}:{_CONTROL}"]
        for name in bids:
            places += [f"{village.address(name)}:{_CONTROL}", f"{village.address(name)}:{_LINKS}"]
        made = LocalCluster.create(directory, bids, delta=delta, addresses=iter(places))
        return cls(made.directory, made.parties, village)

    def command(self, name: str) -> list[str]:
        return self.village.command(name, LocalCluster.command(self, name))
