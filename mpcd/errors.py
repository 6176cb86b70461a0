"""The errors of mpcd, ordered by whose fault they are.

`UsageError`    our caller: a person, a file, a program. Nothing was changed.
`RefusedError`  a policy or a guarantee forbids it. Nothing was changed.
`PeerError`     another party: its message cannot have come from an honest run.
`ChannelError`  nobody in particular: the network or a silent machine.
`InternalError` us: a bug of mpcd.

Every error says what happened, where, and what to do about it. None carries a secret:
texts name parties, paths, shapes and counts, never values.
"""

from __future__ import annotations


class MpcdError(Exception):
    """Base of all errors that mpcd raises on purpose.

    `what` is one sentence without the final full stop; `where` a file position, a party or a stage;
    `fix` what the reader can do.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} (to mend it: {self.fix})" if self.fix else text


class UsageError(MpcdError):
    """The caller asked for something that makes no sense; nothing was changed."""


class ConfigError(UsageError):
    """A configuration file or a job file is wrong; `where` is file:line:column."""


class NotFoundError(UsageError):
    """The named job, party, dataset or file does not exist."""


class DataError(UsageError):
    """A private input cannot be used: missing, malformed or out of its declared range.

    The text names file, row and column, never the value.
    """


class RefusedError(MpcdError):
    """A policy, a missing right or an unreachable guarantee forbids it."""


class PeerError(MpcdError):
    """A message from a peer cannot have come from an honest run.

    `blamed` is the smallest set of party indices known to contain a cheater. One element means
    that party is identified; more means that at least one of them lied.
    """

    def __init__(self, what: str, *, step: str, blamed: frozenset[int], fix: str = "") -> None:
        super().__init__(what, where=step, fix=fix)
        self.step = step
        self.blamed = blamed


class ChannelError(MpcdError):
    """The network failed or a peer is silent; `unreachable` are the parties concerned; no accusation."""

    def __init__(
        self, what: str, *, unreachable: frozenset[int] = frozenset(), where: str = "", fix: str = ""
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.unreachable = unreachable


class DeadlineError(ChannelError):
    """Something did not happen by its deadline."""


class StorageError(MpcdError):
    """The disk or the database file of this daemon failed; what was acknowledged before is still there."""


class InternalError(MpcdError):
    """A bug of mpcd; please report it."""
