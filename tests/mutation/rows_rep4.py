"""The checks of rep4: joint messages, products, openings, comparisons, streams, keys, inputs, outputs."""

from __future__ import annotations

from tests.mutation.row import Mutation

_CODE = "mpcd/protocols/rep4/"
_TESTS = "tests/protocols/rep4/"
_KEYS, _INPUTS, _OUTPUTS = _TESTS + "test_keys.py", _TESTS + "test_inputs.py", _TESTS + "test_outputs.py"
_OPENING, _COMPARE = _TESTS + "test_opening.py", _TESTS + "test_compare.py"
_LIES = _TESTS + "test_compare_dishonest.py::test_every_message_of_every_sender[shift-to_arithmetic-3]"
_BACKED = _TESTS + "test_compare_dishonest.py::test_every_message_has_a_backup[to_arithmetic-3]"
_VIEWS = _TESTS + "test_multiply_private.py::test_what_a_party_receives_is_uniform_whatever_is_hidden"
_LARGE_VIEWS = _TESTS + "test_compare_private.py::test_what_a_party_receives_is_uniform_whatever_is_hidden"
_NAMES = _TESTS + "test_multiply_private.py::test_every_component_of_a_streams_name_changes_its_words"


def _row(name: str, file: str, old: str, new: str, tests: str) -> Mutation:
    return Mutation(name, _CODE + file, old, new, tests)


MESSAGES = [
    _row("joint message without its tag", "jump.py", "Round(p.path, send, vouch, recv, vouched)",
         "Round(p.path, send, {}, recv, {})", _LIES),
    _row("product without its tags", "exchange.py", "Round(p.path, send, vouch, recv, vouched)",
         "Round(p.path, send, {}, recv, {})", _TESTS + "test_dishonest.py::"
         "test_every_message_of_a_product_is_vouched_for"),
    _row("joint message without a pad", "jump.py", "streams[row.receiver].fill(pad)", "pad.fill(0)",
         f"{_VIEWS}[0-0-hand_over]"),
    _row("small product without pads", "exchange.py",
         "return drawn[task.number][start - offset : stop - offset]",
         "return np.zeros(stop - start, np.uint64)", f"{_VIEWS}[0-0-square]"),
    _row("large product without pads", "exchange.py", "readers[task.number].fill(pad)", "pad.fill(0)",
         f"{_LARGE_VIEWS}[0-0-less_full]"),
    _row("joint message of no value", "jump.py", "if j.value is None or j.value.shape != j.shape:",
         "if j.value is not None and j.value.shape != j.shape:",
         _TESTS + "test_dishonest.py::test_a_value_must_be_given_by_those_who_know_it"),
    _row("joint message of planes of any length", "jump.py",
         "if any(len(j.shape) != 2 or j.shape[1] != words for j in jumps):", "if False:",
         _TESTS + "test_dishonest.py::test_a_value_must_be_given_by_those_who_know_it"),
    _row("stream opened twice", "../../ring/streams.py", "if iv in used:", "if False:",
         "tests/ring/test_streams.py::test_a_stream_is_opened_once"),
    _row("streams without the session", "engine.py", 'b"stream", session, stamp', 'b"stream", stamp', _NAMES),
    _row("streams without the epoch", "engine.py", 'b"stream", session, stamp', 'b"stream", session', _NAMES),
    _row("engine with a key too many", "engine.py", "set(keys) != set(range(PARTIES)) - {me}", "False",
         _TESTS + "test_engine.py::test_a_party_has_exactly_the_keys_of_the_others"),
    _row("NOT leaves summand 0 dead", "sharing.py", "return Bits4(data, x.shape, x.live | {0})",
         "return Bits4(data, x.shape, x.live)", _TESTS + "test_sharing.py::test_not_makes_summand_0_live"),
]  # fmt: skip

OPENINGS = [
    _row("two values are taken for equal", "opening.py",
         "if np.array_equal(answers[near], answers[far]):", "if True:", _OPENING),
    _row("the digest is not compared", "opening.py",
         "if holder in answers and np.array_equal(_digest_of(answers[holder]), answers[third]):",
         "if holder in answers:", _OPENING),
    _row("one answer is enough", "opening.py", "if len(answers) < 2:", "if not answers:", _OPENING),
    _row("bits behind the last flag are shown", "opening.py",
         "(x.data & tail_mask(x.size)).reshape(3, -1)", "x.data.reshape(3, -1)",
         f"{_OPENING}::test_bits_behind_the_last_flag_stay_hidden"),
    _row("a wrong digest is not noted", "opening.py", "p.notice(path, third)", "pass", _OPENING),
    _row("a wrong value is not noted", "opening.py", "p.notice(path, other)", "pass", _OPENING),
]  # fmt: skip

COMPARISONS = [
    _row("wide ranges by two signs", "compare.py", "if high - low < 1 << 63:", "if True:",
         f"{_COMPARE}::test_the_range_check_is_exact_for_every_value_and_every_range"),
    _row("range without its lower bound", "compare.py",
         "conj(p.at(\"both\"), negate(p.me, too_small), negate(p.me, too_big))",
         "conj(p.at(\"both\"), negate(p.me, too_big), negate(p.me, too_big))",
         f"{_COMPARE}::test_the_range_check_is_exact_for_every_value_and_every_range"),
    _row("range without its upper bound", "compare.py",
         "conj(p.at(\"both\"), negate(p.me, too_small), negate(p.me, too_big))",
         "conj(p.at(\"both\"), negate(p.me, too_small), negate(p.me, too_small))",
         f"{_COMPARE}::test_the_range_check_is_exact_for_every_value_and_every_range"),
    _row("bounds beyond int64", "compare.py", "if not -(1 << 63) <= low <= high < 1 << 63:", "if False:",
         f"{_COMPARE}::test_a_range_must_be_one"),
    _row("comparison of two shapes", "compare.py", "if x.shape != y.shape:", "if False:",
         f"{_COMPARE}::test_shapes_must_be_equal"),
    _row("halves of two sizes", "convert.py", "if len({x.size for x in xs}) != 1:", "if False:",
         _TESTS + "test_convert.py::test_halves_need_arrays_of_one_size"),
    _row("several planes as numbers", "convert.py", "if x.planes != 1:", "if False:",
         _TESTS + "test_convert.py::test_only_one_plane_becomes_numbers"),
]  # fmt: skip

