"""Opening: a receiver gets the one piece that it lacks from one of its holders; the other vouches for it.

Party i lacks x[i - 1]. Party i - 1 sends it, party i + 1 holds it as well and sends a tag over it in the
same round. At most one of the two lies, so a value with a fitting tag is right. The tag is verified before
the step is resumed (`mpcd.runtime.frames`): nothing that depends on an opened value is ever sent unverified.
That is needed here as much as in rep4, since what is opened usually enters a further local product.

Security  malicious, one corrupted party of three; the result is right or there is none: one cheater or one
          silent holder ends the run. For all parties the tags also protect against the network
Rule      the caller sees to it that nothing unmasked is opened before all parties have agreed that all
          checks so far passed
Sources   Spec rep3 4; [AFLN] Araki et al., CCS 2016. Departure: a tag in the same round, where malicious
          variants compare at the end
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import ALL, Bits3, Rep3
from mpcd.protocols.rounds import Round, Rounds, Spec, Words, backed
from mpcd.ring.bits import tail_mask, unpack

_VALUE = "value"


def open_to(p: Party3, x: Rep3, to: frozenset[int] = ALL) -> Rounds[npt.NDArray[np.int64] | None]:
    """Show x to some parties; None at the others.

    Shapes     (*s) -> (*s), signed
    Cost       1 round; 8 bytes per element and receiver, and one tag of 16 bytes
    Malicious  a wrong value or tag ends the run: one of the two holders of the piece lied
    Source     [AFLN] opening
    """
    flat = np.ascontiguousarray(x.data).reshape(2, -1)
    lacking = yield from fetch(p, flat, to)
    if lacking is None:
        return None
    total: Words = flat[0] + flat[1]
    total += lacking
    return total.view(np.int64).reshape(x.shape)


def open_bits_to(p: Party3, x: Bits3, to: frozenset[int] = ALL) -> Rounds[npt.NDArray[np.bool_] | None]:
    """Show planes of bits to some parties; None at the others. Bits behind the last flag stay hidden.

    Shapes     planes of (*s) -> (*s), or (planes, *s) if there are several
    Cost       1 round; 1 bit per flag and receiver, and one tag
    Malicious  as `open_to`
    Source     [AFLN] opening
    """
    masked = (x.data & tail_mask(x.size)).reshape(2, -1)
    lacking = yield from fetch(p, masked, to)
    if lacking is None:
        return None
    planes = (masked[0] ^ masked[1] ^ lacking).reshape(x.planes, -1)
    if x.planes == 1:
        return unpack(planes[0], x.size).reshape(x.shape)
    return np.stack([unpack(plane, x.size).reshape(x.shape) for plane in planes])


def fetch(p: Party3, held: Words, to: frozenset[int] = ALL) -> Rounds[Words | None]:
    """Send and vouch for what the receivers lack; return the piece that this party lacks, if it is one.

    For words of any ring: what is opened is the sum, or the exclusive or, of `held` and the result.

    Shapes     (2, n) -> (n,)
    Cost       1 round; 8 bytes per word and receiver, sent by the party before the receiver; one tag
    Malicious  as `open_to`
    """
    send, vouch = {}, {}
    if p.after in to:
        # The party after this one lacks the piece with this one's number.
        send[p.after, backed(_VALUE, p.before)] = np.ascontiguousarray(held[0])
    if p.before in to:
        # The party before lacks the piece after this one's; the party after this one sends it.
        vouch[p.after, p.before, backed(_VALUE, p.me)] = np.ascontiguousarray(held[1])
    wanted = p.before, backed(_VALUE, p.after)
    recv, vouched = ({wanted: Spec(held.shape[1:])}, {wanted: p.after}) if p.me in to else ({}, {})
    inbox = yield Round(f"{p.path}/open", send, vouch, recv, vouched)
    return np.asarray(inbox[wanted]) if p.me in to else None
