"""What stands in front of every RPC: who may call it, how long its messages may be, what errors become.

Every method needs a row in a table of rules; a method without one is refused to everybody. Requests
are parsed only after the caller is known and the length is checked, so that a stranger's or an oversize
message costs nothing but its bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import grpc
import structlog
from google.protobuf.message import DecodeError

from mpcd.errors import InternalError, MpcdError, RefusedError, UsageError
from mpcd.identity.roster import Member, Role, Roster
from mpcd.transport.grpc_errors import to_status
from mpcd.transport.peer_identity import Doorkeeper, set_caller

CONTROL_BYTES = 64 << 10
CHUNK_BYTES = 1 << 20
"""How many bytes of bulk a message carries at most."""
MESSAGE_BYTES = CHUNK_BYTES + CONTROL_BYTES
"""The longest message on any stream: one chunk and its header."""

_log = structlog.get_logger("mpcd.rpc")
Context = Any  # grpc.aio.ServicerContext, whose stubs are generic over messages that are bytes here


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call a method, and the length in bytes of its longest request."""

    roles: frozenset[Role]
    limit_bytes: int = CONTROL_BYTES


class Gate(Protocol):
    """How a server decides about a call before it reads the request."""

    local: bool

    def admit(self, method: str, context: Context) -> Rule:
        """The rule of the method, if this caller may use it.

        Raises    RefusedError
        """
        ...


class RosterGate:
    """For TLS: the caller is a member of the roster with a role that the rule allows."""

    local = False

    def __init__(self, roster: Roster, rules: Mapping[str, Rule], now: Callable[[], datetime]) -> None:
        self._doorkeeper = Doorkeeper(roster)
        self._rules = rules
        self._now = now

    def admit(self, method: str, context: Context) -> Rule:
        member: Member = self._doorkeeper.authenticate(context, self._now())
        rule = self._rules.get(method)
        if rule is None or member.role not in rule.roles:
            raise RefusedError(f"a {member.role} may not call {method}")
        set_caller(member)
        return rule


class SocketGate:
    """For a Unix socket: whoever may open the file is the operator."""

    local = True

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules

    def admit(self, method: str, context: Context) -> Rule:
        rule = self._rules.get(method)
        if rule is None:
            raise RefusedError(f"nobody may call {method}")
        return rule


class Guard(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Wraps every handler of a server."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        call = _Call(self._gate, handler_call_details.method, handler)
        build = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[handler.request_streaming, handler.response_streaming]
        serve = call.stream if handler.response_streaming else call.unary
        # No deserializer: the guard parses, so that a malformed message is an error like any other.
        return build(serve, request_deserializer=None, response_serializer=handler.response_serializer)


class _Call:
    """One method behind the guard."""

    def __init__(self, gate: Gate, method: str, handler: Any) -> None:
        self._gate = gate
        self._method = method
        self._handler = handler
        self._behaviour = (
            handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        )

    async def unary(self, raw: Any, context: Context) -> Any:
        try:
            return await _result(self._behaviour(self._read(raw, context), context))
        except (MpcdError, ExceptionGroup) as error:
            await self._fail(error, context)
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception as error:  # noqa: BLE001  the top level of a call: no traceback may reach a peer
            await self._fail(error, context)

    async def stream(self, raw: Any, context: Context) -> AsyncIterator[Any]:
        try:
            async for answer in self._behaviour(self._read(raw, context), context):
                yield answer
        except (MpcdError, ExceptionGroup) as error:
            await self._fail(error, context)
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception as error:  # noqa: BLE001  see above
            await self._fail(error, context)

    def _read(self, raw: Any, context: Context) -> Any:
        rule = self._gate.admit(self._method, context)
        if self._handler.request_streaming:
            return self._read_stream(raw, rule)
        return self._parse(raw, rule)

    async def _read_stream(self, raw: AsyncIterator[bytes], rule: Rule) -> AsyncIterator[Any]:
        async for message in raw:
            yield self._parse(message, rule)

    def _parse(self, raw: bytes, rule: Rule) -> Any:
        if len(raw) > rule.limit_bytes:
            raise UsageError(f"a message of {len(raw)} bytes; {self._method} takes {rule.limit_bytes}")
        try:
            return self._handler.request_deserializer(raw)
        except DecodeError:
            raise UsageError(f"a message to {self._method} is malformed") from None

    async def _fail(self, error: BaseException, context: Context) -> None:
        if not isinstance(error, MpcdError) or isinstance(error, InternalError):
            _log.error("rpc failed", method=self._method, error=type(error).__name__, exc_info=error)
        code, text, trailer = to_status(error, local=self._gate.local)
        await context.abort(code, text, trailer)


async def _result(answer: Any) -> Any:
    """The health service answers at once, our services with a coroutine."""
    return await answer if asyncio.iscoroutine(answer) else answer
