"""The same work in MPyC: three parties, passive security, TLS; prints one JSON object per item.

Run by `benchmarks.peer`, in a directory that holds `.config/` with certificates:

    python mpyc_work.py -M3 --ssl

Every item uses MPyC's fastest form of the operation that we know: arrays where it has them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from mpyc.runtime import mpc

SIZES = json.loads(sys.argv.pop()) if sys.argv[-1].startswith("{") else {}


def _ints(count: int, bits: int = 20) -> Any:
    rng = np.random.default_rng(1)
    return np.array([int(v) for v in rng.integers(1, 1 << bits, count)], dtype=object)


async def products(count: int) -> None:
    secint = mpc.SecInt(64)
    x = mpc.np_multiply(secint.array(_ints(count)), secint.array(_ints(count)))
    await mpc.gather(x)


async def inner_product(count: int) -> None:
    secint = mpc.SecInt(64)
    x = mpc.np_matmul(secint.array(_ints(count)), secint.array(_ints(count)))
    await mpc.gather(x)


async def comparisons(count: int) -> None:
    secint = mpc.SecInt(64)
    x = mpc.np_less(secint.array(_ints(count, 60)), secint.array(_ints(count, 60)[::-1]))
    await mpc.gather(x)


async def and_layers(count: int) -> None:
    """Ten dependent layers of ANDs, as products in a field that knows 0 and 1."""
    field = mpc.SecFld(101)
    x = field.array(np.array(_ints(count) % 2, dtype=object))
    y = field.array(np.ones(count, dtype=object))
    for _ in range(10):
        x = mpc.np_multiply(x, y)
    await mpc.gather(x)


async def dependent_products(count: int) -> None:
    secint = mpc.SecInt(64)
    x, y = secint(3), secint(1)
    for _ in range(count):
        x = x * y
    await mpc.gather(x)


ITEMS: dict[str, Callable[[int], Awaitable[None]]] = {
    "products": products,
    "inner product": inner_product,
    "comparisons": comparisons,
    "AND layers": and_layers,
    "dependent products": dependent_products,
}


async def main() -> None:
    await mpc.start()
    for name, count in SIZES.items():
        await ITEMS[name](min(count, 100))  # fill caches, as on our side
        await mpc.barrier()
        began = time.perf_counter()
        await ITEMS[name](count)
        seconds = time.perf_counter() - began
        if mpc.pid == 0:
            print(json.dumps({"item": name, "count": count, "seconds": seconds}), flush=True)
    await mpc.shutdown()


if __name__ == "__main__":
    mpc.run(main())
