"""The configuration of the daemons, and the samples that come with mpcd."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpcd.errors import ConfigError
from mpcd.identity.config import CoordinatorConfig, PartyConfig
from mpcd.identity.roster import Roster

SAMPLES = Path(__file__).parents[2] / "configs"
PARTY = (SAMPLES / "party.yaml").read_text()

SMALL = """\
apiVersion: mpcd/v1
kind: Party
name: acme
roster: roster.yaml
listen: {control: '127.0.0.1:1', links: '127.0.0.1:2'}
admin: a.sock
store: s.db
"""


def party(folder: Path, text: str) -> PartyConfig:
    path = folder / "party.yaml"
    path.write_text(text)
    return PartyConfig.load(path)


def test_the_samples_fit_together() -> None:
    config = PartyConfig.load(SAMPLES / "party.yaml")
    coordinator = CoordinatorConfig.load(SAMPLES / "coordinator.yaml")
    roster = Roster.load(config.roster)
    assert roster.member(config.name).role == "party"
    assert roster.member(coordinator.name).role == "coordinator"
    assert config.roster == coordinator.roster == SAMPLES / "roster.yaml"
    assert config.keys.identity == SAMPLES / "keys/identity.key"
    assert config.data["bids"].file == str(SAMPLES / "bids.csv")
    assert config.data["bids"].columns["bid"].max == 1_000_000
    assert config.policy.rules[0].max_bytes_sent == 1 << 30
    assert config.timing.delta == 2.0
    assert config.timing.lost_after == 6.0
    assert coordinator.retention.jobs == 90 * 86_400


def test_the_smallest_file_takes_part_in_nothing(tmp_path: Path) -> None:
    config = party(tmp_path, SMALL)
    assert config.policy.rules == ()
    assert config.data == {}
    assert config.store == tmp_path / "s.db"
    assert config.keys.storage == tmp_path / "storage.key"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    config = party(tmp_path, SMALL.replace("store: s.db", "store: /var/lib/mpcd/s.db"))
    assert config.store == Path("/var/lib/mpcd/s.db")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: acme ", "name: Acme ", ":6:7: name: .*match pattern"),
        ("listen:\n", "lisen:\n", r":9:1: unknown key 'lisen' \(did you mean 'listen'\?\)"),
        ("control: 0.0.0.0:7411", "control: 7411", ":10:12: listen.control: should be host:port"),
        ("min: 0, max: 1000000", "min: 5, max: 4", "columns.bid.min: the range is empty"),
        ("min: 0, max: 1000000", "min: 0, max: 9223372036854775808", "less than or equal to"),
        ("min: 0, max: 1000000", "min: 0", "the key 'max' is missing in data.bids.columns.bid"),
        ("type: int", "type: float", "'float' is not possible here; it is one of int"),
        ("approval: automatic", "approval: auto", "did you mean 'automatic'"),
        ("submitters: [acme, bolt, crux, dyne]", "submitters: []", "at least 1 item"),
        ("programs: [second-price]", "programs: ['sha256:12']", "match pattern"),
        ("delta: 2s", "delta: 2", "timing.delta: should be a duration"),
        ("delta: 2s", "delta: 0s", "timing.delta: should be greater than 0"),
        ("delta: 2s", "lost_after: 3s", "timing.lost_after: should be at least two heartbeats"),
        ("kind: Party", "kind: Coordinator", "'Coordinator' is not possible here"),
        ("running: 2 ", "running: 0 ", "greater than or equal to 1"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in PARTY
    with pytest.raises(ConfigError, match=message):
        party(tmp_path, PARTY.replace(old, new, 1))
