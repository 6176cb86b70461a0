"""Envelopes as protobuf messages and back."""

from __future__ import annotations

from mpcd._pb.v1 import common_pb2
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import MAX_SIGNATURES, Envelope, Signature


def to_wire(envelope: Envelope) -> common_pb2.Envelope:
    """The message of an envelope."""
    signatures = [
        common_pb2.Signature(signer=entry.signer, signature=entry.signature) for entry in envelope.signatures
    ]
    return common_pb2.Envelope(type=envelope.type, payload=envelope.payload, signatures=signatures)


def from_wire(message: common_pb2.Envelope) -> Envelope:
    """The envelope in a message; signatures are not checked.

    Raises    MalformedError for anything that is no envelope
    """
    if len(message.signatures) > MAX_SIGNATURES:
        raise MalformedError(f"an envelope has more than {MAX_SIGNATURES} signatures")
    signatures = tuple(Signature(entry.signer, entry.signature) for entry in message.signatures)
    return Envelope(message.type, message.payload, signatures)
