"""What is measured: each item with its inputs, its step and its expected result.

`products`, `inner product` and `dependent products` run as programs through the interpreter; `comparisons`
and `AND layers` are the engine's operations themselves, since a program would add conversions of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.parties import Work
from benchmarks.settings import Setting
from mpcd.apps.catalogue import find
from mpcd.protocols.engine import AnyEngine
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring.bits import pack
from mpcd.runtime.interpreter import run

Ints = npt.NDArray[np.int64]

PRODUCTS = 1_000_000
COMPARISONS = 100_000
ANDS = 1_000_000
CHAIN = 1_000
LAYERS = 10


def _numbers(count: int, low: int, high: int, seed: int) -> Ints:
    return np.random.default_rng(seed).integers(low, high, count, dtype=np.int64)


def _words(values: Ints) -> Words:
    return values.view(np.uint64)


def _program(setting: Setting, name: str, x: Ints, y: Ints) -> Callable[[AnyEngine], Rounds[Any]]:
    checked = find(name).definition.checked
    arguments = ("x", _words(x)), ("y", _words(y))

    def prepare(engine: AnyEngine) -> Rounds[Any]:
        shares = {label: setting.number(setting.deal(engine, label, words)) for label, words in arguments}
        return run(checked, engine, shares, {"n": len(x)}, {})

    return prepare


def products(setting: Setting) -> Work:
    """A million products, then the local sum."""
    x, y = _numbers(PRODUCTS, -(1 << 15), 1 << 15, 1), _numbers(PRODUCTS, -(1 << 15), 1 << 15, 2)
    return Work("products", PRODUCTS, setting, _program(setting, "products", x, y), {"total": int(x @ y)})


def inner_product(setting: Setting) -> Work:
    """One inner product of a million."""
    x, y = _numbers(PRODUCTS, -(1 << 15), 1 << 15, 3), _numbers(PRODUCTS, -(1 << 15), 1 << 15, 4)
    return Work(
        "inner product", PRODUCTS, setting, _program(setting, "inner-product", x, y), {"total": int(x @ y)}
    )


def comparisons(setting: Setting) -> Work:
    """A hundred thousand comparisons of 64-bit values in [-2^62, 2^62)."""
    x, y = _numbers(COMPARISONS, -(1 << 62), 1 << 62, 5), _numbers(COMPARISONS, -(1 << 62), 1 << 62, 6)

    def prepare(engine: AnyEngine) -> Rounds[Any]:
        mine = [setting.number(setting.deal(engine, name, _words(v))) for name, v in (("x", x), ("y", y))]
        return engine.at("lt").less_than(*mine)

    return Work("comparisons", COMPARISONS, setting, prepare, x < y)


def and_layers(setting: Setting) -> Work:
    """Ten dependent layers of a million ANDs."""
    x, y = (_numbers(ANDS, 0, 2, seed).astype(bool) for seed in (7, 8))

    def prepare(engine: AnyEngine) -> Rounds[Any]:
        return _layers(engine, _bits(setting, engine, "x", x), _bits(setting, engine, "y", y))

    return Work("AND layers", LAYERS * ANDS, setting, prepare, _nand(x, y))


def _layers(engine: AnyEngine, z: Any, y: Any) -> Rounds[Any]:
    for layer in range(LAYERS):
        z = engine.negate((yield from engine.at("layer", layer).conj(z, y)))
    return z


def _nand(z: npt.NDArray[np.bool_], y: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    for _ in range(LAYERS):
        z = ~(z & y)
    return z


def _bits(setting: Setting, engine: AnyEngine, name: str, flags: npt.NDArray[np.bool_]) -> Any:
    dealt = setting.deal(engine, name, pack(flags), xor=True)
    return setting.bits(dealt.reshape(len(dealt), 1, -1), flags.shape)


def dependent_products(setting: Setting) -> Work:
    """A thousand products, each of the result of the one before."""
    x, y = np.array([-1], dtype=np.int64), np.array([-1], dtype=np.int64)
    return Work("dependent products", CHAIN, setting, _program(setting, "chain", x, y), {"total": -1})


ALL = (products, inner_product, comparisons, and_layers, dependent_products)
