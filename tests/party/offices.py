"""Offices of four parties, an owner and a reader in memory: real jobs, signatures, policies and data files.

A test plays the coordinator: it says who is shown what. Job lives begin but find no peers beyond that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from mpcd._pb.v1.peer_pb2 import ConsentNote, SlotMessage
from mpcd.apps.catalogue import CATALOGUE
from mpcd.clock import SystemClock
from mpcd.errors import ChannelError
from mpcd.identity.config import PartyConfig
from mpcd.identity.envelope import Envelope
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import State
from mpcd.party.case import Tools
from mpcd.party.matter import House
from mpcd.party.office import Office
from mpcd.party.pace import Pace
from mpcd.party.peers import PeerCalls
from mpcd.program.text import program_hash
from mpcd.storage.store import store_in
from tests.party.world import COMPUTING, EVERYBODY, OWNER, READER, InlineDatabase, Pool, identities, roster

PROGRAM = CATALOGUE["second-price"].definition.canonical
WAIT_S = 10.0
PACE = Pace(delta_s=0.2, stage_s=3.0, attempts=1)

_CONFIG = """
apiVersion: mpcd/v1
kind: Party
name: {name}
roster: roster.yaml
listen: {{control: "127.0.0.1:1", links: "127.0.0.1:2"}}
admin: admin.sock
store: party.db
data:
  bids: {{file: bids.csv, columns: {{bid: {{min: 0, max: 1000}}}}}}
policy:
  rules:
    - submitters: ['*']
      programs: [second-price]
      computing: ['*']
      recipients: ['*']
      datasets: [bids]
      approval: {approval}
timing: {{consent: 5s, delta: 50ms}}
"""


def job(name: str = "auction", **changes: Any) -> Specification:
    """A second-price auction with bids of acme, bolt and the owner; the reader and acme learn the result."""
    bidders = ("acme", "bolt", OWNER)
    results = [{"output": output, "to": ("acme", READER)} for output in ("winner", "price")]
    fields: dict[str, Any] = {
        "name": name,
        "computing": COMPUTING,
        "inputs": [{"party": b, "dataset": "bids", "argument": "bids", "rows": 1} for b in bidders],
        "results": results,
        "parameters": {"reserve": 1},
        "order": bidders,
        "program": PROGRAM.decode(),
        "program_hash": program_hash(PROGRAM).hex(),
        "roster_hash": roster().hash.hex(),
        "submitter": "acme",
        "created": int(datetime.now(UTC).timestamp() * 1000),
        "nonce": name.encode().hex().ljust(64, "0"),
        "deadline": 30.0,
    }
    terms = {**fields, **changes}
    terms["inputs"] = tuple(terms["inputs"])
    terms["results"] = tuple(terms["results"])
    return Specification(**terms)


def signed(specification: Specification, by: str = "acme") -> Envelope:
    return specification.envelope(identities()[by])


class Town:
    """All offices; `said` is what each told the coordinator."""

    def __init__(self, directory: Path, approval: str = "automatic") -> None:
        self.directory = directory
        self.offices: dict[str, Office] = {}
        self.said: dict[str, list[Envelope]] = {name: [] for name in EVERYBODY}
        self.news = asyncio.Event()
        self.begun: set[str] = set()
        for name in EVERYBODY:
            self._open(name, approval)

    def _open(self, name: str, approval: str) -> None:
        home = self.directory / name
        home.mkdir()
        (home / "bids.csv").write_text("bid\n7\n")
        (home / "party.yaml").write_text(_CONFIG.format(name=name, approval=approval))
        peers = SimpleNamespace(
            show_consents=self._showing(name), send_slot=self._breathing(name),
            announce_session=_nobody, fetch_output=_nobody,
        )  # fmt: skip
        tools = Tools(
            identity=identities()[name],
            roster=roster(),
            store=store_in(InlineDatabase(), bytes(32)),
            peers=cast(PeerCalls, peers),
            workers=Pool(),
            reader=cast(Any, None),
            clock=SystemClock(),
            pace=PACE,
        )
        self.offices[name] = Office(
            House(
                config=PartyConfig.load(home / "party.yaml"),
                tools=tools,
                peers=cast(PeerCalls, peers),
                catalogue={"second-price": program_hash(PROGRAM).hex()},
                dataset_key=name.encode().ljust(32),
                say=self._saying(name),
                changed=lambda j, state, detail: self._changed(name, j, state, detail),
            )
        )

    def _saying(self, name: str) -> Callable[[bytes, Envelope], None]:
        def say(_job: bytes, envelope: Envelope) -> None:
            self.said[name].append(envelope)
            self.news.set()

        return say

    def _showing(self, sender: str) -> Callable[[str, ConsentNote], Any]:
        async def show(to: str, note: ConsentNote) -> None:
            if to not in self.offices:
                raise ChannelError(f"{to} is gone")
            await self.offices[to].consents(sender, note)

        return show

    def _breathing(self, sender: str) -> Callable[[str, SlotMessage], None]:
        def send(to: str, message: SlotMessage) -> None:
            if to in self.offices and not message.slot:  # signs of life arrive, and nothing else
                self.offices[to].slot(sender, message)

        return send

    def _changed(self, name: str, job_hash: bytes, state: State, detail: str) -> None:
        if state is State.GATHERING:
            self.begun.add(name)
        self.offices[name].changed(job_hash, state, detail)
        self.news.set()

    async def propose(self, envelope: Envelope, to: tuple[str, ...] = EVERYBODY) -> None:
        for name in to:
            await self.offices[name].proposal(envelope)

    async def answers(self, names: tuple[str, ...] = EVERYBODY) -> dict[str, Envelope]:
        """The consents and refusals of these parties, as soon as all are there."""

        def found() -> dict[str, Envelope]:
            latest = {n: [e for e in self.said[n] if e.type == "mpcd.consent"] for n in names}
            return {n: some[-1] for n, some in latest.items() if some}

        await self.until(lambda: set(found()) == set(names))
        return found()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self.news.clear()
                await self.news.wait()

    async def state(self, name: str, job_hash: bytes) -> tuple[State, str]:
        row = await self.offices[name].house.tools.store.jobs.get(job_hash)
        return State(row.state), row.detail

    async def settle(self, name: str, job_hash: bytes, *states: State) -> str:
        """Wait until the job is in one of these states at a party; why it is."""
        async with asyncio.timeout(WAIT_S):
            with self.offices[name].watching(job_hash) as event:
                while (found := await self.state(name, job_hash))[0] not in states:
                    event.clear()
                    await event.wait()
        return found[1]

    async def close(self) -> None:
        for office in self.offices.values():
            await office.close()


async def _nobody(*_: Any) -> Any:
    raise ChannelError("nobody is there")
