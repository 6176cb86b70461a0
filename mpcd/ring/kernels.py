"""Compiled loops of the rep4 products: explicit signatures, C-contiguous arrays, one thread.

A kernel works on words start..stop of whole arrays, so that its caller can keep the pads of one piece in
cache and needs no slices. Inputs may be read-only; outputs must not overlap inputs.

Notation  x, y, out: (3, n) slots of a sharing, as in `mpcd.protocols.rep4.sharing`
          pad0, pad1, pad2: words under the keys of slots 0, 1, 2, for the word at start and those behind
          The four cyclic rows of a product have their own kernel (`mul_cyclic`, `and_cyclic`): in terms
          of slots it is the same for every party. `mul_row`, `and_row` do any single row.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numba
from numba import types

_IN = types.Array(types.uint64, 2, "C", readonly=True)
_IN1 = types.Array(types.uint64, 1, "C", readonly=True)
_IN3 = types.Array(types.uint64, 3, "C", readonly=True)
_OUT = types.Array(types.uint64, 2, "C")
_OUT3 = types.Array(types.uint64, 3, "C")
_OUT1 = types.Array(types.uint64, 1, "C")
_INT = types.int64
# A tile of three right-hand slots fills half of a second-level cache of 512 KiB.
_TILE_COLUMNS, _TILE_DEPTH = 16, 512

_CYCLIC = types.void(_IN, _IN, _IN1, _IN1, _IN1, _INT, _INT, _OUT, _OUT1, _OUT1)
_PLACES = types.Array(types.int64, 1, "C", readonly=True)
_SMALL = types.void(_IN, _IN, _IN1, _PLACES, _OUT, _OUT)
_ADD_TO = types.void(_OUT, _INT, _INT, _IN1)
_ROW = types.void(_IN, _IN, _INT, _INT, _INT, _INT, _IN1, _INT, _INT, _OUT, _OUT1, _INT)


def compiled(signature: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Compile for one signature when the module is loaded, or load the code from the cache."""
    return numba.njit(signature, cache=True, nogil=True, boundscheck=False)  # type: ignore[no-any-return]


@compiled(_CYCLIC)
def mul_cyclic(
    x: Any, y: Any, pad0: Any, pad1: Any, pad2: Any,
    start: int, stop: int, out: Any, sent: Any, backed: Any,
) -> None:  # fmt: skip
    """The cyclic rows of a product in Z_2^64, as sender, backup and outsider; the receiver adds what it gets.

    Each row's message carries x[a] * y[a] of its outsider a too, which saves three of nine multiplications:
    x[a] * y[a] + x[a] * y[b] + x[b] * y[a] = x[a] * (y[a] + y[b]) + x[b] * y[a].
    """
    for i in range(stop - start):
        k = start + i
        y1 = y[1, k]
        for_backup = x[0, k] * (y[0, k] + y1) + x[1, k] * y[0, k] - pad1[i]
        for_sender = x[1, k] * (y1 + y[2, k]) + x[2, k] * y1 - pad2[i]
        backed[k] = for_backup
        sent[k] = for_sender
        out[0, k] = for_backup + pad0[i]
        out[1, k] = for_sender + pad1[i]
        out[2, k] = pad2[i]


@compiled(_CYCLIC)
def and_cyclic(
    x: Any, y: Any, pad0: Any, pad1: Any, pad2: Any,
    start: int, stop: int, out: Any, sent: Any, backed: Any,
) -> None:  # fmt: skip
    """As `mul_cyclic`, on packed bits."""
    for i in range(stop - start):
        k = start + i
        y1 = y[1, k]
        for_backup = (x[0, k] & (y[0, k] ^ y1)) ^ (x[1, k] & y[0, k]) ^ pad1[i]
        for_sender = (x[1, k] & (y1 ^ y[2, k])) ^ (x[2, k] & y1) ^ pad2[i]
        backed[k] = for_backup
        sent[k] = for_sender
        out[0, k] = for_backup ^ pad0[i]
        out[1, k] = for_sender ^ pad1[i]
        out[2, k] = pad2[i]


@compiled(_ROW)
def mul_row(
    x: Any, y: Any, a: int, b: int, receiver: int, outsider: int, pad: Any,
    start: int, stop: int, out: Any, message: Any, offset: int,
) -> None:  # fmt: skip
    """One row as its sender or backup: message = x[a] * y[b] + x[b] * y[a] - pad, at start - offset.

    Adds the pad to slot `receiver` and the message to slot `outsider`.
    """
    for i in range(stop - start):
        k = start + i
        masked = x[a, k] * y[b, k] + x[b, k] * y[a, k] - pad[i]
        message[k - offset] = masked
        out[receiver, k] += pad[i]
        out[outsider, k] += masked


@compiled(_ROW)
def and_row(
    x: Any, y: Any, a: int, b: int, receiver: int, outsider: int, pad: Any,
    start: int, stop: int, out: Any, message: Any, offset: int,
) -> None:  # fmt: skip
    """As `mul_row`, on packed bits."""
    for i in range(stop - start):
        k = start + i
        masked = (x[a, k] & y[b, k]) ^ (x[b, k] & y[a, k]) ^ pad[i]
        message[k - offset] = masked
        out[receiver, k] ^= pad[i]
        out[outsider, k] ^= masked


