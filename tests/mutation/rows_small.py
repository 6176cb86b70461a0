"""The checks and masks of small products, which have a way of their own."""

from __future__ import annotations

from tests.mutation.row import Mutation

_SAME = "tests/protocols/rep4/test_multiply.py::test_small_products_are_those_of_the_general_way"
_FEW = "tests/ring/test_streams.py::test_few_words_are_drawn_once_and_are_few"

ROWS = [
    Mutation("few words of a stream that was used", "mpcd/ring/streams.py",
             "if iv in spent:", "if False:", _FEW),
    Mutation("few words that are many", "mpcd/ring/streams.py", "if blocks > _SMALL_BLOCKS:",
             "if False:", _FEW),
    Mutation("a small product without pads", "mpcd/protocols/rep4/exchange.py",
             "pads = p.streams.draw_few(stream_name(p.path), few.wanted, size)",
             "pads = np.zeros(8 * (size + 1), np.uint64)", _SAME),
    Mutation("a small product of one pad", "mpcd/protocols/rep4/exchange.py",
             "np.array([*few.places, size + (size & 1)], np.int64)",
             "np.array([*few.places, 0], np.int64)", _SAME),
]  # fmt: skip
