"""Our errors as gRPC statuses and back: the one place that decides what another process is told.

A peer is told `what` happened, never where in our files, and of a bug nothing but that there was one.
The local operator, over the Unix socket, is told everything that the error says.
"""

from __future__ import annotations

from typing import Any

import grpc

from mpcd.errors import (
    ChannelError,
    ConfigError,
    DataError,
    DeadlineError,
    InternalError,
    MpcdError,
    NotFoundError,
    PeerError,
    RefusedError,
    UsageError,
)

WHERE_KEY = "mpcd-where-bin"
FIX_KEY = "mpcd-fix-bin"
KIND_KEY = "mpcd-kind"
MAX_TEXT = 2000

Status = grpc.StatusCode
Trailer = tuple[tuple[str, str | bytes], ...]

# The first row that fits, so subclasses stand above their bases.
_STATUS_OF: tuple[tuple[type[MpcdError], grpc.StatusCode], ...] = (
    (ConfigError, Status.INVALID_ARGUMENT),
    (NotFoundError, Status.NOT_FOUND),
    (DataError, Status.FAILED_PRECONDITION),
    (UsageError, Status.INVALID_ARGUMENT),
    (RefusedError, Status.PERMISSION_DENIED),
    (PeerError, Status.ABORTED),
    (DeadlineError, Status.DEADLINE_EXCEEDED),
    (ChannelError, Status.UNAVAILABLE),
    (InternalError, Status.INTERNAL),
)
_KINDS: dict[str, type[MpcdError]] = {
    kind.__name__: kind
    for kind in (ConfigError, NotFoundError, DataError, UsageError, RefusedError, DeadlineError, ChannelError)
}
_ERROR_OF: dict[grpc.StatusCode, type[MpcdError]] = {
    Status.INVALID_ARGUMENT: UsageError,
    Status.NOT_FOUND: NotFoundError,
    Status.FAILED_PRECONDITION: DataError,
    Status.PERMISSION_DENIED: RefusedError,
    Status.UNAUTHENTICATED: RefusedError,
    Status.DEADLINE_EXCEEDED: DeadlineError,
    Status.UNAVAILABLE: ChannelError,
    Status.CANCELLED: ChannelError,
    Status.RESOURCE_EXHAUSTED: UsageError,
    Status.UNIMPLEMENTED: RefusedError,
}


def to_status(error: BaseException, *, local: bool) -> tuple[grpc.StatusCode, str, Trailer]:
    """Status code, text and trailing metadata for an error that ends a call."""
    if not isinstance(error, MpcdError) or isinstance(error, InternalError):
        return Status.INTERNAL, "internal error; the log of the daemon says more", ()
    code = next((status for kind, status in _STATUS_OF if isinstance(error, kind)), Status.INTERNAL)
    text = error.what[:MAX_TEXT]
    if not local:
        return code, text, ()
    details = ((WHERE_KEY, error.where), (FIX_KEY, error.fix))
    trailer = tuple((key, value[:MAX_TEXT].encode()) for key, value in details if value)
    return code, text, ((KIND_KEY, type(error).__name__), *trailer)


def from_status(error: Any, peer: str) -> MpcdError:
    """The error of ours that a failed call (`grpc.aio.AioRpcError` or `grpc.Call`) at `peer` stands for."""
    code = error.code()
    metadata: Any = error.trailing_metadata() or ()
    trailer: dict[str, object] = dict(metadata)
    kind = _KINDS.get(_text(trailer.get(KIND_KEY)), _ERROR_OF.get(code, InternalError))
    where = _text(trailer.get(WHERE_KEY)) or peer
    what = str(error.details() or code.name.lower())[:MAX_TEXT]
    if code is Status.UNAVAILABLE and kind is ChannelError:
        return ChannelError(f"{peer} cannot be reached", where=where, fix=_text(trailer.get(FIX_KEY)))
    if kind is InternalError:
        return InternalError(f"{peer} failed: {what}")
    return kind(what, where=where, fix=_text(trailer.get(FIX_KEY)))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, str) else ""
