"""The 40 plain bytes before TLS that tell a daemon which job process a connection is for.

A job process has no listening port of its own: its peers connect to the daemon's link port, and
the daemon hands the accepted socket over. The preface is a hint and nothing more: whatever it says is proved
by certificate and hello inside TLS, in the job process.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mpcd.errors import ChannelError

SIZE_BYTES = 40
JOB_BYTES = 24

_LAYOUT = struct.Struct("!4sBBHII24s")
_MAGIC = b"mpcd"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Preface:
    """job (the first 24 bytes of the session), epoch, attempt, and who says so."""

    job: bytes
    epoch: int
    attempt: int
    sender: int

    @classmethod
    def of(cls, session: bytes, epoch: int, attempt: int, sender: int) -> Preface:
        return cls(session[:JOB_BYTES], epoch, attempt, sender)

    def encode(self) -> bytes:
        """The 40 bytes."""
        return _LAYOUT.pack(_MAGIC, _VERSION, self.sender, 0, self.epoch, self.attempt, self.job)

    @classmethod
    def decode(cls, raw: bytes) -> Preface:
        """Any 40 bytes are a preface or raise.

        Raises  ChannelError
        """
        if len(raw) != SIZE_BYTES:
            raise ChannelError("a connection began with something that is no preface")
        magic, version, sender, zero, epoch, attempt, job = _LAYOUT.unpack(raw)
        if magic != _MAGIC or version != _VERSION or zero != 0:
            raise ChannelError("a connection began with something that is no preface")
        return cls(job, epoch, attempt, sender)
