"""TLS contexts for links: version 1.3 only, both sides authenticated, no session tickets.

Trust is between two named parties. The side that dials trusts nothing but the identity certificate of
the party that it means to reach, and checks its host name. The side that accepts cannot
know who comes, so it loads the identities of all its peers; a chain that verifies against one of
them proves nothing about the name in the leaf (any of them can issue a leaf in another's name), so the
caller must then require that the leaf was issued by the claimed identity: see `hello.accept`.

Certificate and key reach OpenSSL through an anonymous memory file, never through the disk.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable

from mpcd.errors import InternalError
from mpcd.identity.certificates import Leaf


def client_context(leaf: Leaf, peer_identity_pem: bytes) -> ssl.SSLContext:
    """For dialling one party: its identity certificate is the only root.

    Raises  InternalError if the certificate or the key cannot be used
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, leaf, [peer_identity_pem])
    context.check_hostname = True
    return context


def server_context(leaf: Leaf, identities_pem: Iterable[bytes]) -> ssl.SSLContext:
    """For accepting any of the given parties; the caller has yet to check who it is.

    Raises  InternalError if the certificate or the key cannot be used
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, leaf, identities_pem)
    # A ticket would arrive as a record in the middle of the first frames, and nobody resumes.
    context.num_tickets = 0
    return context


def _context(protocol: int, leaf: Leaf, roots: Iterable[bytes]) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(cadata="\n".join(root.decode("ascii") for root in roots))
        _load_leaf(context, leaf)
    except (ssl.SSLError, ValueError) as error:
        raise InternalError(f"a TLS context cannot be made: {type(error).__name__}") from None
    return context


def _load_leaf(context: ssl.SSLContext, leaf: Leaf) -> None:
    """`load_cert_chain` wants a path: give it one that exists in memory only."""
    descriptor = os.memfd_create("leaf", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(leaf.certificate_pem + b"\n" + leaf.key_pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
