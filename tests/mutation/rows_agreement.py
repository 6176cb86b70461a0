"""The checks of agreement: chains of signatures, and what the families of slots decide."""

from __future__ import annotations

from tests.mutation.row import Mutation

_SLOTS, _CHAINS = "mpcd/protocols/agreement/dolev_strong.py", "mpcd/protocols/agreement/chains.py"
_OUTCOMES = "mpcd/protocols/agreement/outcomes.py"
_OF_SLOTS, _OF_OUTCOMES = (
    "tests/protocols/agreement/test_dolev_strong.py",
    ("tests/protocols/agreement/test_outcomes.py"),
)

ROWS = [
    Mutation("a chain of any length counts in any round", _SLOTS, "if len(chain.signatures) < number:",
             "if False:", f"{_OF_SLOTS}::test_a_value_first_shown_in_the_last_round_is_not_accepted"),
    Mutation("signatures are not verified", _SLOTS, "if not self._all_valid(chain, digest):", "if False:",
             f"{_OF_SLOTS}::test_what_was_not_signed_for_this_slot_does_not_count"),
    Mutation("only the sender's signature is verified", _SLOTS, "in chain.signatures:",
             "in chain.signatures[:1]:",
             f"{_OF_SLOTS}::test_a_cheater_cannot_lengthen_a_chain_with_forged_signatures"),
    Mutation("only one value of a sender is passed on", _CHAINS, "VALUES_FORWARDED = 2",
             "VALUES_FORWARDED = 1", f"{_OF_SLOTS}::test_two_signed_values_are_seen_by_all_and_proven"),
    Mutation("statements without the slot", _CHAINS,
             'struct.pack("<IB", len(slot_id), sender) + slot_id + digest',
             'struct.pack("<IB", 0, sender) + digest',
             f"{_OF_SLOTS}::test_what_was_not_signed_for_this_slot_does_not_count"),
    Mutation("signers may repeat", _CHAINS, " or len(set(signers)) != len(signers)", "",
             _OF_SLOTS),
    Mutation("anybody may sign first", _CHAINS, "signers[0] != chain.sender", "False",
             f"{_OF_SLOTS}::test_a_cheater_cannot_speak_for_an_honest_party_by_dropping_its_signature"),
    Mutation("a session without all nonces", _OUTCOMES, "len(outcome) - len(nonces) > without", "False",
             f"{_OF_OUTCOMES}::test_one_party_without_a_nonce_voids_the_attempt"),
]  # fmt: skip
