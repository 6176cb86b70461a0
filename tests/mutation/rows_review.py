"""Checks that an attack script found missing; each has its attack as a test."""

from __future__ import annotations

from tests.mutation.row import Mutation

_FRAMES, _SLOTS, _DESK = "mpcd/runtime/frames.py", "mpcd/party/slot_run.py", "mpcd/party/desk.py"
_AGREEMENT, _REUSED = "mpcd/protocols/agreement/", "tests/protocols/agreement/test_reused_signatures.py"
_TAKEN = "        if len(data) > header.size_bytes or header.size_bytes > most_bytes:\n            break\n"
_ALL, _FLOOD = "mpcd/party/slots.py", "tests/party/test_slots_flood.py"
_GONE, _PAST = "mpcd/party/past.py", "tests/party/test_past.py"
_ABSENT, _LEFT = "tests/runtime/test_frames_absent.py", "tests/party/test_slots_left.py"

ROWS = [
    Mutation("a malformed frame is never silence", _FRAMES, "if peer not in r.absent:\n", "if True:\n",
             f"{_ABSENT}::test_an_opening_survives_malformed_frames_to_one_party"),
    Mutation("a malformed blob is never silence", _FRAMES, "if peer not in current.round.absent:\n",
             "if True:\n",
             f"{_ABSENT}::test_a_blob_of_another_length_than_it_says_is_left_out"),
    Mutation("who has left is given up at once", _SLOTS,
             "self.left_at.get(p, end) + self.seat.delta_s for p", "self.left_at.get(p, end) for p", _LEFT),
    Mutation("who has left is waited for", _SLOTS,
             "self.left_at.get(p, end) + self.seat.delta_s for p", "end for p", _LEFT),
    Mutation("forged marks have no limit", _ALL, " or self._forged[peer] > MAX_FORGED", "", _FLOOD),
    Mutation("marks that come early are not counted", _ALL,
             "in early.take(key):\n                    self._forged[peer] += run.take",
             "in early.take(key):\n                    run.take", _FLOOD),
    Mutation("a goodbye is verified again and again", _ALL,
             "[m for m in marks if m.party not in self._left]", "marks", _FLOOD),
    Mutation("a peer that waits fills its places", "mpcd/party/slot_early.py",
             "        if kept is not None:\n", "        if False:\n", _FLOOD),
    Mutation("ended jobs stay in memory", _GONE, "            del self._lives[known]\n",
             "            pass\n", _PAST),
    Mutation("what is being resumed is given up", _GONE,
             "for known, other in self._lives.items() if other.state in TERMINAL]",
             "for known in self._lives]",
             _PAST),
    Mutation("a forgotten job is still at hand", _GONE,
             "            self._lives.pop(job, None)\n            raise\n", "            pass\n", _PAST),
    Mutation("a receipt of a forgotten job", "mpcd/storage/statements.py",
             "SELECT job, ? FROM jobs WHERE job = ? ", "VALUES (?2, ?1) ", "tests/storage/test_retention.py"),
    Mutation("an output of any length is taken", "mpcd/party/peers.py",
             _TAKEN, "",
             "tests/party/test_peers.py::test_a_holder_cannot_send_more_than_the_output_can_have"),
    Mutation("outputs may be as long as the job allows", "mpcd/party/proposals.py",
             "dims[first] = min(dims[first], brought[argument])", "pass",
             "tests/party/test_output_lengths.py"),
    Mutation("boxes of any summand are kept", "mpcd/party/mail.py",
             "or not set(summands) <= set(held):", "or False:", "tests/party/test_openings.py"),
    Mutation("any number of boxes is kept", "mpcd/party/mail.py",
             "if len(summands) > len(held) or", "if", "tests/party/test_openings.py"),
    Mutation("one sender fills the desk for all", _DESK, "self._opened.setdefault(sender, set())",
             "self._opened.setdefault('', set())", "tests/party/test_openings.py"),
    Mutation("statements without their sender", _AGREEMENT + "chains.py",
             'struct.pack("<IB", len(slot_id), sender)', 'struct.pack("<IB", len(slot_id), 0)', _REUSED),
    Mutation("a good signature vouches for a bad one", _AGREEMENT + "dolev_strong.py",
             "key = (signer, words, signature)", "key = (signer, words, b'')", _REUSED),
    Mutation("entries for unexpected inputs", _AGREEMENT + "outcomes.py",
             "if key is not None and key in expected:", "if key is not None:",
             "tests/protocols/agreement/test_unexpected_inputs.py"),
]  # fmt: skip
