"""A zoo of certificates: which leaves and identities are accepted, by us, by OpenSSL and by gRPC."""

from __future__ import annotations

import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from mpcd.identity.certificates import (
    MAX_LEAF_VALID_S,
    Leaf,
    claimed_name,
    expires,
    host_name,
    identity_fault,
    issue_leaf,
    leaf_fault,
    self_signed_ca,
    verify_key_of,
)
from mpcd.identity.encoding import MalformedError
from mpcd.identity.keys import Identity

from .conftest import NOW, Org

BOTH = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]


def forge_leaf(
    issuer: Identity,
    *,
    issuer_name: str,
    san: list[str],
    uses: list[x509.ObjectIdentifier] = BOTH,
    ca: bool = False,
) -> Leaf:
    """A leaf with whatever a malicious member wants in it."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer_name)]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in san]), critical=True)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .sign(Ed25519PrivateKey.from_private_bytes(issuer.signing_seed), None)
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Leaf(certificate.public_bytes(Encoding.PEM), secret)


def forge_identity(
    *, name: str, ca: bool = True, depth: int | None = 0, only: str | None = None, critical: bool = True
) -> tuple[Identity, bytes]:
    """A self-signed certificate that departs from ours."""
    identity = Identity.create(name)
    key = Ed25519PrivateKey.from_private_bytes(identity.signing_seed)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=depth), critical=True)
        .add_extension(usage, critical=True)
    )
    if only is not None:
        builder = builder.add_extension(x509.NameConstraints([x509.DNSName(only)], None), critical=critical)
    return identity, builder.sign(key, None).public_bytes(Encoding.PEM)


def test_a_leaf_is_accepted_in_pem_and_der(alice: Org) -> None:
    leaf = issue_leaf(alice.identity, now=NOW)
    der = x509.load_pem_x509_certificate(leaf.certificate_pem).public_bytes(Encoding.DER)
    assert leaf_fault(leaf.certificate_pem, alice.certificate_pem, "alice", NOW) == ""
    assert not leaf_fault(der, alice.certificate_pem, "alice", NOW)
    assert claimed_name(der) == "alice"
    assert b"PRIVATE" not in repr(leaf).encode()


def test_a_link_leaf_does_not_speak_for_the_daemon(alice: Org) -> None:
    leaf = issue_leaf(alice.identity, now=NOW, purpose="link").certificate_pem
    assert not leaf_fault(leaf, alice.certificate_pem, "alice", NOW, "link")
    assert "not a control leaf" in leaf_fault(leaf, alice.certificate_pem, "alice", NOW)
    assert claimed_name(leaf) == "alice"


@pytest.mark.parametrize("offset_s", [-301.0, 3601.0, 1e8])
def test_a_leaf_counts_only_while_it_is_valid(alice: Org, offset_s: float) -> None:
    leaf = issue_leaf(alice.identity, now=NOW, valid_s=3600).certificate_pem
    later = NOW + timedelta(seconds=offset_s)
    assert "expired or not yet valid" in leaf_fault(leaf, alice.certificate_pem, "alice", later)
    assert not leaf_fault(leaf, alice.certificate_pem, "alice", NOW + timedelta(seconds=-299))


def test_no_leaf_outlives_a_week(alice: Org) -> None:
    leaf = issue_leaf(alice.identity, now=NOW, valid_s=1e9)
    assert expires(leaf.certificate_pem) <= NOW + timedelta(seconds=MAX_LEAF_VALID_S)


def test_a_leaf_of_another_member_in_this_name_is_refused(alice: Org, bob: Org) -> None:
    for issuer_name in ("alice", "bob"):
        leaf = forge_leaf(bob.identity, issuer_name=issuer_name, san=["alice.mpcd"]).certificate_pem
        assert leaf_fault(leaf, alice.certificate_pem, "alice", NOW)
        assert claimed_name(leaf) == "alice"
    # Bob's own certificate cannot vouch for it either.
    assert leaf_fault(leaf, bob.certificate_pem, "bob", NOW)


@pytest.mark.parametrize(
    ("san", "uses", "ca"),
    [
        (["alice.mpcd", "bob.mpcd"], BOTH, False),
        (["x.alice.mpcd"], BOTH, False),
        (["alice.mpcd"], BOTH[:1], False),
        (["alice.mpcd"], [*BOTH, ExtendedKeyUsageOID.CODE_SIGNING], False),
        (["alice.mpcd"], BOTH, True),
        (["link.alice.mpcd"], BOTH, False),
    ],
)
def test_unusual_leaves_are_refused(
    alice: Org, san: list[str], uses: list[x509.ObjectIdentifier], ca: bool
) -> None:
    leaf = forge_leaf(alice.identity, issuer_name="alice", san=san, uses=uses, ca=ca).certificate_pem
    assert leaf_fault(leaf, alice.certificate_pem, "alice", NOW)


def test_the_control_of_the_forger_is_a_good_leaf(alice: Org) -> None:
    leaf = forge_leaf(alice.identity, issuer_name="alice", san=["alice.mpcd"]).certificate_pem
    assert not leaf_fault(leaf, alice.certificate_pem, "alice", NOW)


def test_the_identity_certificate_is_no_leaf(alice: Org) -> None:
    assert leaf_fault(alice.certificate_pem, alice.certificate_pem, "alice", NOW)


def test_a_self_signed_p256_certificate_is_refused(alice: Org) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alice")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("alice.mpcd")]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    assert leaf_fault(certificate, alice.certificate_pem, "alice", NOW)
    assert identity_fault(certificate, "alice") != ""


def test_identity_certificates_that_could_do_more_are_refused(alice: Org) -> None:
    assert identity_fault(alice.certificate_pem, "alice") == ""
    assert "not in the name of bob" in identity_fault(alice.certificate_pem, "bob")
    for fault, options in (
        ("not a CA", {"depth": 1}),
        ("not a CA", {"depth": None}),
        ("not an identity", {"only": None}),
        ("not limited", {"only": "mpcd"}),
        ("not limited", {"only": "bob.mpcd"}),
        ("not limited", {"critical": False}),
    ):
        settings: dict[str, object] = {"only": "alice.mpcd", **options}
        _, certificate = forge_identity(name="alice", **settings)  # type: ignore[arg-type]
        assert fault in identity_fault(certificate, "alice"), options
    _, control = forge_identity(name="alice", only="alice.mpcd")
    assert identity_fault(control, "alice") == ""


def test_an_identity_certificate_with_a_foreign_signature_is_refused(alice: Org, bob: Org) -> None:
    der = x509.load_pem_x509_certificate(alice.certificate_pem).public_bytes(Encoding.DER)
    damaged = der[:-1] + bytes([der[-1] ^ 1])
    assert "not signed by itself" in identity_fault(damaged, "alice")
    assert verify_key_of(alice.certificate_pem) != verify_key_of(bob.certificate_pem)


@given(st.binary(max_size=200))
def test_any_bytes_are_judged(data: bytes) -> None:
    identity = Identity("alice", b"1" * 32, b"2" * 32)
    certificate = self_signed_ca(identity, now=NOW)
    assert leaf_fault(data, certificate, "alice", NOW)
    assert leaf_fault(certificate, data, "alice", NOW)
    assert identity_fault(data, "alice")
    with pytest.raises(MalformedError):
        claimed_name(data)
    with pytest.raises(MalformedError):
        verify_key_of(data)


def test_one_file_holds_one_certificate(alice: Org, bob: Org) -> None:
    assert identity_fault(alice.certificate_pem + bob.certificate_pem, "alice")


# ---------------------------------------------------------------- TLS libraries


def _context(side: ssl.Purpose, leaf: Leaf, roots: bytes, folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(side, cadata=roots.decode())
    file = folder / f"{side.name}.pem"
    file.write_bytes(leaf.certificate_pem + leaf.key_pem)
    context.load_cert_chain(file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def handshake(server: Leaf, client: Leaf, roots: bytes, expected: str, folder: Path) -> tuple[bool, bool]:
    """A mutual TLS handshake; returns (client accepted server, server accepted client)."""
    near, far = socket.socketpair()
    accepted = [False]

    def serve() -> None:
        context = _context(ssl.Purpose.CLIENT_AUTH, server, roots, folder)
        with suppress(OSError), far, context.wrap_socket(far, server_side=True) as link:
            accepted[0] = link.recv(1) == b"x"

    thread = threading.Thread(target=serve)
    thread.start()
    context = _context(ssl.Purpose.SERVER_AUTH, client, roots, folder)
    trusted = False
    near.settimeout(10)
    with suppress(OSError), near, context.wrap_socket(near, server_hostname=expected) as link:
        trusted = True
        link.sendall(b"x")
        link.recv(1)
    thread.join(10)
    return trusted, accepted[0]


def test_openssl_accepts_our_chain(alice: Org, bob: Org, tmp_path: Path) -> None:
    server, client = issue_leaf(alice.identity, now=NOW), issue_leaf(bob.identity, now=NOW)
    roots = alice.certificate_pem + bob.certificate_pem
    assert handshake(server, client, roots, host_name("alice"), tmp_path) == (True, True)
    assert handshake(server, client, roots, host_name("bob"), tmp_path)[0] is False


def test_openssl_accepts_link_leaves(alice: Org, bob: Org, tmp_path: Path) -> None:
    server = issue_leaf(alice.identity, now=NOW, purpose="link")
    client = issue_leaf(bob.identity, now=NOW, purpose="link")
    roots = alice.certificate_pem + bob.certificate_pem
    assert handshake(server, client, roots, host_name("alice", "link"), tmp_path) == (True, True)


def test_openssl_refuses_a_leaf_of_another_member(alice: Org, bob: Org, tmp_path: Path) -> None:
    roots = alice.certificate_pem + bob.certificate_pem
    forged = forge_leaf(bob.identity, issuer_name="bob", san=["alice.mpcd"])
    good = issue_leaf(alice.identity, now=NOW)
    assert handshake(forged, good, roots, host_name("alice"), tmp_path)[0] is False
    assert handshake(good, forged, roots, host_name("alice"), tmp_path)[1] is False


def test_without_the_name_constraint_only_our_own_check_helps(alice: Org, tmp_path: Path) -> None:
    """Why the roster refuses identities without the constraint, and why the issuer is compared anyway."""
    lax, lax_certificate = forge_identity(name="bob")
    roots = alice.certificate_pem + lax_certificate
    forged = forge_leaf(lax, issuer_name="bob", san=["alice.mpcd"])
    good = issue_leaf(alice.identity, now=NOW)
    assert handshake(forged, good, roots, host_name("alice"), tmp_path)[0] is True
    assert identity_fault(lax_certificate, "bob") != ""
    assert leaf_fault(forged.certificate_pem, alice.certificate_pem, "alice", NOW)


def grpc_call(server_leaf: Leaf, client_leaf: Leaf, roots: bytes, expected: str) -> bytes:
    """One unary call over mutual TLS; returns the client certificate that the server saw."""

    def echo(_request: bytes, context: grpc.ServicerContext) -> bytes:
        return bytes(context.auth_context()["x509_pem_cert"][0])

    method = grpc.unary_unary_rpc_method_handler(echo)
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", {"Who": method}),))
    pair = [(server_leaf.key_pem, server_leaf.certificate_pem)]
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair, roots, True))
    server.start()
    credentials = grpc.ssl_channel_credentials(roots, client_leaf.key_pem, client_leaf.certificate_pem)
    options = [("grpc.ssl_target_name_override", expected)]
    try:
        with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
            who = channel.unary_unary("/t.T/Who", request_serializer=None, response_deserializer=None)
            return bytes(who(b"", timeout=5))
    finally:
        server.stop(None)


def test_grpc_accepts_our_chain_and_shows_the_leaf(alice: Org, bob: Org) -> None:
    server, client = issue_leaf(alice.identity, now=NOW), issue_leaf(bob.identity, now=NOW)
    roots = alice.certificate_pem + bob.certificate_pem
    seen = grpc_call(server, client, roots, host_name("alice"))
    assert not leaf_fault(seen, bob.certificate_pem, "bob", NOW)
    assert leaf_fault(seen, alice.certificate_pem, "alice", NOW)


def test_grpc_refuses_a_leaf_of_another_member(alice: Org, bob: Org) -> None:
    roots = alice.certificate_pem + bob.certificate_pem
    forged = forge_leaf(bob.identity, issuer_name="bob", san=["alice.mpcd"])
    good = issue_leaf(bob.identity, now=NOW)
    for server, client in ((forged, good), (issue_leaf(alice.identity, now=NOW), forged)):
        with pytest.raises(grpc.RpcError):
            grpc_call(server, client, roots, host_name("alice"))
