"""A public coin: 256 random bits that nobody knew before, opened and hashed.

Each piece is drawn by its two holders, so no party has a choice. Two rules make it fit for a challenge: a
party takes part only when it has received all that is to be challenged; and the coin is longer than a tag by
128 bits. For a cheater that gives its frame to one party and keeps that to the other one back gets the tag
over its last piece, and may then still choose what it sends. It knows the key, and a tag is a linear function
of what it covers: 128 bits of a coin are known from it. Those that are left cannot be found by trying. Used
is the hash of all.

Source  Spec rep3 5
"""

from __future__ import annotations

import numpy as np

from mpcd.protocols.rep3.opening import fetch
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rounds import Rounds
from mpcd.ring.digests import digest
from mpcd.ring.streams import Words, expand_seed

COIN_WORDS = 4


def flip(p: Party3) -> Rounds[bytes]:
    """32 bytes that all three parties know.

    Cost       1 round; 32 bytes per party, and one tag
    Malicious  as an opening
    Source     Spec rep3 5
    """
    held = np.stack([stream.draw(COIN_WORDS) for stream in p.open_streams()])
    lacking = yield from fetch(p, held)
    assert lacking is not None, "everybody sees a coin"
    return digest("mpcd rep3 coin", (held[0] ^ held[1] ^ lacking).data.cast("B"))


def expand(coin: bytes, words: int) -> Words:
    """As many random words as wanted of a coin."""
    return expand_seed(coin, (b"mpcd rep3 challenge",), words)
