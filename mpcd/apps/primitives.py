"""Single operations as programs: what benchmarks measure and what a first try-out runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import mpcd as mpc

if TYPE_CHECKING:
    from mpcd import Int8 as Sign
    from mpcd import Int64 as Int63
else:
    Sign = mpc.Int(-1, 1)
    Int63 = mpc.Int(-(1 << 62), (1 << 62) - 1)  # the widest range that one comparison of 8 rounds covers

CHAIN = 1_000
LAYERS = 10


@mpc.program
def products(x: mpc.Vector[mpc.Int16], y: mpc.Vector[mpc.Int16]) -> object:
    """Elementwise products of two private vectors; their sum is revealed."""
    return mpc.reveal(total=(x * y).sum())


@mpc.program
def inner_product(x: mpc.Vector[mpc.Int16], y: mpc.Vector[mpc.Int16]) -> object:
    """Inner product of two private vectors."""
    return mpc.reveal(total=mpc.dot(x, y))


@mpc.program
def comparisons(x: mpc.Vector[Int63], y: mpc.Vector[Int63]) -> object:
    """In how many rows the first private vector is smaller."""
    return mpc.reveal(smaller=mpc.count(x < y))


@mpc.program
def chain(x: mpc.Vector[Sign], y: mpc.Vector[Sign]) -> object:
    """A thousand products of -1, 0 and 1, each of the one before."""
    z = x * y
    for _ in range(CHAIN - 1):
        z = z * y
    return mpc.reveal(total=z.sum())


@mpc.program
def layers(x: mpc.Vector[mpc.Bool], y: mpc.Vector[mpc.Bool]) -> object:
    """Ten layers of NAND, each of the one before."""
    z = ~(x & y)
    for _ in range(LAYERS - 1):
        z = ~(z & y)
    return mpc.reveal(true=mpc.count(z))


def products_in_clear(x: Sequence[int], y: Sequence[int]) -> dict[str, int]:
    """What `products` and `inner_product` must compute."""
    return {"total": sum(a * b for a, b in zip(x, y, strict=True))}


def comparisons_in_clear(x: Sequence[int], y: Sequence[int]) -> dict[str, int]:
    """What `comparisons` must compute."""
    return {"smaller": sum(a < b for a, b in zip(x, y, strict=True))}


def chain_in_clear(x: Sequence[int], y: Sequence[int]) -> dict[str, int]:
    """What `chain` must compute."""
    return {"total": sum(a * b**CHAIN for a, b in zip(x, y, strict=True))}


def layers_in_clear(x: Sequence[bool], y: Sequence[bool]) -> dict[str, int]:
    """What `layers` must compute: where y is true x flips in every layer, elsewhere the result is true."""
    return {"true": sum(bool(a) ^ (LAYERS % 2 == 1) if b else 1 for a, b in zip(x, y, strict=True))}
