"""A store that is not the latest is noticed by those who have met its daemon."""

from __future__ import annotations

from tests.mutation.row import Mutation

_T = "tests/storage/test_starts.py::test_a_start_that_contradicts_the_last_one_is_noticed"

ROWS = [
    Mutation("start: a lower number is as good as a higher one", "mpcd/storage/starts.py",
             "return start.number < number or start.mark_of", "return start.mark_of", _T),
    Mutation("start: marks say nothing", "mpcd/storage/starts.py",
             "return start.number < number or start.mark_of(number) not in (None, mark)", "return start.number < number", _T),
    Mutation("start: a stream need not say which", "mpcd/party/peer_service.py",
             "        await self._mail.hello(sender, first.start)\n", "", "tests/party/test_greeting.py::test_a_stream_begins_with_the_start"),
    Mutation("start: who has another store is heard all the same", "mpcd/party/greeting.py",
             "        if seen is None:\n", "        if seen is None or seen:\n", "tests/party/test_greeting.py::test_an_old_store_is_told_to_both_operators"),
]  # fmt: skip
