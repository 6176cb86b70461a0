"""The checks of rep3: masks, openings, coins, batches, checked triples, keys."""

from __future__ import annotations

from tests.mutation.row import Mutation

_CODE = "mpcd/protocols/rep3/"
_TESTS = "tests/protocols/rep3/"
_PRODUCT, _OPENING = _TESTS + "test_product.py", _TESTS + "test_opening.py"
_TRIPLES, _DISPUTES = _TESTS + "test_triples.py", _TESTS + "test_disputes.py"
_ENGINE = _TESTS + "test_engine.py"
_ERRORS = f"{_TRIPLES}::test_an_additive_error_is_found_by_both"
_SILENCE = (
    _TESTS + "test_arithmetic.py::test_a_party_whose_check_failed_says_nothing_more_and_nobody_uses_the_batch"
)
_ELSEWHERE = f"{_ENGINE}::test_the_same_program_elsewhere_sends_other_messages"
_BATCH_KEYS = f"{_DISPUTES}::test_the_keys_of_a_batch_are_its_own_and_give_nothing_else_away"


def _row(name: str, file: str, old: str, new: str, tests: str) -> Mutation:
    return Mutation(f"rep3: {name}", _CODE + file, old, new, tests)


MESSAGES = [
    _row("product without masks", "product.py", "out[0] -= other", "out[0][:] = terms",
         f"{_PRODUCT}::test_what_a_party_receives_is_uniform"),
    _row("product of bits without masks", "product.py", "out[0] ^= other", "out[0][:] = terms",
         f"{_PRODUCT}::test_what_a_party_receives_is_uniform"),
    _row("opening without its tag", "opening.py", 'Round(f"{p.path}/open", send, vouch, recv, vouched)',
         'Round(f"{p.path}/open", send, {}, recv, {})', _OPENING),
    _row("bits behind the last flag are sent", "opening.py", "(x.data & tail_mask(x.size)).reshape(2, -1)",
         "x.data.reshape(2, -1)", f"{_OPENING}::test_bits_behind_the_last_flag_are_not_sent"),
    _row("a coin as short as its tag", "coin.py", "COIN_WORDS = 4", "COIN_WORDS = 2",
         f"{_TESTS}test_rushing.py::test_a_tag_does_not_tell_the_coin"),
]  # fmt: skip

BATCHES = [
    _row("hashes are not compared", "batch.py", "if any(heard != shown for heard in self._heard.values()):",
         "if False:", _ERRORS),
    _row("one equal hash is enough", "batch.py", "if any(heard != shown for heard in self._heard.values()):",
         "if all(heard != shown for heard in self._heard.values()):", _SILENCE),
    _row("a batch is used without a silent round", "batch.py",
         'yield from idle(f"{self.path}/settled")', "pass", _SILENCE),
    _row("a batch is forgotten before it is settled", "batch.py",
         "self._ledger[self.path] = self", "self._ledger.pop(self.path, None)",
         f"{_DISPUTES}::test_a_batch_stands_in_the_book_of_all_places_until_the_silent_round_is_over"),
    _row("a batch is told of before its check", "engine.py",
         "in tuple(self.party.batches.values()) if batch.shown]", "in tuple(self.party.batches.values())]",
         f"{_ENGINE}::test_the_engine_tells_of_batches_that_are_in_their_check"),
    _row("an engine that checks has nothing to check with", "engine.py",
         "if checked and not party.roots:", "if False:",
         f"{_ENGINE}::test_a_party_without_roots_is_not_taken_for_one_that_checks"),
    _row("a path has two batches", "party.py",
         'self.streams.open_named(key, stream_name(f"{self.path} batch"))', "pass",
         f"{_TRIPLES}::test_a_batch_is_made_once_and_needs_roots"),
    _row("all batches have the same keys", "party.py", 'b"batch", self.path.encode(), length',
         'b"batch", length', _BATCH_KEYS),
]  # fmt: skip

TRIPLES = [
    _row("the coin comes before the products", "triples.py",
         """    products = yield from _multiply(batch, shape, a, b, mask, blinds)
    # Only now: the factors must not be known while anybody can still choose what it sends as a product.
    coin = yield from flip(batch.party.at("coin"))
""",
         """    coin = yield from flip(batch.party.at("coin"))
    products = yield from _multiply(batch, shape, a, b, mask, blinds)
""", f"{_TRIPLES}::test_the_coin_is_drawn_when_the_products_are_in"),
    _row("factors of 40 bits", "triples.py", "CHALLENGE_BITS = 64", "CHALLENGE_BITS = 40",
         f"{_TRIPLES}::test_factors_have_64_bits"),
    _row("products are checked modulo 2^64 only", "triples.py",
         "zero_hash(p.me, residues[0], residues[1], implied)",
         "zero_hash(p.me, residues[0][:1], residues[1][:1], implied[:1])", _ERRORS),
    _row("triples of any recipe", "triples.py", "if any(size < 0 for size in recipe.sizes):", "if False:",
         f"{_TRIPLES}::test_unknown_batches_are_refused"),
]  # fmt: skip

KEYS = [
    _row("streams without the session", "engine.py", 'place = session, epoch.to_bytes(4, "little"), history',
         'place = epoch.to_bytes(4, "little"), history', f"{_ELSEWHERE}[session-True]"),
    _row("streams without the epoch", "engine.py", 'place = session, epoch.to_bytes(4, "little"), history',
         "place = session, history", f"{_ELSEWHERE}[epoch-True]"),
    _row("streams without the history", "engine.py", 'place = session, epoch.to_bytes(4, "little"), history',
         'place = session, epoch.to_bytes(4, "little")', f"{_ELSEWHERE}[history-True]"),
    _row("engine with a key too many", "engine.py", "set(keys) != set(held(me))", "False",
         f"{_ENGINE}::test_a_party_has_exactly_the_keys_of_its_pieces"),
]  # fmt: skip

ROWS = [*MESSAGES, *BATCHES, *TRIPLES, *KEYS]
