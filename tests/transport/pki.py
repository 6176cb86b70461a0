"""Identities for the tests of links, and leaves that no honest party would issue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mpcd.identity.certificates import Leaf, host_name, issue_leaf, self_signed_ca
from mpcd.identity.keys import Identity


class Organisation:
    """A party with its identity certificate."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.identity = Identity.create(name)
        self.pem = self_signed_ca(self.identity, now=datetime.now(UTC))

    def leaf(self) -> Leaf:
        """An honest leaf for links."""
        return issue_leaf(self.identity, now=datetime.now(UTC), valid_s=3600, purpose="link")

    def unconstrained_pem(self) -> bytes:
        """Its identity certificate without the limit to its own name, as a malicious party would make it."""
        return _certificate(
            self.name, Ed25519PrivateKey.from_private_bytes(self.identity.signing_seed), None, ca=True
        )

    def forged_leaf(self, name: str, *, valid: timedelta = timedelta(hours=1)) -> Leaf:
        """A leaf in the name of `name`; one with a negative `valid` has expired."""
        return _leaf(name, self.name, Ed25519PrivateKey.from_private_bytes(self.identity.signing_seed), valid)


def self_signed_leaf(name: str) -> Leaf:
    """A leaf that vouches for itself."""
    return _leaf(name, name, None, timedelta(hours=1))


def _leaf(name: str, issuer: str, issuer_key: Ed25519PrivateKey | None, valid: timedelta) -> Leaf:
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    from cryptography.hazmat.primitives import hashes

    certificate = (
        x509.CertificateBuilder()
        .subject_name(_common_name(name))
        .issuer_name(_common_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host_name(name, "link"))]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), False
        )
    )
    signed = certificate.sign(issuer_key, None) if issuer_key else certificate.sign(key, hashes.SHA256())
    return Leaf(
        signed.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _certificate(name: str, key: Ed25519PrivateKey, _unused: None, *, ca: bool) -> bytes:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_common_name(name))
        .issuer_name(_common_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0), critical=True)
        .sign(key, None)
        .public_bytes(Encoding.PEM)
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
