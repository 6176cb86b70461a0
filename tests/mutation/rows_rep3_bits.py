"""The checks of rep3 on bits: buckets, verified triples of words, gates, comparisons, conversions."""

from __future__ import annotations

from tests.mutation.row import Mutation

_CODE = "mpcd/protocols/rep3/"
_TESTS = "tests/protocols/rep3/"
_BUCKETS, _WORDS = _TESTS + "test_buckets.py", _TESTS + "test_words.py"
_COMPARE, _CONVERT = _TESTS + "test_compare.py", _TESTS + "test_convert.py"
_PRIVATE = _TESTS + "test_boolean_private.py::test_what_a_party_receives_is_uniform"
_SHUFFLE = "tests/ring/test_kernels_shuffle.py"


def _row(name: str, file: str, old: str, new: str, tests: str) -> Mutation:
    return Mutation(f"rep3: {name}", _CODE + file, old, new, tests)


TRIPLES = [
    _row("all buckets wrong is not reckoned with", "buckets.py",
         " and 1 << security_bits < every_bucket", "",
         f"{_BUCKETS}::test_every_batch_is_secure_and_large_enough"),
    _row("one wrong bucket is not reckoned with", "buckets.py",
         "buckets.size << security_bits < one_bucket and ", "",
         f"{_BUCKETS}::test_every_batch_is_secure_and_large_enough"),
    _row("parameters without a bound", "buckets.py",
         "if size < 1 or depth < 2 or not 0 <= opened <= depth * (depth - 1):", "if False:",
         f"{_BUCKETS}::test_parameters_without_a_bound_are_refused"),
    Mutation("permutations with a bias", "mpcd/ring/kernels_shuffle.py",
             "if lower < n and lower < uint64(1 << 32) % n:", "if False:",
             f"{_SHUFFLE}::test_draws_that_would_favour_some_numbers_are_rejected"),
    _row("word triples in the order in which they were made", "words.py",
         "order = permutation(_order_stream(coin), b.total)", "order = np.arange(b.total)",
         f"{_WORDS}::test_two_equal_errors_pass_as_often_as_computed"),
    _row("the order of word triples does not come from the coin", "words.py",
         'derive(coin, b"order of word triples")', 'derive(bytes(32), b"order of word triples")',
         f"{_WORDS}::test_the_coin_comes_after_the_products_and_orders_them"),
    _row("the order of word triples is known before the products", "words.py",
         """    z = yield from product.conj(batch.party.at("products"), x, y)
    batch.multiplied(z.data[0, 0], z.data[1, 0])
    # Only now: the order must not be known while anybody can still choose what it sends as a product.
    coin = yield from flip(batch.party.at("coin"))
""",
         """    coin = yield from flip(batch.party.at("coin"))
    z = yield from product.conj(batch.party.at("products"), x, y)
    batch.multiplied(z.data[0, 0], z.data[1, 0])
""", f"{_WORDS}::test_the_coin_comes_after_the_products_and_orders_them"),
    _row("shown word triples are not checked", "words.py",
         "zero = yield from _compare(batch.party, b, *ordered)",
         "zero = (yield from _compare(batch.party, b, *ordered))[:, : b.compared]",
         f"{_WORDS}::test_other_numbers_of_errors_never_fill_buckets_of_two"),
    _row("buckets are not compared", "words.py",
         "zero = yield from _compare(batch.party, b, *ordered)",
         "zero = (yield from _compare(batch.party, b, *ordered))[:, b.compared :]",
         f"{_WORDS}::test_one_wrong_bit_of_one_triple_is_found_by_both_others"),
    _row("messages of word triples are not noted", "words.py",
         "    batch.multiplied(z.data[0, 0], z.data[1, 0])\n", "",
         f"{_WORDS}::test_who_made_a_wrong_triple_is_found_out"),
    _row("word triples are used twice", "words.py", "        self._next += words\n", "",
         f"{_WORDS}::test_a_triple_is_taken_once"),
    _row("more word triples than there are", "words.py", "if not 0 <= words <= self.left:", "if False:",
         f"{_WORDS}::test_a_triple_is_taken_once"),
    _row("word triples of any recipe", "words.py",
         "if recipe.kind != WORDS or len(recipe.sizes) != 3 or min(recipe.sizes) < 1:", "if False:",
         f"{_WORDS}::test_other_recipes_are_refused"),
]  # fmt: skip

OPERATIONS = [
    _row("a factor of an AND is shown", "gates.py",
         "np.bitwise_xor(y.data.reshape(2, words), b, out=masked[:, 1])",
         "b = b * np.uint64(0); c = c * np.uint64(0); masked[:, 1] = y.data.reshape(2, words)",
         _PRIVATE),
    _row("AND of two shapes", "gates.py", "if x.data.shape != y.data.shape or x.shape != y.shape:",
         "if False:", f"{_COMPARE}::test_conj_needs_equal_shapes"),
    _row("both products of a bit by one triple", "convert.py", "_part(spare, n, 2 * n)", "_part(spare, 0, n)",
         _PRIVATE),
    _row("carries of two sizes", "convert.py", "if len({x.size for x in xs}) != 1:", "if False:",
         f"{_CONVERT}::test_carries_are_saved_of_arrays_of_one_size_only"),
    _row("several planes as numbers", "convert.py", "if x.planes != 1:", "if False:",
         f"{_CONVERT}::test_only_one_plane_becomes_numbers"),
    _row("wide ranges by two signs", "compare.py", "if high - low < 1 << 63:", "if True:",
         f"{_COMPARE}::test_ranges_are_exact"),
    _row("range without its lower bound", "compare.py",
         "conj(c.negate(too_small), c.negate(too_big))", "conj(c.negate(too_big), c.negate(too_big))",
         f"{_COMPARE}::test_ranges_are_exact"),
    _row("bounds beyond int64", "compare.py", "if not -(1 << 63) <= low <= high < 1 << 63:", "if False:",
         f"{_COMPARE}::test_what_is_no_range_is_refused"),
    _row("comparison of two shapes", "compare.py", "if x.shape != y.shape:", "if False:",
         f"{_COMPARE}::test_shapes_must_be_equal"),
    _row("an engine without checks checks", "engine.py", "party if checked else party.trusting()", "party",
         _TESTS + "test_costs.py"),
]  # fmt: skip

ROWS = [*TRIPLES, *OPERATIONS]
