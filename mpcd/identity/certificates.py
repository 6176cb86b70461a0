"""Certificates: a long-lived identity per organisation and short-lived TLS leaves that it issues.

The identity certificate is a self-signed Ed25519 CA of path length 0 that may issue leaves for one name only
(a critical name constraint). It goes into the roster. Leaves are P-256, valid for hours, for `<name>.mpcd`;
renewing them never touches the roster.

A TLS library that trusts the whole roster would accept a leaf that one member issued in another's name. The
name constraint makes OpenSSL and BoringSSL refuse it; since a malicious member could leave the constraint out
of its own certificate, the roster refuses such certificates, and `leaf_fault` compares the issuer itself.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mpcd.identity.encoding import MalformedError
from mpcd.identity.keys import Identity

IDENTITY_VALID = timedelta(days=3653)
BACKDATED = timedelta(minutes=5)  # clocks of two organisations may differ by as much
MAX_LEAF_VALID_S = 7 * 86_400
DEFAULT_LEAF_VALID_S = 86_400

# What a leaf may be used for: the daemon's gRPC services, or the links of one job process. A job process
# that is taken over cannot speak for its daemon.
Purpose = Literal["control", "link"]


class Leaf(NamedTuple):
    """A TLS certificate and its private key, both PEM."""

    certificate_pem: bytes
    key_pem: bytes

    def __repr__(self) -> str:
        return f"Leaf({len(self.certificate_pem)} bytes, key hidden)"


def host_name(name: str, purpose: Purpose = "control") -> str:
    """The DNS name in the leaves of party `name`; it exists in certificates only, not in the DNS."""
    return f"{name}.mpcd" if purpose == "control" else f"link.{name}.mpcd"


def self_signed_ca(identity: Identity, *, now: datetime) -> bytes:
    """The identity certificate in PEM, valid for about ten years from five minutes before `now`."""
    subject = _common_name(identity.name)
    key = Ed25519PrivateKey.from_private_bytes(identity.signing_seed)
    usage = _key_usage(key_cert_sign=True, crl_sign=True)
    only = x509.NameConstraints([x509.DNSName(host_name(identity.name))], None)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + IDENTITY_VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(only, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, None)
    )
    return certificate.public_bytes(Encoding.PEM)


def issue_leaf(
    identity: Identity,
    *,
    now: datetime,
    valid_s: float = DEFAULT_LEAF_VALID_S,
    purpose: Purpose = "control",
) -> Leaf:
    """A fresh P-256 key and its certificate, valid from five minutes before `now` for `valid_s` seconds."""
    issuer_key = Ed25519PrivateKey.from_private_bytes(identity.signing_seed)
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    key = ec.generate_private_key(ec.SECP256R1())
    both_sides = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(_common_name(identity.name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(seconds=min(valid_s, MAX_LEAF_VALID_S)))
        # Critical, as it must be where the subject is empty.
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host_name(identity.name, purpose))]), True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(both_sides, critical=False)
        .add_extension(issuer_id, critical=False)
        .sign(issuer_key, None)
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Leaf(certificate.public_bytes(Encoding.PEM), secret)


def leaf_fault(
    leaf: bytes, identity_certificate: bytes, name: str, now: datetime, purpose: Purpose = "control"
) -> str:
    """What is wrong with a leaf (PEM or DER) that the owner of `identity_certificate`, called `name`, is said
    to have issued: in words, or "" if nothing is. Any bytes are accepted."""
    try:
        certificate, issuer = _read(leaf), _read(identity_certificate)
        certificate.verify_directly_issued_by(issuer)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except InvalidSignature:
        return f"the certificate was not issued by {name}"
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, MalformedError):
        return f"the certificate is not a leaf of {name}"
    if list(names) != [x509.DNSName(host_name(name, purpose))] or basic.ca:
        return f"the certificate is not a {purpose} leaf for {name}"
    if set(uses) != {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}:
        return "the certificate is not for both sides of a connection"
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return f"the certificate is expired or not yet valid at {now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return ""


def claimed_name(leaf: bytes) -> str:
    """The party name that a leaf (PEM or DER) claims; it proves nothing before `leaf_fault` has said so.

    Raises    MalformedError if the certificate claims no party name
    """
    try:
        names = _read(leaf).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (host,) = names.get_values_for_type(x509.DNSName)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        raise MalformedError("the certificate names no party") from None
    label, _, suffix = host.removeprefix("link.").rpartition(".")
    if suffix != "mpcd" or not label:
        raise MalformedError("the certificate names no party")
    return label


def identity_fault(certificate_pem: bytes, name: str) -> str:
    """What is wrong with an identity certificate, in words, or "" if nothing is; any bytes are accepted."""
    try:
        certificate = _read(certificate_pem)
        certificate.verify_directly_issued_by(certificate)
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        only = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except InvalidSignature:
        return "the certificate is not signed by itself"
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, MalformedError):
        return "this is not an identity certificate"
    if not isinstance(certificate.public_key(), Ed25519PublicKey):
        return "the key of the certificate is not Ed25519"
    if certificate.subject != _common_name(name):
        return f"the certificate is not in the name of {name}"
    if not basic.ca or basic.path_length != 0 or not usage.key_cert_sign:
        return "the certificate is not a CA of path length 0"
    permitted = only.value.permitted_subtrees
    if not only.critical or permitted != [x509.DNSName(host_name(name))]:
        return f"the certificate is not limited to leaves for {host_name(name)}"
    return ""


def verify_key_of(certificate_pem: bytes) -> bytes:
    """The 32-byte Ed25519 key of an identity certificate.

    Raises    MalformedError if it has none
    """
    key = _public_key(_read(certificate_pem))
    if not isinstance(key, Ed25519PublicKey):
        raise MalformedError("the key of the certificate is not Ed25519")
    return key.public_bytes_raw()


def to_der(certificate_pem: bytes) -> bytes:
    """The certificate in DER, which does not depend on line breaks."""
    return _read(certificate_pem).public_bytes(Encoding.DER)


def expires(certificate: bytes) -> datetime:
    """Until when a certificate (PEM or DER) is valid, in UTC."""
    return _read(certificate).not_valid_after_utc


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, TypeError):
        raise MalformedError("the certificate has no usable key") from None


def _read(certificate: bytes) -> x509.Certificate:
    try:
        if certificate.lstrip().startswith(b"-----BEGIN"):
            (only,) = x509.load_pem_x509_certificates(certificate)
            return only
        return x509.load_der_x509_certificate(certificate)
    except (ValueError, TypeError):
        raise MalformedError("this is not one X.509 certificate") from None


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
