"""What a job's life needs from the rest of the daemon; tests put their own in its place.

All calls have an end: they return, or raise `ChannelError` when the other side is silent or unreachable, or
`PeerError`/`RefusedError` when it answers with something that no honest party would say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mpcd._pb.v1.peer_pb2 import (
    FetchOutputRequest,
    InputHeader,
    KeyContributions,
    OutputHeader,
    ShareHeader,
    SlotMessage,
)
from mpcd.errors import MpcdError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.document import InputEntry
from mpcd.jobs.specification import Specification
from mpcd.protocols.agreement.disputes import Expected
from mpcd.protocols.agreement.words import Late, Stopped
from mpcd.protocols.rounds import Words

FIRST_HISTORY = bytes(32)
"""Stands for what was agreed before the first epoch: nothing was."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a party keeps of a batch of random numbers (rep3) that is not settled, for a dispute about it.

    what      which batch it is and of what size, as `Arbiter.expect` wants to be told; public, the same at
              every honest party
    keys      piece -> key of the batch, 32 bytes each, for the two pieces that this party holds: secret until
              all parties have agreed to show them. Then the batch is thrown away
    sent      digest (32 bytes) of what this party sent in the batch's products; received: of what arrived
    shown     the hash that it showed in the check, 32 bytes or none
    heard     party -> the hash that came from it
    """

    what: bytes
    keys: Mapping[int, bytes] = field(repr=False)
    sent: bytes
    received: bytes
    shown: bytes = b""
    heard: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a party keeps of the rounds that another one may still complain about.

    Parties are the job's; rounds are numbered from 1 in every epoch (0 is the meeting of the links).
    digests   (round, sender, backup, receiver) -> 32 bytes, keyed: what this party sent, or vouched for
    accepted  party -> the last round of which a frame from it has come: it had accepted the round before
    batches   rep3: number -> batch, for those that are not settled here
    late      for what is said at the next barrier: the last rounds in which one peer alone was waited for
    """

    digests: Mapping[tuple[int, int, int, int], bytes] = field(default_factory=dict)
    accepted: Mapping[int, int] = field(default_factory=dict)
    batches: Mapping[int, Batch] = field(default_factory=dict)
    late: tuple[Late, ...] = ()


class Stop(MpcdError):
    """Our job process cannot go on in this epoch, for a reason that lies with another party or with a link.

    report  what this party says at the next barrier; parties are the job's
    kept    what it answers if there is a dispute
    """

    def __init__(self, what: str, *, report: Stopped, kept: Kept, where: str = "") -> None:
        super().__init__(what, where=where)
        self.report = report
        self.kept = kept


class Peers(Protocol):
    """The other parties' daemons, by name, over mutual TLS."""

    def send_slot(self, party: str, message: SlotMessage) -> None:
        """Send on the long-lived stream without waiting; what cannot be delivered is lost."""
        ...

    async def deliver_keys(self, party: str, message: KeyContributions) -> None: ...
    async def announce_session(self, party: str, notice: Envelope) -> None: ...
    async def deliver_input(self, party: str, header: InputHeader, data: bytes) -> None: ...
    async def forward_share(self, party: str, header: ShareHeader, data: bytes) -> None: ...
    async def fetch_output(
        self, party: str, request: FetchOutputRequest, most_bytes: int = 0
    ) -> tuple[OutputHeader, bytes]:
        """A holder's answer and, if asked for, one summand: nothing is taken beyond `most_bytes` of it.

        Raises  PeerError naming the holder if it sends another length than it says, or more
        """
        ...

    async def deliver_receipt(self, party: str, job: bytes, receipt: Envelope) -> None: ...
    async def fetch_receipt(self, party: str, job: bytes, wait_ms: int) -> Envelope | None: ...


class Reader(Protocol):
    """This party's own datasets."""

    async def read(self, entry: InputEntry) -> Words:
        """The rows that the party consented to bring: (columns, rows) words.

        Raises  DataError if the data cannot be used, or is not what was consented to
        """
        ...


