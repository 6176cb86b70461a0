"""Sealed-bid auctions. Nobody learns a bid but the outputs: winner and price.

Reserve  if no bid reaches the public reserve price nothing is sold: winner = -1 and price = 0
Ties     of equal highest bids the one named first in the public tie-break order wins
Price    first_price: the highest bid. second_price: the second-highest bid, but at least the
         reserve; a single bidder pays the reserve [Vickrey 1961]
"""

from collections.abc import Sequence

import mpcd as mpc


@mpc.program
def first_price(bids: mpc.Vector[mpc.UInt32], reserve: mpc.Public[mpc.UInt32], order: mpc.Order) -> object:
    """Sealed-bid auction: the highest bidder wins and pays the own bid."""
    first = bids.argmax(order=order)
    sold = first.value >= reserve
    winner = mpc.where(sold, first.index, -1)
    price = mpc.where(sold, first.value, 0)
    return mpc.reveal(winner=winner, price=price)


@mpc.program
def second_price(bids: mpc.Vector[mpc.UInt32], reserve: mpc.Public[mpc.UInt32], order: mpc.Order) -> object:
    """Sealed-bid auction: the highest bidder wins and pays the second-highest bid."""
    first, second = bids.top(2, order=order)
    sold = first.value >= reserve
    winner = mpc.where(sold, first.index, -1)
    price = mpc.where(sold, mpc.maximum(second.value, reserve), 0)
    return mpc.reveal(winner=winner, price=price)


def _best(bids: Sequence[int], order: Sequence[int]) -> int:
    """The winning row in plain Python."""
    return max(range(len(bids)), key=lambda row: (bids[row], -order.index(row)))


def first_price_in_clear(bids: Sequence[int], reserve: int, order: Sequence[int]) -> dict[str, int]:
    """What `first_price` must compute, written independently of it."""
    row = _best(bids, order)
    sold = bids[row] >= reserve
    return {"winner": row if sold else -1, "price": bids[row] if sold else 0}


def second_price_in_clear(bids: Sequence[int], reserve: int, order: Sequence[int]) -> dict[str, int]:
    """What `second_price` must compute, written independently of it."""
    row = _best(bids, order)
    if bids[row] < reserve:
        return {"winner": -1, "price": 0}
    others = [bid for k, bid in enumerate(bids) if k != row]
    return {"winner": row, "price": max([reserve, *others])}
