"""Log lines of the daemons: to standard error, one line each, with keys from a list and never a value.

A key that is not on the list is dropped, so that no careless log call can write a share or a bid. Of an
exception only the type and the place are written: its text may hold anything.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import structlog

from mpcd.identity.config import Log

ALLOWED = frozenset(
    {"event", "level", "timestamp", "logger", "name", "role", "party", "job", "state", "kind", "method"}
    | {"error", "at", "address", "port", "links", "stage", "count", "version"}
)
MAX_TEXT = 400


def configure(log: Log) -> None:
    """Set up logging for this process."""
    last: Any = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if log.format == "json"
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, log.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries that log by themselves, asyncio for one, would write texts of exceptions.
    logging.basicConfig(level=logging.CRITICAL, force=True)


def keep_allowed(_logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what is not on the list; shorten what is long; of an exception keep the place."""
    kept = {key: _short(value) for key, value in event.items() if key in ALLOWED}
    error = event.get("exc_info")
    if isinstance(error, BaseException) and error.__traceback__ is not None:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        kept["at"] = f"{frame.filename.rpartition('/mpcd/')[2]}:{frame.lineno}"
    return kept


def _short(value: Any) -> Any:
    return value if isinstance(value, int | float) else str(value)[:MAX_TEXT]
