"""Agreeing on the keys of a job: K[a] is known to the holders of piece a (in rep4: to all but party a).

Each member of T = the holders of a draws a contribution to K[a], commits to it in
front of everybody, and after all commitments are agreed sends it to the two other members of T. K[a] is the
exclusive or of the three contributions. At least two of them come from honest members who never send
theirs to party a, and none could be chosen after another was seen.

This file only makes and checks values: the daemon sends them (commitments through an agreement slot,
contributions over its peer service), and hands the keys to the job process.

Notation  me, b  party indices; a  index of a key; session  32 bytes, fresh for every run
Security  one malicious party of four. The committer's id is inside the commitment, so a commitment cannot
          be copied; every part is length-prefixed, so that it cannot be opened in two ways.
Source    Spec rep4 2.1
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mpcd.errors import PeerError, UsageError
from mpcd.protocols.scheme import REP4, Scheme
from mpcd.ring.digests import commit

PARTIES = REP4.parties
KEY_BYTES = 32
SALT_BYTES = 32

Entropy = Callable[[int], bytes]
"""n -> n fresh random bytes; `secrets.token_bytes` in production."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One member's part of one key, and the salt of its commitment."""

    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)


def holders(a: int, scheme: Scheme = REP4) -> frozenset[int]:
    """The parties that know key a (and, likewise, piece a of every sharing)."""
    return scheme.holders(a)


def contribute(me: int, entropy: Entropy, scheme: Scheme = REP4) -> dict[int, Contribution]:
    """Draw this party's contributions: a -> contribution, for the keys it may know."""
    return {a: Contribution(entropy(KEY_BYTES), entropy(SALT_BYTES)) for a in scheme.held(me)}


def commitments(session: bytes, me: int, own: Mapping[int, Contribution]) -> dict[int, bytes]:
    """What this party publishes before anybody sees a contribution: a -> 32 bytes."""
    return {a: _commitment(session, me, a, c) for a, c in own.items()}


def outbox(
    me: int, own: Mapping[int, Contribution], scheme: Scheme = REP4
) -> dict[int, dict[int, Contribution]]:
    """What this party sends once all commitments are agreed: peer -> a -> contribution.

    Peer a never gets a contribution to K[a].
    """
    peers = _peers(me, scheme)
    return {peer: {a: c for a, c in own.items() if peer in scheme.holders(a)} for peer in peers}


def shared_with(me: int, peer: int, scheme: Scheme = REP4) -> frozenset[int]:
    """The keys that both parties may know: exactly these must arrive from `peer`."""
    return frozenset(scheme.held(me)) & frozenset(scheme.held(peer))


def _peers(me: int, scheme: Scheme) -> list[int]:
    return [peer for peer in range(scheme.parties) if peer != me]


def check(
    session: bytes,
    me: int,
    committed: Mapping[int, Mapping[int, bytes]],
    received: Mapping[int, Mapping[int, Contribution]],
    scheme: Scheme = REP4,
) -> frozenset[int]:
    """Return the peers about whom this party has to complain.

    committed  member -> a -> commitment, the outcome of the slot
    received   peer -> a -> contribution, as it arrived; a silent peer is not in it
    """
    return frozenset(
        peer
        for peer in _peers(me, scheme)
        if not _opens_all(
            session, shared_with(me, peer, scheme), peer, committed.get(peer, {}), received.get(peer, {})
        )
    )


def combine(
    session: bytes,
    me: int,
    committed: Mapping[int, Mapping[int, bytes]],
    own: Mapping[int, Contribution],
    received: Mapping[int, Mapping[int, Contribution]],
    scheme: Scheme = REP4,
) -> dict[int, bytes]:
    """Return a -> K[a], 32 bytes each, for the keys that this party knows.

    Raises  PeerError naming {me, peer} if a contribution is missing or does not open its commitment;
            UsageError if `own` is not what `contribute` returned
    """
    if set(own) != set(scheme.held(me)):
        raise UsageError(f"party {me} contributes to the keys {scheme.held(me)}, not to {sorted(own)}")
    bad = check(session, me, committed, received, scheme)
    if bad:
        raise PeerError(
            f"the key contributions of {sorted(bad)} do not open their commitments",
            step="keys",
            blamed=bad | {me},
        )
    every = {**{peer: received[peer] for peer in _peers(me, scheme)}, me: own}
    return {a: _xor(*(every[b][a].key for b in sorted(scheme.holders(a)))) for a in scheme.held(me)}


def _opens_all(
    session: bytes,
    wanted: frozenset[int],
    peer: int,
    committed: Mapping[int, bytes],
    received: Mapping[int, Contribution],
) -> bool:
    return set(received) == wanted and all(
        opens(session, peer, a, committed.get(a, b""), received[a]) for a in wanted
    )


def opens(session: bytes, member: int, a: int, commitment: bytes, claimed: Contribution) -> bool:
    """Whether this is the contribution to which `member` has committed."""
    well_formed = len(claimed.key) == KEY_BYTES and len(claimed.salt) == SALT_BYTES
    return well_formed and hmac.compare_digest(_commitment(session, member, a, claimed), commitment)


def _commitment(session: bytes, member: int, a: int, contribution: Contribution) -> bytes:
    return commit("mpcd rep4 key", contribution.salt, session, bytes([member]), bytes([a]), contribution.key)


def _xor(*parts: bytes) -> bytes:
    total = 0
    for part in parts:
        total ^= int.from_bytes(part, "big")
    return total.to_bytes(KEY_BYTES, "big")
