"""The checks of agreement that `rows_agreement` leaves: echoes, limits, forms, inputs, holdings, start."""

from __future__ import annotations

from tests.mutation.row import Mutation

_SLOTS, _CHAINS = "mpcd/protocols/agreement/dolev_strong.py", "mpcd/protocols/agreement/chains.py"
_OUTCOMES = "mpcd/protocols/agreement/outcomes.py"
_OF_SLOTS, _OF_OUTCOMES = (
    "tests/protocols/agreement/test_dolev_strong.py",
    "tests/protocols/agreement/test_outcomes.py",
)

ROWS = [
    Mutation("accepted values are not passed on", _SLOTS, "if book.accepts(chain, number) and number <= t:", "if book.accepts(chain, number) and False:",
             f"{_OF_SLOTS}::test_no_way_of_showing_two_values_splits_the_honest"),
    Mutation("bodies without a limit", _CHAINS, "if length > max_body or at", "if at",
             f"{_OF_SLOTS}::test_what_was_not_signed_for_this_slot_does_not_count"),
    Mutation("bytes after a letter", _CHAINS, "    if at != len(letter):", "    if False:",
             f"{_OF_SLOTS}::test_letters_survive_their_bytes_and_truncation_does_not"),
    Mutation("any number of values in a letter", _CHAINS, "== chain.sender) > VALUES_FORWARDED:", "== chain.sender) > 99:",
             f"{_OF_SLOTS}::test_three_values_of_one_sender_in_a_letter_are_no_letter"),
    Mutation("statements without the sender", _CHAINS, "struct.pack(\"<IB\", len(slot_id), sender)", "struct.pack(\"<IB\", len(slot_id), 0)",
             f"{_OF_SLOTS}::test_a_signature_on_a_value_of_one_sender_is_none_for_another"),
    Mutation("nonces of any length", _OUTCOMES, " if len(nonce) == NONCE_BYTES}", "}",
             f"{_OF_OUTCOMES}::test_one_party_without_a_nonce_voids_the_attempt"),
    Mutation("commitments to keys of any length", _OUTCOMES, "if len(body) == DIGEST_BYTES * len(held):", "if True:",
             f"{_OF_OUTCOMES}::test_key_commitments_are_listed_by_contributor_and_key"),
    Mutation("two entries of one owner", _OUTCOMES, "if len(found.get(key, ())) == 1}", "if found.get(key, ())}",
             f"{_OF_OUTCOMES}::test_two_valid_entries_of_one_owner_exclude_it_with_proof"),
    Mutation("inputs of strangers", _OUTCOMES, "if key is not None and key in expected:", "if key is not None:",
             f"{_OF_OUTCOMES}::test_two_entries_of_a_stranger_are_nobodys_business"),
    Mutation("one holder is enough", _OUTCOMES, "len(holders[key, a]) >= enough[a]", "len(holders[key, a]) >= 1",
             f"{_OF_OUTCOMES}::test_two_of_three_holders_are_enough_and_one_is_not"),
    Mutation("an accepted input that an honest holder lacks", _OUTCOMES, "len(holders[key, a]) >= enough[a]", "len(holders[key, a]) >= 1",
             f"{_OF_OUTCOMES}::test_whatever_one_liar_says_accepted_inputs_reach_every_honest_holder"),
    Mutation("a party holds its own summand", _OUTCOMES, "may = scheme.holders(a) & frozenset(outcome)", "may = frozenset(outcome)",
             f"{_OF_OUTCOMES}::test_nobody_holds_its_own_summand_even_if_it_says_so"),
    Mutation("bitmaps of any length", _OUTCOMES, "if len(body) == size}\n    holders", "}\n    holders",
             f"{_OF_OUTCOMES}::test_no_bitmap_of_the_right_length_is_zeros"),
    Mutation("starting without all", _OUTCOMES, "return Start(len(yes) == len(outcome),", "return Start(len(yes) > 0,",
             f"{_OF_OUTCOMES}::test_start_needs_every_party"),
]  # fmt: skip
