"""A slot: every party tells every other one a value, and all honest parties end with the same view of it.

Model     synchronous rounds, n parties, at most t of them corrupt (any t < n), signatures
Rounds    t + 1; every party is the sender of one instance, all instances run in parallel
Rule      in round k a value counts only under k different valid signatures, the sender's among
          them. A value first shown in the last round therefore carries an honest party's
          signature, and that party has shown it to everybody. An echo without this rule lets a
          cheater split the honest parties in the last round.
Bodies    a party signs the digest of a body that it holds; the body travels with every signature, so
          an agreed digest is never one without a body
Sources   Spec agreement 2;
          [DS] Dolev, Strong: Authenticated algorithms for Byzantine agreement, SIAM J. Comput. 1983
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mpcd.errors import InternalError
from mpcd.protocols.agreement.chains import (
    VALUES_FORWARDED,
    Chain,
    decode,
    encode,
    letter_limit,
    statement,
)
from mpcd.protocols.rounds import Blob, Round, Rounds

Sign = Callable[[bytes], bytes]
Verify = Callable[[int, bytes, bytes], bool]
"""(party, statement, signature) -> whether that party made it."""

LABEL = "slot"


@dataclass(frozen=True, slots=True)
class Agreed:
    """The sender gave this one value to everybody, under its signature."""

    body: bytes
    signature: bytes = field(default=b"", compare=False)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.body).digest()

    def __repr__(self) -> str:
        return f"Agreed({len(self.body)} bytes)"


@dataclass(frozen=True, slots=True)
class Bottom:
    """The sender gave no value in time. Silence is nobody's proven fault."""


@dataclass(frozen=True, slots=True)
class SignedValue:
    """The digest of a body and the sender's signature on it: one half of a proof."""

    digest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Equivocated:
    """The sender signed two values for one slot: a proof that anybody can check."""

    first: SignedValue
    second: SignedValue


Verdict = Agreed | Bottom | Equivocated
Outcome = dict[int, Verdict]
"""What a slot decides, per sender; the same at every honest party (which two values prove an
equivocation may differ, that there are two does not)."""


def slots(
    me: int,
    parties: Sequence[int],
    t: int,
    slot_id: bytes,
    value: bytes,
    sign: Sign,
    verify: Verify,
    max_body: int,
) -> Rounds[Outcome]:
    """Tell all parties `value` and return what everybody told everybody.

    Shapes    value: at most max_body bytes; one letter per peer and round
    Cost      t + 1 rounds; bodies travel once per party that has just accepted them
    Malicious with at most t corrupt parties all honest ones return the same verdicts, and an honest
              party's verdict is Agreed(its value); a cheater chooses its own value (having seen
              the others') or is silent, for all alike
    Raises    InternalError if our own value is too long
    Source    [DS]; at most two values per sender are forwarded
    """
    if len(value) > max_body:
        raise InternalError(f"a slot value of {len(value)} bytes is over the limit of {max_body}")
    peers = [p for p in parties if p != me]
    limit = letter_limit(len(parties), max_body)
    book = _Book(me, slot_id, sign, verify)
    news = [book.propose(value)]
    for number in range(1, t + 2):
        letter = encode(news)
        inbox = yield Round(
            path=f"slot/{slot_id.hex()}/{number}",
            send={(peer, LABEL): letter for peer in peers},
            recv={(peer, LABEL): Blob(limit) for peer in peers},
            absent=frozenset(peers),
        )
        news = []
        for peer in peers:
            heard = inbox.get((peer, LABEL), b"")
            for chain in decode(bytes(heard), parties, max_body):
                if book.accepts(chain, number) and number <= t:
                    news.append(book.countersigned(chain))
    return {party: book.verdict(party) for party in parties}


@dataclass(slots=True)
class _Book:
    """The values that one party has accepted in one slot, per sender and by digest."""

    me: int
    slot_id: bytes
    sign: Sign
    verify: Verify
    accepted: dict[int, dict[bytes, Chain]] = field(default_factory=dict)
    good: set[tuple[int, bytes, bytes]] = field(default_factory=set)

    def propose(self, value: bytes) -> Chain:
        """Our own value under our own signature."""
        chain = self.countersigned(Chain(self.me, value, ()))
        self.accepted[self.me] = {chain.digest: chain}
        return chain

    def accepts(self, chain: Chain, number: int) -> bool:
        """Whether a chain that arrived in round `number` brings a new value; it is noted if so."""
        values = self.accepted.setdefault(chain.sender, {})
        digest = chain.digest
        if digest in values or len(values) >= VALUES_FORWARDED:
            return False
        if len(chain.signatures) < number:
            return False
        if not self._all_valid(chain, digest):
            return False
        values[digest] = chain
        return True

    def verdict(self, party: int) -> Verdict:
        chains = list(self.accepted.get(party, {}).values())
        if not chains:
            return Bottom()
        if len(chains) == 1:
            return Agreed(chains[0].body, chains[0].signatures[0][1])
        first, second = (SignedValue(c.digest, c.signatures[0][1]) for c in chains)
        return Equivocated(first, second)

    def _all_valid(self, chain: Chain, digest: bytes) -> bool:
        words = statement(self.slot_id, chain.sender, digest)
        for signer, signature in chain.signatures:
            key = (signer, words, signature)
            if key not in self.good:
                if not self.verify(signer, words, signature):
                    return False
                self.good.add(key)
        return True

    def countersigned(self, chain: Chain) -> Chain:
        """The chain with our signature at its end."""
        signature = self.sign(statement(self.slot_id, chain.sender, chain.digest))
        return Chain(chain.sender, chain.body, (*chain.signatures, (self.me, signature)))
