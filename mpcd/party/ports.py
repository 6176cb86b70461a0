"""What a job's life needs from the rest of the daemon; tests put their own in its place.

All calls have an end: they return, or raise `ChannelError` when the other side is silent or unreachable, or
`PeerError`/`RefusedError` when it answers with something that no honest party would say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
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
from mpcd.errors import PeerError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.document import InputEntry
from mpcd.jobs.specification import Specification
from mpcd.protocols.rounds import Words


class BadTag(PeerError):
    """An in-round tag did not verify in our job process; `blamed` are the message's sender and backup."""


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
    """One accepted input: what this party holds of it."""

    owner: str
    argument: str
    rows: int
    owner_key: bytes
    payloads: Mapping[int, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """What a job process gets of a job's life; its pool adds addresses, the leaf and pairwise keys.

    attempt  number of the START slot that reserved the process: part of the links' hello
    inputs   the accepted inputs in the order of the specification; with `missing: exclude` some entries
             of the specification are not among them
    """

    job: bytes
    session: bytes
    attempt: int
    me: int
    specification: Specification
    inputs: tuple[AgreedInput, ...]
    keys: Mapping[int, bytes] = field(repr=False)
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """One output for one recipient: a -> salt and a -> com_a, for the three a that this party holds."""

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
    excluded  (owner, argument, row) of rows outside of their declared range
    outvoted  (path, this party and another one): what the other one sent was contradicted by two holders
    """

    outputs: tuple[SharedOutput, ...]
    reveals: bytes
    excluded: tuple[tuple[str, str, int], ...] = ()
    outvoted: tuple[tuple[str, frozenset[int]], ...] = ()


Reveal = Callable[[str, bytes], Awaitable[bool]]
"""(name, digest of what was revealed so far): the job process is about to show something to all parties;
may it? A slot decides."""


class Worker(Protocol):
    """One reserved job process."""

    async def run(self, order: Order, reveal: Reveal) -> Product:
        """Run the program. Cancelling the call kills the process.

        Raises  PeerError, ChannelError, DataError as the process reports; InternalError if it dies
        """
        ...

    async def release(self) -> None:
        """Give the process back, or kill it if it runs; may be called twice."""
        ...


class Workers(Protocol):
    """The pool of job processes."""

    async def reserve(self, job: bytes, wait_s: float) -> Worker | None:
        """Reserve a process and its memory; None if there is none within that time."""
        ...
