"""The programs that come with mpcd."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mpcd.apps import auction, primitives
from mpcd.errors import NotFoundError
from mpcd.lang.tracing import Definition


@dataclass(frozen=True, slots=True)
class Entry:
    """One program.

    twin         plain Python that computes the same in clear, written independently; by argument name
    description  one sentence for people
    arguments    argument or parameter -> what to put there
    """

    definition: Definition
    twin: Callable[..., dict[str, int]]
    description: str
    arguments: Mapping[str, str]

    @property
    def name(self) -> str:
        """Its name in job files and policies, with hyphens."""
        return self.definition.name.replace("_", "-")


_BIDS = {
    "bids": "one bid per bidder, from 0 to 4294967295 in the smallest unit of the currency",
    "reserve": "the public price below which nothing is sold",
    "order": "public order of the bidders (row numbers from 0): of equal bids the one named first wins",
}
_PAIR = {"x": "the first private vector", "y": "the second private vector, of the same length"}

_ENTRIES = (
    Entry(
        auction.first_price,
        auction.first_price_in_clear,
        "First-price sealed-bid auction with a public reserve and tie-break order. "
        "Nothing sold: winner -1, price 0.",
        _BIDS,
    ),
    Entry(
        auction.second_price,
        auction.second_price_in_clear,
        "Second-price (Vickrey) sealed-bid auction with a public reserve and tie-break order. "
        "Nothing sold: winner -1, price 0.",
        _BIDS,
    ),
    Entry(
        primitives.products,
        primitives.products_in_clear,
        "Sum of elementwise products.",
        _PAIR,
    ),
    Entry(primitives.inner_product, primitives.products_in_clear, "Inner product of two vectors.", _PAIR),
    Entry(primitives.comparisons, primitives.comparisons_in_clear, "How often x is less than y.", _PAIR),
    Entry(primitives.chain, primitives.chain_in_clear, "A thousand dependent products.", _PAIR),
    Entry(primitives.layers, primitives.layers_in_clear, "Ten dependent layers of NAND.", _PAIR),
)
CATALOGUE: Mapping[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def find(name: str) -> Entry:
    """The program of this name.

    Raises  NotFoundError listing the names there are
    """
    entry = CATALOGUE.get(name.replace("_", "-"))
    if entry is None:
        raise NotFoundError(f"there is no program {name}", fix=f"there are {', '.join(CATALOGUE)}")
    return entry