@dataclass(frozen=True, slots=True)
class AgreedInput:
    """One input as all parties agreed on it: what this party holds of it.

    left_out  it is not there and nobody holds anything of it: the default row stands in for its rows
    """

    owner: str
    argument: str
    rows: int
    owner_key: bytes
    payloads: Mapping[int, bytes] = field(repr=False)
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What a job process gets of a job's life; its pool adds addresses, the leaf and pairwise keys.

    attempt  number of the START slot that reserved the process: part of the links' hello
    me       index of this party among the job's parties, in every epoch
    inputs   the agreed inputs in the order of the specification; with `missing: exclude` some entries of
             the specification are not among them, with `missing: default` some are `left_out`
    keys     the keys of the first epoch, of the pieces that this party holds in the job's own scheme
    epoch    number of the epoch
    roster   indices of the parties that compute in it, ascending
    scheme   name of the scheme that they compute with (`mpcd.protocols.scheme`)
    checked  whether messages are checked; False only when the roster is known to be honest
    history  32 bytes: fingerprint of all that was agreed before this epoch. It enters every key
    round_s  silence borne in a round after the first
    dropped  who of the job's four parties is not in the roster; None if nobody was dropped
    """

    job: bytes
    session: bytes
    attempt: int
    me: int
    specification: Specification
    inputs: tuple[AgreedInput, ...]
    keys: Mapping[int, bytes] = field(repr=False)
    deadline_s: float
    epoch: int = 0
    roster: tuple[int, ...] = (0, 1, 2, 3)
    scheme: str = "rep4"
    checked: bool = True
    history: bytes = FIRST_HISTORY
    dropped: int | None = None
    round_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One output for one recipient: a -> salt and a -> com_a, for the pieces a that this party holds in the
    scheme of the epoch (numbered as the scheme does)."""

    recipient: str
    salts: Mapping[int, bytes] = field(repr=False)
    commitments: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class SharedOutput:
    """One output: a -> the words of summand a, little-endian; public shape, row-major."""

    name: str
    shape: tuple[int, ...]
    summands: Mapping[int, bytes] = field(repr=False)
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """What a job process hands up when its program has run.

    reveals   digest (32 bytes) of everything that was opened to all parties on the way
    excluded  (owner, argument, row) of rows outside of their declared range: not there, or replaced by the
              default row, as the job says
    outvoted  (path, this party and another one): what the other one sent was contradicted by two holders
    kept      what it answers if another party complains about the last rounds
    """

    outputs: tuple[SharedOutput, ...]
    reveals: bytes
    excluded: tuple[tuple[str, str, int], ...] = ()
    outvoted: tuple[tuple[str, frozenset[int]], ...] = ()
    kept: Kept = Kept()


Reveal = Callable[[str, bytes, Kept], Awaitable[bool]]
"""(name, digest of what was revealed so far, what is kept): the job process is about to show something to all
parties; may it? A slot decides. Another party may complain about the last rounds instead."""


class Arbiter(Protocol):
    """A reserved job process that is asked about a batch of triples."""

    async def expect(
        self, what: bytes, keys: Mapping[int, bytes], roster: Sequence[int], memory_bytes: int
    ) -> Expected:
        """What honest parties would have said in a batch of random numbers with these three keys.

        what          `Batch.what`; keys: piece -> the agreed key; roster: of the epoch
        memory_bytes  that the job may have; the process has no more than any other one either
        Raises        UsageError if `what` makes no sense, or that takes more memory; InternalError if the
                      process dies
        """
        ...

    async def release(self) -> None:
        """Give the process back, or kill it if it runs; may be called twice."""
        ...


class Worker(Arbiter, Protocol):
    """One reserved job process."""

    async def run(self, order: Order, reveal: Reveal) -> Product:
        """Run the program in one epoch. Cancelling the call kills the process.

        Raises  Stop if it cannot go on because of another party or a link; DataError, DeadlineError,
                UsageError as the process reports; InternalError if it dies
        """
        ...

    async def halt(self) -> None:
        """End the run where it is: `run` then raises Stop with nobody missing, but with all that is kept.

        The next barrier has begun without us; as backup of a message we may still have to answer for it.
        Returns at once or when `run` has its end; does nothing if the process is not running.
        """
        ...


class Workers(Protocol):
    """The pool of job processes."""

    async def reserve(self, job: bytes, wait_s: float) -> Worker | None:
        """Reserve a process and its memory; None if there is none within that time."""
        ...
