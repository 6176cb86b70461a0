"""gRPC channels: to one member of the roster over mutual TLS, or to the local daemon over its socket.

A channel trusts exactly one identity, that of the member it is for: not the roster, not the machine's
authorities. The name that is checked lives in certificates only, so addresses and the DNS prove nothing.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from itertools import chain

import grpc

from mpcd.errors import InternalError
from mpcd.identity.certificates import Leaf, host_name
from mpcd.identity.roster import Member
from mpcd.transport import grpc_environment
from mpcd.transport.grpc_guard import MESSAGE_BYTES
from mpcd.transport.leaves import Leaves

_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Connections are ours alone: a shared pool would outlive a renewed leaf.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
)


def channel_to(member: Member, leaf: Leaf) -> grpc.aio.Channel:
    """A channel to the control address of a member; it connects at the first call.

    Raises    InternalError if the process would accept TLS 1.2
    """
    if not grpc_environment.is_prepared():
        raise InternalError("the environment of gRPC was not prepared: TLS 1.2 would be accepted")
    credentials = grpc.ssl_channel_credentials(member.certificate_pem, leaf.key_pem, leaf.certificate_pem)
    name: tuple[str, str | int] = ("grpc.ssl_target_name_override", host_name(member.name))
    return grpc.aio.secure_channel(member.control, credentials, options=[name, *_OPTIONS])


OLD_KEPT = 2
"""Channels to one member that were replaced and are not closed yet: calls under way on them go on."""


class Channels:
    """One channel per member, remade when our leaf has been renewed, or the member was away."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves = leaves
        self._open: dict[str, tuple[Leaf, grpc.aio.Channel]] = {}
        self._old: defaultdict[str, deque[grpc.aio.Channel]] = defaultdict(deque)
        self._closing: set[asyncio.Task[None]] = set()

    def to(self, member: Member) -> grpc.aio.Channel:
        """The channel to use for the next call; calls under way on an older one go on."""
        leaf = self._leaves.current()
        known = self._open.get(member.name)
        if known is not None and known[0] is leaf:
            return known[1]
        self.renew(member)
        channel = channel_to(member, leaf)
        self._open[member.name] = leaf, channel
        return channel

    def renew(self, member: Member) -> None:
        """Make a new channel for the next call: one that could not connect waits longer and longer."""
        known = self._open.pop(member.name, None)
        old = self._old[member.name]
        if known is not None:
            old.append(known[1])
        while len(old) > OLD_KEPT:
            closing = asyncio.create_task(old.popleft().close(None))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close all of them; calls under way fail."""
        present = (channel for _, channel in self._open.values())
        for channel in [*chain.from_iterable(self._old.values()), *present]:
            await channel.close(None)
        self._open.clear()
        self._old.clear()
