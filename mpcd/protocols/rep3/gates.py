"""The gates of rep3, for circuits: an AND is a product of packed bits, made safe by a verified triple.

To multiply x and y with a triple (a, b, c) the parties show x ^ a and y ^ b, which are random, and compute

    x & y = c ^ ((x ^ a) & b) ^ ((y ^ b) & a) ^ ((x ^ a) & (y ^ b))

without another message. What is shown has a tag in the same round (`opening`): a cheater that changed it is
found before anything that depends on it is sent. Parties without roots check nothing and use `product.conj`.

All triples of an operation come from one batch, made at its start: so an operation with several levels of
gates waits for the preparation once.

Security  malicious, one corrupted party of three; passive without roots
Sources   Spec rep3 8.3; [Bea] Beaver, Efficient multiparty protocols using circuit randomization, CRYPTO 1991
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.circuits.gates import Planes
from mpcd.protocols.rep3 import product, sharing
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Bits3, held, slot
from mpcd.protocols.rep3.words import WordTriples, show, word_triples
from mpcd.protocols.rounds import Rounds


def conj(p: Party3, x: Bits3, y: Bits3) -> Rounds[Bits3]:
    """Logical AND of packed bits, plane by plane, as an operation of its own.

    Shapes     x, y: the same planes and shape -> the same
    Cost       6 rounds: 5 for the triples, then 2 words per word and party; passive 1 round, 1 word
    Malicious  a lie is found in the round in which it is told, or in the check of the triples
    Raises     UsageError if the shapes or planes differ; BatchFault as `word_triples`
    Source     [Bea]
    """
    _require_same(x, y)
    c = yield from gates(p, x.data.size // 2)
    return (yield from c.conj(x, y))


def gates(p: Party3, words: int) -> Rounds[Gates3]:
    """The gates of one operation, for ANDs of so many words in all.

    Cost    5 rounds; as `word_triples`; nothing in the passive protocol
    Raises  BatchFault as `word_triples`
    """
    if not p.roots:
        return Gates3(p, None)
    triples = yield from word_triples(p.at("triples"), words)
    return Gates3(p, triples)


class Gates3:
    """See `mpcd.protocols.circuits.gates.Gates`; `triples` are shared with all child paths."""

    __slots__ = ("_party", "_triples")

    def __init__(self, party: Party3, triples: WordTriples | None) -> None:
        self._party = party
        self._triples = triples

    def __repr__(self) -> str:
        return f"Gates3({self._party!r}, {self._triples!r})"

    def at(self, *steps: str | int) -> Self:
        return type(self)(self._party.at(*steps), self._triples)

    def count(self, x: Bits3) -> int:
        return x.planes

    def take(self, x: Bits3, planes: Planes) -> Bits3:
        return Bits3(x.data[:, planes], x.shape)

    def join(self, parts: Sequence[Bits3]) -> Bits3:
        return sharing.join_planes(parts)

    def xor(self, x: Bits3, y: Bits3) -> Bits3:
        return sharing.xor(x, y)

    def negate(self, x: Bits3) -> Bits3:
        return sharing.negate(self._party.me, x)

    def conj(self, x: Bits3, y: Bits3) -> Rounds[Bits3]:
        """Cost  1 round; 2 words per word and party, or 1 in the passive protocol"""
        if self._triples is None:
            return product.conj(self._party, x, y)
        return _with_triples(self._party, self._triples, x, y)


def _with_triples(p: Party3, triples: WordTriples, x: Bits3, y: Bits3) -> Rounds[Bits3]:
    _require_same(x, y)
    words = x.data.size // 2
    a, b, c = triples.take(words)
    masked = np.empty((2, 2, words), np.uint64)
    np.bitwise_xor(x.data.reshape(2, words), a, out=masked[:, 0])
    np.bitwise_xor(y.data.reshape(2, words), b, out=masked[:, 1])
    public = yield from show(p, masked.reshape(2, -1))
    x_masked, y_masked = public.reshape(2, words)
    out = x_masked & b
    out ^= c
    out ^= y_masked & a
    if 0 in held(p.me):
        out[slot(p.me, 0)] ^= x_masked & y_masked
    return Bits3(out.reshape(x.data.shape), x.shape)


def _require_same(x: Bits3, y: Bits3) -> None:
    if x.data.shape != y.data.shape or x.shape != y.shape:
        raise UsageError(f"conj: {x.planes} planes of {x.shape} and {y.planes} of {y.shape} differ")
