"""A slot between honest parties and an adversary who sees a round's letters before it answers."""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from mpcd.protocols.agreement.chains import Chain, decode, statement
from mpcd.protocols.rounds import Rounds

SLOT = b"BARRIER/test"
Letters = dict[tuple[int, int], bytes]
"""(from, to) -> letter."""
Adversary = Callable[[int, Letters], Letters]
"""(round number, the honest parties' letters of this round) -> the cheaters' letters."""


def sign_as(party: int) -> Callable[[bytes], bytes]:
    """A fast stand-in for signatures: nobody in a test guesses another's key."""
    return lambda words: hashlib.sha512(b"key %d" % party + words).digest()


def verify(party: int, words: bytes, signature: bytes) -> bool:
    return hmac.compare_digest(sign_as(party)(words), signature)


def chain(sender: int, body: bytes, signers: tuple[int, ...], slot: bytes = SLOT) -> Chain:
    """A chain that `signers` (the sender first) have really signed."""
    words = statement(slot, sender, hashlib.sha256(body).digest())
    return Chain(sender, body, tuple((s, sign_as(s)(words)) for s in signers))


def silent(_number: int, _letters: Letters) -> Letters:
    return {}


def run(steps: Mapping[int, Rounds[Any]], adversary: Adversary = silent) -> dict[int, Any]:
    """Drive the honest parties' steps to their end; the adversary plays everybody else."""
    outputs: dict[int, Any] = {}
    waiting = {p: step.send(None) for p, step in steps.items()}  # type: ignore[arg-type]
    number = 0
    while waiting:
        number += 1
        honest = {(p, to): bytes(words) for p, r in waiting.items() for (to, _), words in r.send.items()}
        letters = honest | adversary(number, dict(honest))
        following = {}
        for p, r in waiting.items():
            inbox = {(of, label): letters[of, p] for of, label in r.recv if (of, p) in letters}
            try:
                following[p] = steps[p].send(inbox)
            except StopIteration as stop:
                outputs[p] = stop.value
        waiting = following
    return outputs


def seen(letters: Letters, sender: int, body: bytes, parties: range, limit: int = 64) -> Chain | None:
    """The longest chain for (sender, body) in the honest parties' letters."""
    found = [
        c
        for letter in letters.values()
        for c in decode(letter, parties, limit)
        if (c.sender, c.body) == (sender, body)
    ]
    return max(found, key=lambda c: len(c.signatures), default=None)


def weakened(module: ModuleType, old: str, new: str) -> ModuleType:
    """A copy of a module in which one piece of its source is replaced: a check removed."""
    assert module.__file__ is not None
    with open(module.__file__) as file:
        source = file.read()
    assert source.count(old) == 1, f"{old!r} occurs {source.count(old)} times"
    name = f"weakened_{hashlib.sha256((old + new).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_loader(name, loader=None)
    assert spec is not None
    copy = importlib.util.module_from_spec(spec)
    sys.modules[name] = copy  # dataclasses look their own module up
    exec(compile(source.replace(old, new), name, "exec"), copy.__dict__)
    return copy
