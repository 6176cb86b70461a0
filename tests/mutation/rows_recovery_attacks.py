"""Attacks on recovery: what would show keys, or cost an honest party its place."""

# ruff: noqa: E501

from __future__ import annotations

from tests.mutation.row import Mutation

_ANSWERS = "mpcd/protocols/agreement/key_answers.py"
_T_KEYS = "tests/party/test_key_complaints.py"

ROWS = [
    Mutation("recovery: complaints of all about all are answered", _ANSWERS,
             "    if not isinstance(fault, Pair):\n        return fault\n",
             "    if not isinstance(fault, Pair):\n        return in_question(said, scheme)\n",
             f"{_T_KEYS}::test_a_party_that_was_cut_off_from_all_is_done_without_and_nobody_shows_keys"),
    Mutation("recovery: both contributions to a key of two are shown", _ANSWERS,
             "    if all(scheme.holders(key) & here - fault.parties for keys in asked.values() for key in keys):\n",
             "    if True:\n",
             f"{_T_KEYS}::test_of_three_parties_nobody_shows_keys_because_no_other_one_has_contributed"),
    Mutation("recovery: a contribution that is a constant guards a key", _ANSWERS,
             "if all(scheme.holders(key) & here - fault.parties ", "if all(scheme.holders(key) - fault.parties ",
             f"{_T_KEYS}::test_after_one_party_was_dropped_nobody_shows_keys_either"),
]  # fmt: skip
