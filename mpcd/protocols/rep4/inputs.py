"""How an owner of data shares it among the parties, and how the parties agree that they have it.

Members and outsiders take the same path. The owner splits its columns into the pieces of the job's scheme,
in rep4 x = x[0]+x[1]+x[2]+x[3], in rep3 x = x[0]+x[1]+x[2]: seeds, and one correction. It commits to each
piece, and the parties agree on the commitments before anybody opens a share; then the holders of x[a] check
what they were sent, tell each other what they have (`agreement.outcomes.holdings`), and pass on what another
misses.

Notation  payload a  what stands for x[a]: a 32-byte seed, for the last piece the words of all columns,
                     column after column, little-endian
          columns    words of shape (columns, rows); validity bits are columns like any other
Ring      Z/2^64 in uint64
Security  one malicious party and any number of malicious owners. Commitments carry the owner's
          key, so nobody can submit another's input as its own; seed, salt and length are fixed by the
          agreed shape, so that no commitment opens in two ways.
Source    Spec rep4 7.1, 7.2, 7.3, 7.4
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.rep4.keys import SALT_BYTES
from mpcd.protocols.rep4.sharing import Rep4, held
from mpcd.protocols.rounds import Words
from mpcd.protocols.scheme import REP4, Scheme
from mpcd.ring.digests import commit
from mpcd.ring.streams import expand_seed

SEED_BYTES = 32

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Context:
    """What an input is bound to: this run, this owner, this place in the program."""

    session: bytes
    owner_key: bytes
    name: str

    def parts(self) -> tuple[bytes, bytes, bytes]:
        """As they are hashed; the hash prefixes each with its length."""
        return self.session, self.owner_key, self.name.encode()


@dataclass(frozen=True, slots=True)
class InputShares:
    """What the owner makes of its columns; payloads and salts are secret, commitments are published."""

    rows: int
    payloads: tuple[bytes, ...] = field(repr=False)
    salts: tuple[bytes, ...] = field(repr=False)
    commitments: tuple[bytes, ...]
    scheme: Scheme = REP4

    def shares_for(self, holder: int) -> dict[int, tuple[bytes, bytes]]:
        """What to seal for one party: a -> (payload, salt) for the pieces a it holds."""
        return {a: (self.payloads[a], self.salts[a]) for a in self.scheme.held(holder)}


def correction(scheme: Scheme) -> int:
    """The piece that is sent in full; the others are seeds."""
    return scheme.parties - 1


def payload_bytes(a: int, rows: int, columns: int, scheme: Scheme = REP4) -> int:
    """The only length that payload a may have."""
    return 8 * rows * columns if a == correction(scheme) else SEED_BYTES


def split(columns: Words, context: Context, entropy: Entropy, scheme: Scheme = REP4) -> InputShares:
    """Share the columns: random seeds, and what they lack as the last piece.

    Shapes  columns: (columns, rows)
    Raises  UsageError if the array has another dimension or type
    """
    if columns.ndim != 2 or columns.dtype != np.uint64:
        raise UsageError(f"an input is an array (columns, rows) of words, not {columns.dtype}{columns.shape}")
    seeds = tuple(entropy(SEED_BYTES) for _ in range(correction(scheme)))
    last = columns.copy()
    for a, seed in enumerate(seeds):
        last -= _expand(seed, a, columns.shape, context)
    payloads = (*seeds, last.astype("<u8").tobytes())
    salts = tuple(entropy(SALT_BYTES) for _ in payloads)
    rows = columns.shape[1]
    agreed = tuple(_commitment(context, a, rows, payloads[a], salts[a]) for a in range(scheme.parties))
    return InputShares(rows, payloads, salts, agreed, scheme)


def opens(
    commitment: bytes,
    context: Context,
    a: int,
    rows: int,
    columns: int,
    payload: bytes,
    salt: bytes,
    scheme: Scheme = REP4,
) -> bool:
    """Is this the committed piece, in the one format that the agreed shape allows?"""
    well_formed = len(payload) == payload_bytes(a, rows, columns, scheme) and len(salt) == SALT_BYTES
    return well_formed and hmac.compare_digest(_commitment(context, a, rows, payload, salt), commitment)


def expand(me: int, payloads: Mapping[int, bytes], rows: int, columns: int, context: Context) -> Rep4:
    """Turn the three verified payloads of a holder into its part of a sharing of rep4.

    Shapes  -> (columns, rows)
    Raises  as `expand_pieces`
    """
    return Rep4(expand_pieces(REP4, me, held(me), payloads, rows, columns, context))


def expand_pieces(
    scheme: Scheme,
    place: int,
    slots: Sequence[int],
    payloads: Mapping[int, bytes],
    rows: int,
    columns: int,
    context: Context,
) -> Words:
    """Turn the verified payloads of a holder into the pieces that it holds, in the order of `slots`.

    Shapes  -> (pieces, columns, rows)
    Raises  UsageError if payloads are missing or of a wrong length (`opens` was not asked)
    """
    if set(payloads) != set(scheme.held(place)):
        raise UsageError(f"party {place} holds the pieces {scheme.held(place)}, not {sorted(payloads)}")
    data = np.empty((len(slots), columns, rows), np.uint64)
    for k, a in enumerate(slots):
        data[k] = _piece(scheme, a, payloads[a], (columns, rows), context)
    return data


def _piece(scheme: Scheme, a: int, payload: bytes, shape: tuple[int, int], context: Context) -> Words:
    columns, rows = shape
    if len(payload) != payload_bytes(a, rows, columns, scheme):
        raise UsageError(f"piece {a} of input {context.name!r} has {len(payload)} bytes", where="inputs")
    if a == correction(scheme):
        return np.frombuffer(payload, "<u8").astype(np.uint64).reshape(shape)
    return _expand(payload, a, shape, context)


def _expand(seed: bytes, a: int, shape: tuple[int, ...], context: Context) -> Words:
    """The words of one seed; its stream belongs to this context and summand alone."""
    words = int(np.prod(shape, dtype=np.int64))
    return expand_seed(seed, (b"mpcd input", *context.parts(), bytes([a])), words).reshape(shape)


def _commitment(context: Context, a: int, rows: int, payload: bytes, salt: bytes) -> bytes:
    return commit("mpcd in", salt, *context.parts(), bytes([a]), rows.to_bytes(8, "big"), payload)
