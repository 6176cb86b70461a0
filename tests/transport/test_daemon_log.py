"""Log lines carry listed keys only, and of an exception the place and not the text."""

from __future__ import annotations

from mpcd.transport.daemon_log import MAX_TEXT, keep_allowed


def test_keys_that_are_not_listed_are_dropped() -> None:
    kept = keep_allowed(None, "info", {"event": "job", "job": "ab", "bid": 4711, "share": b"secret"})
    assert kept == {"event": "job", "job": "ab"}


def test_long_values_are_cut() -> None:
    kept = keep_allowed(None, "info", {"event": "x" * 5000, "count": 5})
    assert len(kept["event"]) == MAX_TEXT
    assert kept["count"] == 5


def test_an_exception_leaves_its_place_and_not_its_text() -> None:
    try:
        raise ValueError("the bid is 4711")
    except ValueError as error:
        kept = keep_allowed(None, "error", {"event": "bug", "exc_info": error, "error": "ValueError"})
    assert "4711" not in str(kept)
    assert kept["at"].rpartition("/")[2].startswith("test_daemon_log.py:")
