"""gRPC servers: mutual TLS for members of the roster, a Unix socket for the local operator.

Limits that strangers meet: handshakes take 3 s at most, idle connections are probed, streams per connection
are counted, and nothing is parsed before the guard has said yes. Reflection is off. The
standard health service is on.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from mpcd.clock import Clock
from mpcd.errors import ChannelError, ConfigError, InternalError
from mpcd.identity.certificates import Leaf
from mpcd.identity.roster import Roster
from mpcd.transport import grpc_environment
from mpcd.transport.grpc_guard import MESSAGE_BYTES, Guard, RosterGate, Rule, SocketGate
from mpcd.transport.leaves import Leaves

HEALTH_METHODS = ("/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch")
_EVERYBODY = Rule(frozenset({"party", "coordinator"}))
_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_metadata_size", 8 << 10),
    ("grpc.server_handshake_timeout_ms", 3000),
    ("grpc.max_concurrent_streams", 128),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    # Two daemons on one port would share its connections silently.
    ("grpc.so_reuseport", 0),
)

Register = Callable[[grpc.aio.Server], None]


class AddressInUseError(ChannelError):
    """Another process has the port or the socket."""


def serve_tls(
    address: str, roster: Roster, rules: Mapping[str, Rule], leaves: Leaves, clock: Clock, register: Register
) -> tuple[grpc.aio.Server, int]:
    """A server, not yet started, and its port; `register` adds the services to it.

    Raises    AddressInUseError; InternalError if the process would accept TLS 1.2
    """
    if not grpc_environment.is_prepared():
        raise InternalError("the environment of gRPC was not prepared: TLS 1.2 would be accepted")
    allowed = {**dict.fromkeys(HEALTH_METHODS, _EVERYBODY), **rules}
    server = grpc.aio.server(
        interceptors=[Guard(RosterGate(roster, allowed, clock.now))], options=list(_OPTIONS)
    )
    register(server)
    health_pb2_grpc.add_HealthServicer_to_server(HealthServicer(), server)
    roots = b"".join(member.certificate_pem for member in roster.members)

    leaf = leaves.current()
    credentials = grpc.dynamic_ssl_server_credentials(
        _shown(leaf, roots),
        _Renewal(leaves, roots, leaf),  # type: ignore[arg-type]  # the stubs do not know that None is allowed
        require_client_authentication=True,
    )
    return server, _bind(lambda: server.add_secure_port(address, credentials), address)


def _shown(leaf: Leaf, roots: bytes) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(leaf.key_pem, leaf.certificate_pem)], roots)


class _Renewal:
    """Asked at every handshake: what to show from now on, or None if that is what was shown before.

    None is not a matter of speed. For every answer that is not None, gRPC (1.85) replaces what handshakes are
    made from, without a lock against those that begin on another thread at that moment: answering each time,
    as its documentation allows, let anybody who dials twice at once crash the daemon. What is left is that
    race in the moment of a renewal, once in many hours.
    """

    def __init__(self, leaves: Leaves, roots: bytes, shown: Leaf) -> None:
        self._leaves = leaves
        self._roots = roots
        self._leaf = shown

    def __call__(self) -> grpc.ServerCertificateConfiguration | None:
        leaf = self._leaves.current()
        if leaf is self._leaf:
            return None
        self._leaf = leaf
        return _shown(leaf, self._roots)


def serve_socket(path: Path, rules: Mapping[str, Rule], register: Register) -> grpc.aio.Server:
    """A server on a Unix socket, not yet started; call `restrict` once it has been started.

    Raises    AddressInUseError if a living process listens there; ConfigError if the path cannot be used
    """
    remove_stale_socket(path)
    server = grpc.aio.server(interceptors=[Guard(SocketGate(rules))], options=list(_OPTIONS))
    register(server)
    before = os.umask(0o177)
    try:
        _bind(lambda: server.add_insecure_port(f"unix:{path}"), str(path))
    finally:
        os.umask(before)
    return server


def remove_stale_socket(path: Path) -> None:
    """Remove a socket that nobody listens on any more; its directory must exist."""
    import socket

    if len(os.fsencode(path)) > 100:
        raise ConfigError(
            "the path of a Unix socket has at most 100 bytes", where=str(path), fix="choose a shorter admin:"
        )
    if not path.parent.is_dir():
        raise ConfigError(
            "the directory of the operator's socket does not exist", where=str(path), fix="make it"
        )
    if not path.exists() and not path.is_symlink():
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise ConfigError("there is something that is no socket", where=str(path), fix="choose another path")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise AddressInUseError("another daemon listens on this socket", where=str(path), fix="stop it first")


def _bind(bind: Callable[[], int], address: str) -> int:
    try:
        port = bind()
    except RuntimeError:
        port = 0
    if port == 0 and not address.startswith("/"):
        raise AddressInUseError(
            "cannot listen there: the port is in use or the address is not this machine's",
            where=address,
            fix="stop the other process (ss -ltnp shows it) or change listen in the configuration",
        )
    return port
