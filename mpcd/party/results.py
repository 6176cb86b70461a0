"""What the operator gets of a job's outputs: the values, and whose row it is where an output names a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.identity.envelope import Envelope
from mpcd.jobs.receipt import Receipt
from mpcd.jobs.rows import origin_of
from mpcd.jobs.specification import argument_of
from mpcd.program.check import Checked
from mpcd.program.rows import row_outputs
from mpcd.transport.grpc_guard import CHUNK_BYTES


def chunks(checked: Checked, values: Mapping[str, bytes], receipt: bytes | None) -> Iterator[pb.ResultChunk]:
    """The outputs in parts; the first part of an output that is a number of a row says whose.

    receipt  as it is kept, None if there is none
    """
    outputs = checked.outputs
    known = None if receipt is None else Receipt.from_bytes(Envelope.from_bytes(receipt).payload)
    for name, data in sorted(values.items()):
        origin = None if known is None else _origin(checked, name, data, known)
        shape = _shape(outputs[name].shape, len(data) // 8)
        for at in range(0, max(len(data), 1), CHUNK_BYTES):
            part = data[at : at + CHUNK_BYTES]
            yield pb.ResultChunk(
                output=name,
                type=outputs[name].kind,
                shape=shape,
                values=part,
                origin=origin if at == 0 else None,
            )


def _origin(checked: Checked, output: str, data: bytes, receipt: Receipt) -> pb.RowOrigin | None:
    """Whose row a single number names; None if the output is something else or the receipt does not say."""
    dim = row_outputs(checked).get(output)
    tables = {argument_of(name) for name, t in checked.inputs.items() if t.shape[:1] == (dim,)}
    if dim is None or len(tables) != 1 or len(data) != 8:
        return None
    found = origin_of(int.from_bytes(data, "little", signed=True), tables.pop(), receipt)
    if found is None:
        return None
    return pb.RowOrigin(row=found.row, owner=found.owner, owner_row=found.owner_row)


def _shape(declared: tuple[object, ...], words: int) -> tuple[int, ...]:
    """The shape of an output; a dimension by name is as long as there are words for it."""
    known = 1
    for length in declared:
        known *= length if isinstance(length, int) else 1
    return tuple(length if isinstance(length, int) else words // known for length in declared)
