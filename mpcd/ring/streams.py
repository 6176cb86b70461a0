"""Pseudorandom streams: AES-128-CTR, one stream per (key, path).

A stream is named by the structural path of the round that draws from it, so that all holders of a key
draw the same words without a counter that could diverge. Two streams never overlap: the IV is the first
96 bits of SHA-256(path), followed by a 32-bit block counter that starts at zero.

Notation  word: 64 bits, little-endian; block: two words, the unit of AES
Security  a (key, IV) pair is used once, ever: a repeat would show the difference of two masked secrets.
          `Streams` keeps the pairs it has handed out and refuses a second use, in production too
Sources   NIST SP 800-38A (CTR); RFC 5869 (HKDF)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mpcd.errors import InternalError
from mpcd.ring.digests import path_digest

Words = npt.NDArray[np.uint64]
KeyId = TypeVar("KeyId", int, str)

_WORD = np.dtype("<u8")
KEY_BYTES = 16
MAX_BLOCKS = 1 << 32
_SMALL_BLOCKS = 128
_CHUNK_BYTES = 1 << 18
# CTR encrypts a plaintext of zeros: the key stream itself.
_ZEROS = memoryview(bytes(_CHUNK_BYTES))
_COUNTERS = tuple(i.to_bytes(4, "big") for i in range(_SMALL_BLOCKS))
_TWICE = "a stream of random words was opened twice: two draws share a path"
_Draw = tuple[Callable[[bytes], bytes], set[bytes], tuple[bytes, ...]]
"""(encrypt, IVs used, the counters of the blocks behind an empty string), under one key."""
_FIRST_COUNTERS = tuple((b"", *_COUNTERS[:blocks]) for blocks in range(_SMALL_BLOCKS + 1))


def derive(secret: bytes, *info: bytes, length: int = KEY_BYTES) -> bytes:
    """Derive `length` bytes from a secret for one purpose.

    `info` names the purpose; every part is preceded by its length, so that ("ab", "c") and ("a", "bc")
    are different purposes.

    Source  RFC 5869, SHA-256, no salt
    """
    encoded = b"".join(len(part).to_bytes(8, "little") + part for part in info)
    return HKDF(hashes.SHA256(), length, None, encoded).derive(secret)


def expand_seed(seed: bytes, info: tuple[bytes, ...], words: int) -> Words:
    """Stretch a seed to `words` words: AES-128-CTR from zero under HKDF(seed, info)."""
    out = np.empty(words, np.uint64)
    _fill_from(derive(seed, *info), bytes(12), 0, out)
    return out


class Stream:
    """The words of one (key, path); slices are cut off its front, one after the other.

    Every slice starts at a block boundary: a slice of an odd number of words leaves one word unused.
    """

    __slots__ = ("_block_encryptor", "_iv", "_key", "_next")

    def __init__(self, key: bytes, block_encryptor: CipherContext, iv: bytes) -> None:
        self._key = key
        self._block_encryptor = block_encryptor
        self._iv = iv
        self._next = 0

    def __repr__(self) -> str:
        return "Stream()"

    def fill(self, out: Words) -> None:
        """Overwrite a contiguous array with the next words of the stream."""
        start, ready = self._take(out.size)
        if ready is not None:
            out.reshape(-1)[:] = ready
        else:
            _fill_from(self._key, self._iv, start, out)

    def draw(self, words: int) -> Words:
        """The next words of the stream as a new flat array (possibly read-only)."""
        start, ready = self._take(words)
        if ready is not None:
            return ready
        out = np.empty(words, np.uint64)
        _fill_from(self._key, self._iv, start, out)
        return out

    def draw_slices(self, sizes: Sequence[int]) -> list[Words]:
        """The next slices at once: the same words as `draw` of each size in turn, for the price of one."""
        starts, total = [], 0
        for size in sizes:
            starts.append(total)
            total += size + (size & 1)
        flat = self.draw(total)
        return [flat[start : start + size] for start, size in zip(starts, sizes, strict=True)]

    def cut(self, words: int) -> Reader:
        """Reserve the next words, to be read piece by piece."""
        start, ready = self._take(words)
        if ready is not None:
            return Reader(None, ready, words)
        return Reader(_ctr(self._key, self._iv, start), np.empty(0, np.uint64), words)

    def _take(self, words: int) -> tuple[int, Words | None]:
        """Reserve the next words: their first block and, if they are few, the words themselves."""
        start, end = self._next, self._next + (words + 1 >> 1)
        self._next = end
        if not words:
            return start, np.empty(0, np.uint64)
        if end <= _SMALL_BLOCKS:
            # A new cipher context costs 7 us; encrypting the few counter blocks one by one gives the same
            # bytes through the context that the key already has.
            blocks = self._iv + self._iv.join(_COUNTERS[start:end])
            return start, np.frombuffer(self._block_encryptor.update(blocks), _WORD, words)
        if end > MAX_BLOCKS:
            raise InternalError("a stream of random words is exhausted; operations must be cut into blocks")
        return start, None


class Reader:
    """A reserved slice of a stream, read front to back: from words that are ready, or from a cipher."""

    __slots__ = ("_encryptor", "_left", "_ready")

    def __init__(self, encryptor: CipherContext | None, ready: Words, words: int) -> None:
        self._encryptor = encryptor
        self._ready = ready
        self._left = words

    def __repr__(self) -> str:
        return "Reader()"

    def fill(self, out: Words) -> None:
        """Overwrite a contiguous array with the next words of the slice."""
        self._left -= out.size
        if self._left < 0:
            raise InternalError("more random words were read than reserved")
        if self._encryptor is not None:
            _pump(self._encryptor, out)
            return
        end = self._ready.size - self._left
        out.reshape(-1)[:] = self._ready[end - out.size : end]


class Streams(Generic[KeyId]):
    """All streams of one party in one epoch, under the keys it holds."""

    def __init__(self, keys: Mapping[KeyId, bytes]) -> None:
        self._keys: dict[KeyId, bytes] = dict(keys)
        # For every key: ECB of counter blocks, which is CTR itself (`Stream._take`), and the IVs used.
        self._open: dict[KeyId, tuple[CipherContext, set[bytes]]] = {}
        self._few: dict[tuple[tuple[tuple[KeyId, int], ...], int], list[_Draw]] = {}
        for key_id, key in self._keys.items():
            if len(key) != KEY_BYTES:
                raise InternalError(f"a stream key has {KEY_BYTES} bytes, not {len(key)}")
            self._open[key_id] = Cipher(algorithms.AES(key), modes.ECB()).encryptor(), set()

    def __repr__(self) -> str:
        return f"Streams(keys of {sorted(map(str, self._keys))})"

    def open(self, key_id: KeyId, path: str) -> Stream:
        """Start the stream of a key at a path.

        Raises  InternalError if this stream was opened before, or if the key is not held
        """
        return self.open_named(key_id, stream_name(path))

    def open_named(self, key_id: KeyId, iv: bytes) -> Stream:
        """As `open`, for a caller that opens one path under several keys."""
        encryptor = self._mark(key_id, iv)
        return Stream(self._keys[key_id], encryptor, iv)

    def draw_few(self, iv: bytes, wanted: tuple[tuple[KeyId, int], ...], size: int) -> Words:
        """For every (key, count) in turn, `count` slices of `size` words of the stream `iv`.

        The same words as opening each stream and drawing slices of it, one after the other, each padded to
        an even number of words; for little words at the price of one call.
        Raises  InternalError as `open`, or if the words are not few
        """
        recipe = self._few.get((wanted, size))
        if recipe is None:
            recipe = self._few[wanted, size] = self._recipe(wanted, size)
        drawn = []
        for encrypt, spent, counters in recipe:
            if iv in spent:
                raise InternalError(_TWICE)
            spent.add(iv)
            drawn.append(encrypt(iv.join(counters)))
        return np.frombuffer(b"".join(drawn), _WORD)

    def _recipe(self, wanted: tuple[tuple[KeyId, int], ...], size: int) -> list[_Draw]:
        """What `draw_few` does for every key: the same in every round of a kind."""
        recipe: list[_Draw] = []
        for key_id, count in wanted:
            blocks = (size + 1 >> 1) * count
            if blocks > _SMALL_BLOCKS:
                raise InternalError("these are not few words")
            encryptor, spent = self._at_hand(key_id)
            recipe.append((encryptor.update, spent, _FIRST_COUNTERS[blocks]))
        return recipe

    def _mark(self, key_id: KeyId, iv: bytes) -> CipherContext:
        """Note that a stream is used; return the encryptor of blocks under its key."""
        encryptor, used = self._at_hand(key_id)
        if iv in used:
            raise InternalError(_TWICE)
        used.add(iv)
        return encryptor

    def _at_hand(self, key_id: KeyId) -> tuple[CipherContext, set[bytes]]:
        try:
            return self._open[key_id]
        except KeyError:
            raise InternalError(f"this party does not hold key {key_id}") from None


def stream_name(path: str) -> bytes:
    """The IV of a path: 96 bits of its hash (64 would collide with probability 2^-25 at 10^6 draws)."""
    return path_digest(path)[:12]


def _ctr(key: bytes, iv: bytes, start_block: int) -> CipherContext:
    return Cipher(algorithms.AES(key), modes.CTR(iv + start_block.to_bytes(4, "big"))).encryptor()


def _fill_from(key: bytes, iv: bytes, start_block: int, out: Words) -> None:
    _pump(_ctr(key, iv, start_block), out)


def _pump(encryptor: CipherContext, out: Words) -> None:
    """Encrypt zeros into the array, in pieces that stay in cache."""
    if out.size == 0:
        return
    target = out.reshape(-1).data.cast("B")
    for start in range(0, len(target), _CHUNK_BYTES):
        piece = target[start : start + _CHUNK_BYTES]
        encryptor.update_into(_ZEROS[: len(piece)], piece)
