"""The checks of frames: tags, headers, lengths, silence, nonces."""

from __future__ import annotations

from tests.mutation.row import Mutation

_FRAMES, _TAGGING = "mpcd/runtime/frames.py", "mpcd/runtime/tagging.py"
_FEW, _SMALL = "mpcd/runtime/small_frames.py", "tests/runtime/test_small_frames.py"
_REFUSED, _GOOD = "tests/runtime/test_frames_refused.py", "tests/runtime/test_frames.py"

ROWS = [
    Mutation("tags are not verified", _FRAMES, "for check in current.layout.checks:", "for check in ():",
             f"{_REFUSED}::test_a_change_of_any_byte_is_refused_and_blamed"),
    Mutation("headers are not compared", _FRAMES, "if frame[:HEADER_BYTES].tobytes() != expected:",
             "if False:", _REFUSED),
    Mutation("a backup may be silent", _FRAMES, " or p in backups)", ")",
             f"{_GOOD}::test_an_absent_backup_is_never_excused"),
    Mutation("anybody may be silent", _FRAMES, "        if faulty:", "        if False:",
             f"{_GOOD}::test_silence_is_a_channel_error_and_accuses_nobody"),
    Mutation("a round number serves twice", _FRAMES, "if number <= self._last:", "if False:",
             f"{_GOOD}::test_a_round_number_is_used_once"),
    Mutation("another round than the last is decoded", _FRAMES,
             "if current is None or current.number != number or current.round is not r:",
             "if current is None:",
             f"{_GOOD}::test_only_the_round_just_encoded_is_decoded_and_only_once"),
    Mutation("a blob above its limit", _FRAMES, "if size > limit:", "if False:", _REFUSED),
    Mutation("bytes behind the last blob", _FRAMES, "    if at != end:", "    if False:",
             f"{_REFUSED}::test_bytes_left_over_behind_a_blob_are_refused"),
    Mutation("small frames are not compared", _FEW,
             'if not compare_digest(b"".join(doing.frames(pieces)), received):', "if False:", _SMALL),
    Mutation("two small frames taken for one", "mpcd/transport/stream.py",
             " and _LENGTH.unpack_from(inbox)[0] == limit:", ":",
             "tests/transport/test_links.py::test_two_frames_that_look_like_one_are_two"),
    Mutation("small frames of any lengths", _FEW, "if [*map(len, came)] != self._lengths:", "if False:",
             f"{_SMALL}::test_frames_that_miss_or_have_another_length_are_refused"),
    Mutation("small frames with unaligned words", _FEW, "if not words.flags.aligned:", "if False:",
             f"{_SMALL}::test_small_rounds_go_the_shorter_way"),
]  # fmt: skip