KEYS = [
    _row("key contribution not compared", "keys.py",
         "return well_formed and hmac.compare_digest(_commitment(session, member, a, claimed), commitment)",
         "return well_formed", _KEYS),
    _row("key contribution of any length", "keys.py", "len(claimed.key) == KEY_BYTES and ", "", _KEYS),
    _row("key salt of any length", "keys.py", " and len(claimed.salt) == SALT_BYTES", "", _KEYS),
    _row("key contribution missing or too many", "keys.py", "return set(received) == wanted and all(",
         "return all(", _KEYS),
    _row("forbidden key contribution not noticed", "keys.py", "return set(received) == wanted and all(",
         "return set(received) >= wanted and all(", _KEYS),
    _row("key sent to the party that must not know it", "keys.py", " if peer in scheme.holders(a)}", "}", _KEYS),
    _row("keys combined in spite of a complaint", "keys.py", "    if bad:", "    if False:", _KEYS),
    _row("key commitment without its committer", "keys.py", "session, bytes([member]), bytes([a]),",
         "session, bytes([a]),", f"{_KEYS}::test_a_commitment_cannot_be_copied_from_another_member"),
    _row("key commitment without its key", "keys.py", "session, bytes([member]), bytes([a]),",
         "session, bytes([member]),",
         f"{_KEYS}::test_a_commitment_opens_in_its_own_session_and_for_its_own_key_only"),
    _row("key commitment without its session", "keys.py", "session, bytes([member]), bytes([a]),",
         "bytes([member]), bytes([a]),",
         f"{_KEYS}::test_a_commitment_opens_in_its_own_session_and_for_its_own_key_only"),
    _row("contributions for other keys than one's own", "keys.py", "if set(own) != set(scheme.held(me)):", "if False:",
         _KEYS),
]  # fmt: skip

_BINDING = f"{_INPUTS}::test_a_commitment_opens_in_one_way_only"
_LENGTH = f"{_INPUTS}::test_an_owner_cannot_commit_to_a_payload_of_another_length"

INPUTS = [
    _row("input commitment not compared", "inputs.py",
         "hmac.compare_digest(_commitment(context, a, rows, payload, salt), commitment)", "True", _BINDING),
    _row("input payload of any length", "inputs.py",
         "len(payload) == payload_bytes(a, rows, columns, scheme) and ", "", _LENGTH),
    _row("input salt of any length", "inputs.py", " and len(salt) == SALT_BYTES", "", _LENGTH),
    _row("input commitment without its summand", "inputs.py",
         "*context.parts(), bytes([a]), rows.to_bytes", "*context.parts(), rows.to_bytes", _BINDING),
    _row("input commitment without its rows", "inputs.py", 'rows.to_bytes(8, "big"), payload', "payload",
         f"{_INPUTS}::test_known_answers"),
    _row("input without its session", "inputs.py", "return self.session, self.owner_key,",
         "return b'', self.owner_key,", _BINDING),
    _row("input without its owner", "inputs.py", "return self.session, self.owner_key,",
         "return self.session, b'',", _BINDING),
    _row("input without its name", "inputs.py", "self.owner_key, self.name.encode()", "self.owner_key, b''",
         _BINDING),
    _row("seed without its summand", "inputs.py", "*context.parts(), bytes([a])), words)",
         "*context.parts()), words)",
         f"{_INPUTS}::test_seeds_are_expanded_for_one_summand_of_one_input_of_one_session"),
    _row("payloads of another party", "inputs.py", "if set(payloads) != set(scheme.held(place)):", "if False:",
         f"{_INPUTS}::test_misuse_is_refused"),
]  # fmt: skip

OUTPUTS = [
    _row("one vote is a majority", "outputs.py", "said.count(com) >= 2", "said.count(com) >= 1", _OUTPUTS),
    _row("a vote on the summand one must not hold", "outputs.py",
         "said = [claims[p][a] for p in holders(a) if a in claims.get(p, {})]",
         "said = [claims[p][a] for p in range(4) if a in claims.get(p, {})]", _OUTPUTS),
    _row("output opening not compared", "outputs.py",
         "return well_formed and hmac.compare_digest(commitment(place, a, claimed), com)",
         "return well_formed", _OUTPUTS),
    _row("output summand of any length", "outputs.py",
         "len(claimed.summand) == 8 * words and ", "", _OUTPUTS),
    _row("salt of an output from no key", "outputs.py", "derive(key, b\"mpcd output salt\"",
         "derive(bytes(32), b\"mpcd output salt\"", _OUTPUTS),
    _row("output without its session", "outputs.py", "return self.session, self.output.encode(),",
         "return b'', self.output.encode(),", _OUTPUTS),
    _row("output without its recipient", "outputs.py", "self.output.encode(), self.recipient.encode()",
         "self.output.encode(), b''", _OUTPUTS),
    _row("output assembled from three summands", "outputs.py",
         "if set(summands) != set(range(PARTIES)):", "if False:", _OUTPUTS),
]  # fmt: skip

ROWS = [*MESSAGES, *OPENINGS, *COMPARISONS, *KEYS, *INPUTS, *OUTPUTS]
