"""Verified triples of bits, 64 to a word: random a and b, and c = a & b, shared; no wrong one is ever used.

`buckets` says how many are made: all of them by products without checks, from random words that cost nothing.
Then, when all messages have arrived, a public coin orders them. The last ones are shown. The others fall into
buckets; in each the first triple (a, b, c) is compared with every other one (f, g, h): rho = a ^ f and
sigma = b ^ g are shown, and

    c ^ h ^ (sigma & f) ^ (rho & g) ^ (sigma & rho) = 0

holds if both are right, and fails if just one is. The first triples are the result; the others are gone.

All that is shown is triples that nobody uses, and the difference of a used one to such a one.

Notation  N buckets of B triples, C more are shown; T = N * B + C; element j * N + k of the ordered batch is
          the j-th triple of bucket k
Security  malicious, one corrupted party of three: a wrong triple comes out with probability below 2^-40, and
          the three parties can find out who made it (`batch`)
Sources   Spec rep3 6.4; [FLNW] Furukawa, Lindell, Nof, Weinstein, EUROCRYPT 2017, triples by buckets;
          [ABF] Araki et al., IEEE S&P 2017. Departures: one uniform order of the whole batch, not of blocks
          and in blocks, which leaves neighbours together; a shown triple is checked with the comparisons
"""

from __future__ import annotations

import numpy as np

from mpcd.errors import InternalError, UsageError
from mpcd.protocols.rep3 import product
from mpcd.protocols.rep3.batch import Batch, Recipe, zero_hash
from mpcd.protocols.rep3.buckets import Buckets, choose
from mpcd.protocols.rep3.coin import flip
from mpcd.protocols.rep3.opening import fetch
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Bits3, held, slot
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring.kernels_shuffle import permutation
from mpcd.ring.streams import Stream, Streams, derive

WORDS = "words"


class WordTriples:
    """Verified triples of one party, each used once: (2, n) words each."""

    __slots__ = ("_a", "_b", "_c", "_next")

    def __init__(self, a: Words, b: Words, c: Words) -> None:
        self._a, self._b, self._c = a, b, c
        self._next = 0

    def __repr__(self) -> str:
        return f"WordTriples(left={self.left})"

    @property
    def left(self) -> int:
        return int(self._a.shape[1]) - self._next

    def take(self, words: int) -> tuple[Words, Words, Words]:
        """The next triples; they are gone then.

        Raises  InternalError if there are not enough
        """
        if not 0 <= words <= self.left:
            raise InternalError(f"{words} word triples are wanted, {self.left} are left")
        part = slice(self._next, self._next + words)
        self._next += words
        return self._a[:, part], self._b[:, part], self._c[:, part]


def word_triples(p: Party3, words: int) -> Rounds[WordTriples]:
    """Make at least so many verified triples of words, in a batch at this path.

    Cost       5 rounds; per party `choose(words).words` words, four words for the coin, 64 bytes of hashes
    Malicious  a wrong product message stays unnoticed with probability below 2^-40
    Raises     BatchFault if the check fails
    Source     [FLNW], with the parameters of `buckets`
    """
    buckets = choose(max(words, 1))
    return make(p, Recipe(WORDS, (buckets.size, buckets.depth, buckets.opened)))


def make(p: Party3, recipe: Recipe) -> Rounds[WordTriples]:
    """The triples of a recipe (WORDS; buckets, their depth, triples shown), made and checked.

    Cost       5 rounds; as `word_triples`
    Malicious  a wrong product message stays unnoticed with probability `buckets.success`: the caller chooses
    Raises     BatchFault if the check fails; UsageError if there is no such recipe
    """
    b = _buckets(recipe)
    batch = Batch(p, recipe)
    x, y = _random(batch.party.at("random"), b.total)
    z = yield from product.conj(batch.party.at("products"), x, y)
    batch.multiplied(z.data[0, 0], z.data[1, 0])
    # Only now: the order must not be known while anybody can still choose what it sends as a product.
    coin = yield from flip(batch.party.at("coin"))
    made = [x, y, z]
    del x, y, z
    order = permutation(_order_stream(coin), b.total)
    # Large batches: as soon as a vector is put in order, it is not needed any more as it was.
    ordered = [np.take(made.pop(0).data[:, 0], order, axis=1) for _ in range(3)]
    zero = yield from _compare(batch.party, b, *ordered)
    yield from batch.settle(zero_hash(p.me, zero[0], zero[1], zero[0] ^ zero[1]))
    return WordTriples(*(np.ascontiguousarray(part[:, : b.size]) for part in ordered))


def _buckets(recipe: Recipe) -> Buckets:
    if recipe.kind != WORDS or len(recipe.sizes) != 3 or min(recipe.sizes) < 1:
        raise UsageError(f"there is no batch {recipe}")
    return Buckets(*recipe.sizes)


def _random(p: Party3, words: int) -> tuple[Bits3, Bits3]:
    """Two vectors of random words: each piece is drawn by its holders, nothing is sent."""
    first, second = p.open_streams()
    x, y = (np.stack([first.draw(words), second.draw(words)])[:, np.newaxis] for _ in range(2))
    return Bits3(x, (64 * words,)), Bits3(y, (64 * words,))


def _order_stream(coin: bytes) -> Stream:
    return Streams({0: derive(coin, b"order of word triples")}).open(0, "order")


def _compare(p: Party3, b: Buckets, x: Words, y: Words, z: Words) -> Rounds[Words]:
    """Show what is shown, and return what must be zero, as a sharing.

    Shapes  three times (2, T) -> (2, N * (B - 1) + C)
    Cost    1 round; `b.shown` words per party
    """
    (a, f, x_shown), (c, h, z_shown) = _split(b, x), _split(b, z)
    first, g, y_shown = _split(b, y)
    hidden = np.empty((2, b.shown), np.uint64)
    differences = hidden[:, : 2 * b.compared].reshape(2, 2, b.depth - 1, b.size)
    np.bitwise_xor(a, f, out=differences[:, 0])
    np.bitwise_xor(first, g, out=differences[:, 1])
    np.concatenate([x_shown, y_shown], axis=1, out=hidden[:, 2 * b.compared :])
    public = yield from show(p.at("show"), hidden)
    rho, sigma = public[: 2 * b.compared].reshape(2, b.depth - 1, b.size)
    zero = np.empty((2, b.compared + b.opened), np.uint64)
    compared = zero[:, : b.compared].reshape(h.shape)
    np.bitwise_xor(c, h, out=compared)
    compared ^= sigma & f
    compared ^= rho & g
    zero[:, b.compared :] = z_shown
    if 0 in held(p.me):
        piece = zero[slot(p.me, 0)]
        piece[: b.compared] ^= (sigma & rho).reshape(-1)
        piece[b.compared :] ^= np.bitwise_and(*public[2 * b.compared :].reshape(2, b.opened))
    return zero


def _split(b: Buckets, x: Words) -> tuple[Words, Words, Words]:
    """The first triples of the buckets (2, 1, N), the others (2, B - 1, N), and those to be shown (2, C)."""
    first, others, shown = np.split(x, [b.size, b.size * b.depth], axis=1)
    return first[:, np.newaxis], others.reshape(2, b.depth - 1, b.size), shown


def show(p: Party3, hidden: Words) -> Rounds[Words]:
    """Show masked or random words to all three. (2, n) -> (n,); 1 round, n words and one tag per party."""
    lacking = yield from fetch(p, hidden)
    if lacking is None:
        raise InternalError("what is shown to all was not received", where=p.path)
    public: Words = hidden[0] ^ hidden[1]
    public ^= lacking
    return public