@compiled(_SMALL)
def mul_small(x: Any, y: Any, pads: Any, places: Any, out: Any, messages: Any) -> None:
    """All rows of a small product at once: `mul_cyclic`, one `mul_row`, and the pads of outside rows.

    pads      the slices drawn, one after the other, each padded to an even number of words
    places    9 numbers: slices of the pads of the cyclic rows as outsider, backup and sender; of the single
              row its slice, receiver slot and outsider slot; of the outside row its slice and
              receiver slot; the length of a slice. A slice of -1: there is no such row
    messages  (3, n): backed, sent, that of the single row
    """
    step = places[8]
    for k in range(x.shape[1]):
        pad0, pad1, pad2 = pads[places[0] * step + k], pads[places[1] * step + k], pads[places[2] * step + k]
        y1 = y[1, k]
        for_backup = x[0, k] * (y[0, k] + y1) + x[1, k] * y[0, k] - pad1
        for_sender = x[1, k] * (y1 + y[2, k]) + x[2, k] * y1 - pad2
        messages[0, k] = for_backup
        messages[1, k] = for_sender
        out[0, k] = for_backup + pad0
        out[1, k] = for_sender + pad1
        out[2, k] = pad2
        if places[3] >= 0:
            a, b, pad = places[4], places[5], pads[places[3] * step + k]
            masked = x[a, k] * y[b, k] + x[b, k] * y[a, k] - pad
            messages[2, k] = masked
            out[a, k] += pad
            out[b, k] += masked
        if places[6] >= 0:
            out[places[7], k] += pads[places[6] * step + k]


@compiled(_SMALL)
def and_small(x: Any, y: Any, pads: Any, places: Any, out: Any, messages: Any) -> None:
    """As `mul_small`, on packed bits."""
    step = places[8]
    for k in range(x.shape[1]):
        pad0, pad1, pad2 = pads[places[0] * step + k], pads[places[1] * step + k], pads[places[2] * step + k]
        y1 = y[1, k]
        for_backup = (x[0, k] & (y[0, k] ^ y1)) ^ (x[1, k] & y[0, k]) ^ pad1
        for_sender = (x[1, k] & (y1 ^ y[2, k])) ^ (x[2, k] & y1) ^ pad2
        messages[0, k] = for_backup
        messages[1, k] = for_sender
        out[0, k] = for_backup ^ pad0
        out[1, k] = for_sender ^ pad1
        out[2, k] = pad2
        if places[3] >= 0:
            a, b, pad = places[4], places[5], pads[places[3] * step + k]
            masked = (x[a, k] & y[b, k]) ^ (x[b, k] & y[a, k]) ^ pad
            messages[2, k] = masked
            out[a, k] ^= pad
            out[b, k] ^= masked
        if places[6] >= 0:
            out[places[7], k] ^= pads[places[6] * step + k]


@compiled(_ADD_TO)
def add_to(out: Any, slot: int, start: int, words: Any) -> None:
    """Add what has arrived to words of one slot; in Z_2^64. A call is cheaper than one of NumPy."""
    for k in range(words.size):
        out[slot, start + k] += words[k]


@compiled(_ADD_TO)
def xor_to(out: Any, slot: int, start: int, words: Any) -> None:
    """As `add_to`, on packed bits."""
    for k in range(words.size):
        out[slot, start + k] ^= words[k]


@compiled(types.void(_IN3, _IN3, _OUT))
def inner_terms(x: Any, y: Any, out: Any) -> None:
    """Terms of the rows summed over the last axis, (3, m, k) -> (3, m): as backup, as sender, diagonal."""
    for m in range(x.shape[1]):
        backup = sender = diagonal = types.uint64(0)
        for k in range(x.shape[2]):
            x0, x1, x2 = x[0, m, k], x[1, m, k], x[2, m, k]
            y0, y1, y2 = y[0, m, k], y[1, m, k], y[2, m, k]
            backup += x0 * (y0 + y1) + x1 * y0
            sender += x1 * (y1 + y2) + x2 * y1
            diagonal += x0 * y2 + x2 * y0
        out[0, m] = backup
        out[1, m] = sender
        out[2, m] = diagonal


@compiled(types.void(_IN3, _IN3, _OUT3))
def matmul_terms(x: Any, turned: Any, out: Any) -> None:
    """As `inner_terms` for matrices: (3, m, k), (3, n, k) -> adds to (3, m, n); `turned` is transposed.

    Both operands are read along k, from tiles in cache: about one multiplication per clock cycle.
    """
    rows, inner, columns = x.shape[1], x.shape[2], turned.shape[1]
    for column in range(0, columns, _TILE_COLUMNS):
        end_column = min(column + _TILE_COLUMNS, columns)
        for depth in range(0, inner, _TILE_DEPTH):
            end_depth = min(depth + _TILE_DEPTH, inner)
            for i in range(rows):
                for j in range(column, end_column):
                    backup = sender = diagonal = types.uint64(0)
                    for k in range(depth, end_depth):
                        x0, x1, x2 = x[0, i, k], x[1, i, k], x[2, i, k]
                        y0, y1, y2 = turned[0, j, k], turned[1, j, k], turned[2, j, k]
                        backup += x0 * (y0 + y1) + x1 * y0
                        sender += x1 * (y1 + y2) + x2 * y1
                        diagonal += x0 * y2 + x2 * y0
                    out[0, i, j] += backup
                    out[1, i, j] += sender
                    out[2, i, j] += diagonal


def warm_up() -> None:
    """Compile every kernel, or load it from the cache.

    Kernels have explicit signatures, so importing their modules is all it takes; done once at installation it
    fills the cache, and a server that forks job processes does it before the first fork.
    """
    for name in ("kernels_bits", "kernels_shuffle", "kernels_three"):
        importlib.import_module(f"mpcd.ring.{name}")
