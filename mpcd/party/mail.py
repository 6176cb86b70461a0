"""Mail of one job: what other parties send, checked as far as it can be at once, and put on the desk.

`sender` is authenticated by the transport. What a party may not send is refused; of two the first is kept.
"""

from __future__ import annotations

from mpcd._pb.v1.peer_pb2 import InputHeader, KeyContributions, ShareHeader
from mpcd.errors import RefusedError, UsageError
from mpcd.identity.envelope import Envelope
from mpcd.party.case import Case
from mpcd.party.desk import Tray
from mpcd.party.gathering import expected_inputs, readable
from mpcd.party.notes import SessionNotice
from mpcd.protocols.rep4.inputs import payload_bytes
from mpcd.storage.shares import InputKey
from mpcd.transport.wire import from_wire

BOX_OVERHEAD_BYTES = 1024
"""More than sealing and framing add to a payload."""
_ENTRIES_PER_INPUT = 2


def room_for(case: Case, sender: str) -> int:
    """Bytes of bulk that `sender` may send in one call: its largest input, or what it may forward."""
    owners = [sender] if sender not in case.computing else [owner for owner, _ in case.terms.rows]
    sizes = [_most(case, (owner, argument)) for owner, argument in case.terms.rows if owner in owners]
    return max(sizes, default=0)


def _most(case: Case, key: InputKey) -> int:
    rows, columns = case.terms.rows[key], case.terms.columns[key[1]]
    return sum(payload_bytes(a, rows, columns) + BOX_OVERHEAD_BYTES for a in range(len(case.computing)))


def take_keys(case: Case, sender: str, message: KeyContributions) -> None:
    """Key contributions of another computing party."""
    tray = _tray(case, sender, message.session)
    tray.keys.setdefault(sender, message)
    case.desk.ring()


def take_session(case: Case, sender: str, notice: Envelope) -> None:
    """A computing party's word on the session."""
    said = SessionNotice.read(notice, sender, case.tools.roster)
    if sender not in case.computing or (said.job, said.party) != (case.job.hex(), sender):
        raise RefusedError("a session is announced by a computing party, for its own job")
    case.desk.sessions.setdefault(sender, (bytes.fromhex(said.session), said.attempt))
    case.desk.ring()


def take_input(case: Case, sender: str, header: InputHeader, data: bytes) -> None:
    """An owner's signed entry and the boxes for us."""
    entry = from_wire(header.entry).to_bytes()
    note = readable(case, header.session, entry)
    if note is None or note.owner != sender or note.argument != header.input or case.me is None:
        raise RefusedError("an input is delivered by its owner, signed, as it was consented to")
    summands = [box.summand for box in header.boxes]
    held = case.scheme.held(case.me)
    if len(summands) > len(held) or not set(summands) <= set(held):
        raise RefusedError("an owner sends one box for each summand that this party holds")
    tray = _open_tray(case, sender, header.session)
    same = [known for known, key in tray.entries.items() if key == note.key and known != entry]
    if len(same) >= _ENTRIES_PER_INPUT:
        raise RefusedError("an owner has signed more than two entries for one input")
    tray.boxes.setdefault(entry, _boxes(header, data))
    tray.entries[entry] = note.key
    case.desk.ring()


def _boxes(header: InputHeader, data: bytes) -> dict[int, bytes]:
    boxes: dict[int, bytes] = {}
    at = 0
    for box in header.boxes:
        boxes[box.summand] = data[at : at + box.size_bytes]
        at += box.size_bytes
    if at != len(data):
        raise UsageError("the boxes of an input have other lengths than announced")
    return boxes


def take_share(case: Case, sender: str, header: ShareHeader, data: bytes) -> None:
    """A summand that another holder passes on; whether it opens the commitment is seen when it is needed."""
    tray = _tray(case, sender, header.session)
    key = (header.owner, header.input)
    if key not in expected_inputs(case) or case.me is None or header.summand not in case.scheme.held(case.me):
        raise RefusedError("a summand was passed on that this party must not have")
    tray.shares.setdefault((key, header.summand), {}).setdefault(sender, (data, header.salt))
    case.desk.ring()


def _tray(case: Case, sender: str, session: bytes) -> Tray:
    if sender not in case.others:
        raise RefusedError(f"{sender} is not another computing party of this job")
    return _open_tray(case, sender, session)


def _open_tray(case: Case, sender: str, session: bytes) -> Tray:
    tray = case.desk.tray(session, sender)
    if tray is None:
        raise RefusedError("mail of one sender for too many sessions of one job")
    return tray
