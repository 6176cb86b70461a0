"""What a job process computes in one epoch, as steps between which its daemon is asked, or told.

1  check    every input against its declared range
2  show     which rows are in range; only when the daemons have agreed on it (`question`)
3  compute  the program, on the rows that are
4  result   shares of the outputs, with salts and commitments for every recipient

The steps state rounds and do not care who carries them: links (`worker`) or a simulated network.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.program.text import parse
from mpcd.protocols.engine import Flags
from mpcd.protocols.rep3.batch import Record as BatchRecord
from mpcd.protocols.rep3.engine import Rep3Engine
from mpcd.protocols.rep4 import outputs
from mpcd.protocols.rounds import Rounds
from mpcd.runtime import arguments as args
from mpcd.runtime.epochs import Epoch
from mpcd.runtime.interpreter import run

QUESTION = "ranges"
"""The name of what is shown in step 2."""


class Computation:
    """One epoch of a job at one party. The steps are taken in their order.

    engine  what is computed with, and what it noticed on the way
    """

    def __init__(self, order: pb.Order, epoch: Epoch) -> None:
        """Raises  UsageError if tables or columns of the inputs are not those of the program"""
        self._order = order
        self._epoch = epoch
        self._checked = parse(order.program)
        self.engine = epoch.engine()
        self._given = args.assemble(self._checked, order, epoch, self.engine)

    def check(self) -> Rounds[dict[str, Any]]:
        """Program input -> shared bits, true where a row is in its range."""
        return args.find_failing(self._checked, self.engine, self._given)

    def question(self) -> bytes:
        """The digest of what `show` is going to show."""
        return args.reveal_digest(self._order, self._given)

    def show(self, bits: dict[str, Any]) -> Rounds[dict[str, Flags]]:
        """Open the bits to all parties."""
        return args.open_failing(self.engine, bits)

    def compute(self, opened: dict[str, Flags]) -> Rounds[dict[str, Any]]:
        """Output -> its sharing.

        Raises  RangeFault if rows are out of range and the job says not to go on; UsageError if lengths
                contradict each other
        """
        self._given = args.leave_out(self._given, opened, self._order.missing, self.engine)
        dims, parameters = args.public_facts(self._checked, self._order, self._given)
        return run(self._checked, self.engine.at("program"), self._given.columns, dims, parameters)

    def result(self, shares: dict[str, Any]) -> pb.Result:
        """What the daemon is given, but for counters and what is kept."""
        order = self._order
        return pb.Result(
            outputs=[_share(self._epoch, order, output, shares[output.name]) for output in order.outputs],
            excluded=[row(table, origin) for table, origin in self._given.excluded],
            reveals=self._given.reveals,
            notices=self._notices(),
        )

    def _notices(self) -> list[pb.Pair]:
        """Openings that were outvoted: in rep3, with two holders of a piece, there is no majority."""
        notices = () if isinstance(self.engine, Rep3Engine) else self.engine.party.notices
        return [pb.Pair(path=notice.path, parties=sorted(notice.pair)) for notice in notices]

    def unsettled(self) -> Iterable[BatchRecord]:
        """Batches of random numbers about which there may be a dispute."""
        return self.engine.unsettled() if isinstance(self.engine, Rep3Engine) else ()


def _share(epoch: Epoch, order: pb.Order, output: pb.Output, x: Any) -> pb.OutputShare:
    """This party's pieces of an output, and what each recipient needs to check them."""
    pieces, keys = epoch.pieces(x), epoch.output_keys()
    share = pb.OutputShare(name=output.name, words=next(iter(pieces.values())).size, shape=x.shape)
    for a, piece in pieces.items():
        share.summands[a] = piece.tobytes()
    for name in output.recipients:
        recipient = share.recipients.add(name=name)
        place = outputs.Place(order.session, output.name, name)
        for a, piece in pieces.items():
            opening = outputs.opening(place, a, keys[a], piece)
            recipient.salts[a] = opening.salt
            recipient.commitments[a] = outputs.commitment(place, a, opening)
    return share


def row(table: str, origin: args.Origin) -> pb.Row:
    """A row that was left out."""
    return pb.Row(owner=origin.owner, table=table, row=origin.row)
