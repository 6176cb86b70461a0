"""Opening: a receiver gets the one summand that it lacks from the three parties that hold it.

Party i lacks x[i]. Parties i-1 and i+1 send it, party i+2 sends its SHA-256. With at most one cheater two of
the three agree on the truth: equal values are right, and if the values differ then one of their senders
is the cheater, so the digest is honest and picks the right one. One holder may be silent instead of lying:
then the other two are honest and agree.

Why two values and not one: with one value and two digests a receiver that gets a wrong value has to ask
again, in a round that the others do not know of. As all parties must take the same rounds, that round would
have to be taken always. In a single round at least 1.5 values must come in (any two holders must
suffice); a code with 1.5 needs three times the hashing and is slower unless the network is slow.

Notation  holders of x[i]: near = i-1 and far = i+1 send the value, third = i+2 the digest
Security  malicious, one corrupted or silent party of four; the result is right or there is none. The
          digests are not keyed: they go to a party that is entitled to the value
Rule      the caller sees to it that nothing unmasked is opened before all parties have agreed that all
          checks so far passed
Sources   Spec rep4 6;
          [FF] Dalskov, Escudero, Keller: Fantastic Four, USENIX Security 2021, opening. Departure: robust in
          one round
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mpcd.errors import ChannelError, PeerError
from mpcd.protocols.rep4.party import PARTIES, Party4
from mpcd.protocols.rep4.sharing import ALL, Bits4, Rep4, slot
from mpcd.protocols.rounds import Inbox, Round, Rounds, Spec, Words
from mpcd.ring.bits import tail_mask, unpack
from mpcd.ring.digests import DIGEST_BYTES, digest

_VALUE, _DIGEST = "value", "digest"
_DIGEST_SHAPE = (DIGEST_BYTES // 8,)


def open_to(p: Party4, x: Rep4, to: frozenset[int] = ALL) -> Rounds[npt.NDArray[np.int64] | None]:
    """Show x to some parties; None at the others.

    Shapes     (*s) -> (*s), signed
    Cost       1 round; 16 bytes per element and receiver, and 32 bytes per receiver
    Malicious  one wrong or missing message changes nothing; a wrong one is noted (`Party4.notices`)
    Raises     ChannelError if fewer than two holders answered;
               PeerError if the holders' answers cannot be explained by one cheater
    Source     [FF] opening
    """
    flat = np.ascontiguousarray(x.data).reshape(3, -1)
    lacking = yield from _fetch(p, flat, to)
    if lacking is None:
        return None
    total: Words = flat[0] + flat[1]
    total += flat[2]
    total += lacking
    return total.view(np.int64).reshape(x.shape)


def open_bits_to(p: Party4, x: Bits4, to: frozenset[int] = ALL) -> Rounds[npt.NDArray[np.bool_] | None]:
    """Show a plane of bits to some parties; None at the others. Bits behind the last flag stay hidden.

    Shapes     planes of (*s) -> (*s), or (planes, *s) if there are several
    Cost       1 round; 2 bits per flag and receiver, and 32 bytes per receiver
    Malicious  as `open_to`
    Raises     as `open_to`
    Source     [FF] opening
    """
    masked = (x.data & tail_mask(x.size)).reshape(3, -1)
    lacking = yield from _fetch(p, masked, to)
    if lacking is None:
        return None
    planes = (masked[0] ^ masked[1] ^ masked[2] ^ lacking).reshape(x.planes, -1)
    if x.planes == 1:
        return unpack(planes[0], x.size).reshape(x.shape)
    return np.stack([unpack(plane, x.size).reshape(x.shape) for plane in planes])


def _fetch(p: Party4, held: Words, to: frozenset[int]) -> Rounds[Words | None]:
    """Send what the receivers lack; return what this party lacks if it is one of them. (3, n) -> (n,)."""
    send: dict[tuple[int, str], Words] = {}
    for receiver in sorted(to - {p.me}):
        summand = held[slot(p.me, receiver)]
        if p.me == (receiver + 2) % PARTIES:
            send[receiver, _DIGEST] = _digest_of(summand)
        else:
            send[receiver, _VALUE] = summand
    near, far, third = _holders(p.me)
    recv: dict[tuple[int, str], Spec] = {}
    if p.me in to:
        value = Spec(held.shape[1:])
        recv = {(near, _VALUE): value, (far, _VALUE): value, (third, _DIGEST): Spec(_DIGEST_SHAPE)}
    path = f"{p.path}/open"
    inbox = yield Round(path, send, recv=recv, absent=ALL - {p.me})
    return _decide(p, path, inbox) if p.me in to else None


def _decide(p: Party4, path: str, inbox: Inbox) -> Words:
    """The value on which two of the three holders agree."""
    near, far, third = holders = _holders(p.me)
    labels = {near: _VALUE, far: _VALUE, third: _DIGEST}
    answers = {h: np.asarray(inbox[h, labels[h]]) for h in holders if (h, labels[h]) in inbox}
    if len(answers) < 2:
        silent = frozenset(holders) - answers.keys()
        raise ChannelError("too few parties answered to open a value", unreachable=silent, where=path)
    if near in answers and far in answers:
        if np.array_equal(answers[near], answers[far]):
            if third in answers and not np.array_equal(_digest_of(answers[near]), answers[third]):
                p.notice(path, third)
            return answers[near]
        if third not in answers:
            raise _undecided(path, frozenset({near, far}))
    for holder, other in ((near, far), (far, near)):
        if holder in answers and np.array_equal(_digest_of(answers[holder]), answers[third]):
            if other in answers:
                p.notice(path, other)
            return answers[holder]
    raise _undecided(path, frozenset(answers))


def _undecided(path: str, blamed: frozenset[int]) -> PeerError:
    return PeerError("the holders of a summand disagree about it", step=path, blamed=blamed)


def _holders(me: int) -> tuple[int, int, int]:
    """The parties that send the lacking summand to `me`: near and far the value, third its digest."""
    return (me - 1) % PARTIES, (me + 1) % PARTIES, (me + 2) % PARTIES


def _digest_of(summand: Words) -> Words:
    raw = digest("mpcd opening", np.ascontiguousarray(summand).data.cast("B"))
    return np.frombuffer(raw, "<u8")
