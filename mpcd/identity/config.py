"""The configuration files of the two daemons: every key, its unit, its default and its limits.

Relative paths are relative to the file. Nothing here is secret: keys live in files of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator

from mpcd.identity.documents import load
from mpcd.identity.names import Field as Label
from mpcd.identity.names import Name
from mpcd.identity.roster import Address
from mpcd.identity.units import Integer, Seconds, Size, Strict

INT64 = (-(1 << 63), (1 << 63) - 1)

NameOrAll = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z][a-z0-9-]{0,31})$")]
LabelOrAll = Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z_][A-Za-z0-9_]{0,63})$")]
ProgramOrAll = Annotated[str, StringConstraints(pattern=r"^(\*|sha256:[0-9a-f]{64}|[a-z][a-z0-9-]{0,63})$")]
Positive = Annotated[Integer, Field(ge=1)]


class Column(Strict):
    """A column of a dataset: whole numbers from `min` to `max`, both included."""

    type: Literal["int"] = "int"
    min: Annotated[Integer, Field(ge=INT64[0], le=INT64[1])]
    max: Annotated[Integer, Field(ge=INT64[0], le=INT64[1])]

    @model_validator(mode="after")
    def _ordered(self) -> Column:
        if self.min > self.max:
            raise ValueError(f"min: the range is empty: {self.min} exceeds {self.max}")
        return self


class Source(Strict):
    """A private dataset: a CSV file with a header line, and the columns to read from it."""

    file: str
    columns: dict[Label, Column] = Field(min_length=1, max_length=256)
    max_rows: Annotated[Positive, Field(le=1 << 28)] = 1_000_000


class Rule(Strict):
    """One rule of a policy; everything a rule says must hold for a job that it allows. `*` is everything."""

    submitters: tuple[NameOrAll, ...] = Field(min_length=1)
    programs: tuple[ProgramOrAll, ...] = Field(min_length=1)
    computing: tuple[NameOrAll, ...] = Field(min_length=1)
    recipients: tuple[NameOrAll, ...] = Field(min_length=1)
    datasets: tuple[LabelOrAll, ...] = ()
    minimum_profile: Literal["abort", "fair", "identified-abort", "guaranteed"] = "fair"
    approval: Literal["automatic", "manual"] = "manual"
    max_rows: Positive = 1_000_000
    max_rounds: Positive = 100_000
    max_bytes_sent: Size = 16 << 30
    max_memory: Size = 4 << 30
    max_deadline: Seconds = 3600.0


class Policy(Strict):
    """What the party takes part in. No rules: nothing."""

    rules: tuple[Rule, ...] = Field(default=(), max_length=256)


class Listen(Strict):
    """Where a party accepts connections; others find it at the addresses in the roster."""

    control: Address
    links: Address


class Keys(Strict):
    """Secret files, mode 0600."""

    identity: Path = Path("identity.key")
    storage: Path = Path("storage.key")


class CoordinatorKeys(Strict):
    """Secret files, mode 0600."""

    identity: Path = Path("identity.key")


class Connections(Strict):
    """Signs of life of long-lived streams, and the validity of TLS leaves."""

    heartbeat: Annotated[Seconds, Field(gt=0, le=60)] = 2.0
    lost_after: Annotated[Seconds, Field(gt=0, le=600)] = 6.0
    leaf_valid: Annotated[Seconds, Field(ge=60, le=7 * 86400)] = 86_400.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lost_after < 2 * self.heartbeat:
            raise ValueError("lost_after: should be at least two heartbeats")
        return self


class Timing(Connections):
    """Bounds on waiting. `delta` is the security parameter of the synchronous network."""

    delta: Annotated[Seconds, Field(gt=0, le=600)] = 2.0
    round: Annotated[Seconds, Field(gt=0, le=3600)] = 30.0
    stage: Annotated[Seconds, Field(gt=0, le=3600)] = 30.0
    consent: Annotated[Seconds, Field(gt=0, le=7 * 86400)] = 300.0


class PartyLimits(Strict):
    """What a daemon accepts, whatever a policy says."""

    jobs: Annotated[Positive, Field(le=10_000)] = 64
    running: Annotated[Positive, Field(le=64)] = 2
    memory: Annotated[Size, Field(ge=1 << 20)] = 4 << 30
    connections: Annotated[Positive, Field(le=65_536)] = 256

    @property
    def per_process(self) -> int:
        """Bytes of memory that one job process may use."""
        return self.memory // self.running


class Retention(Strict):
    """How long ended jobs are kept after their deadline."""

    jobs: Annotated[Seconds, Field(ge=3600)] = 90 * 86_400.0


class Log(Strict):
    """Log lines go to standard error and carry no values."""

    format: Literal["json", "text"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


class PartyConfig(Strict):
    """The file of `mpcd party serve`."""

    api_version: Literal["mpcd/v1"] = Field(alias="apiVersion")
    kind: Literal["Party"]
    name: Name
    roster: Path
    listen: Listen
    admin: Path
    store: Path
    cache: Path | None = None  # none: that of the user who runs the daemon
    keys: Keys = Keys()
    data: dict[Label, Source] = Field(default_factory=dict, max_length=256)
    policy: Policy = Policy()
    limits: PartyLimits = PartyLimits()
    timing: Timing = Timing()
    retention: Retention = Retention()
    log: Log = Log()

    @classmethod
    def load(cls, path: Path) -> PartyConfig:
        """Read the file and make its paths absolute.

        Raises    NotFoundError if there is none, ConfigError with file:line:column if anything is wrong
        """
        config = load(path, cls)
        base = path.absolute().parent
        data = {
            name: source.model_copy(update={"file": str(base / source.file)})
            for name, source in config.data.items()
        }
        fields = ("roster", "admin", "store", *(("cache",) if config.cache else ()))
        return _absolute(config, base, fields).model_copy(update={"data": data})


class CoordinatorLimits(Strict):
    """What the coordinator accepts."""

    jobs: Annotated[Positive, Field(le=100_000)] = 1_000
    jobs_per_submitter: Annotated[Positive, Field(le=100_000)] = 100


class CoordinatorConfig(Strict):
    """The file of `mpcd coordinator serve`."""

    api_version: Literal["mpcd/v1"] = Field(alias="apiVersion")
    kind: Literal["Coordinator"]
    name: Name
    roster: Path
    listen: Address
    store: Path
    keys: CoordinatorKeys = CoordinatorKeys()
    limits: CoordinatorLimits = CoordinatorLimits()
    timing: Connections = Connections()
    retention: Retention = Retention()
    log: Log = Log()

    @classmethod
    def load(cls, path: Path) -> CoordinatorConfig:
        """Read the file and make its paths absolute.

        Raises    NotFoundError if there is none, ConfigError with file:line:column if anything is wrong
        """
        return _absolute(load(path, cls), path.absolute().parent, ("roster", "store"))


Config = TypeVar("Config", PartyConfig, CoordinatorConfig)


def _absolute(config: Config, base: Path, fields: tuple[str, ...]) -> Config:
    """The same configuration with its paths made absolute; an absolute path stays as it is."""
    update: dict[str, object] = {name: base / getattr(config, name) for name in fields}
    keys = config.keys
    update["keys"] = keys.model_copy(update={name: base / path for name, path in keys})
    return config.model_copy(update=update)
