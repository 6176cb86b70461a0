"""What a cheating daemon does differently, in words: `JOB KIND key=value ...`.

JOB   the name of a job, or * for all
KIND  one of the table below

in the daemon
hold        at=STATE | slot=FAMILY      stand still there until SIGUSR1; a log line says so
mute        slot=F round=K [but=NAME]   from then on no slot message, but to one party in that round
equivocate  slot=F to=NAME              sign a second value and show it to one party
lie         slot=F [body=HEX]           sign a wrong value: the last bit flipped, or these bytes
keys        to=NAME                     a key contribution that does not open its commitment
box         to=NAME                     a sealed share that does not open
summand                                 wrong output summands, served to recipients
claims                                  wrong commitments to outputs, signed, served to recipients
receipt                                 sign another receipt than the others
crash       at=STATE point=POINT        be killed there, see `mpcd.testing.crashes`

in the job process; rounds are counted from 0 over an epoch, parties by their place in it; with epoch=E in
that epoch alone, otherwise in all
shift       round=R [to=P] [label=L]    add 1 to every word of a message
flip        round=R [to=P] [label=L]    flip its first bit
drop        round=R [to=P] [label=L]    leave it out of the frame
vouch       round=R [to=P] [label=L]    vouch for something else than what was sent
spoil       [batch=N] [admit=yes]       add 1 to the words of the products for batch N of rep3, from 0;
                                        its records say what it should have sent, or what it did send
hold        round=R                     stand still until SIGUSR1; a log line says so
die         round=R                     be killed
busy        round=R [size=N]            be in one instruction for long: a product of two N by N matrices
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from mpcd.errors import UsageError

DAEMON: Mapping[str, frozenset[str]] = {
    "hold": frozenset({"at", "slot", "after"}),
    "mute": frozenset({"slot", "round", "but"}),
    "deaf": frozenset({"slot"}),
    "equivocate": frozenset({"slot", "to"}),
    "lie": frozenset({"slot", "body"}),
    "keys": frozenset({"to"}),
    "box": frozenset({"to"}),
    "summand": frozenset(),
    "claims": frozenset(),
    "receipt": frozenset(),
    "crash": frozenset({"at", "point"}),
}
PROCESS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("shift", "flip", "drop", "vouch"), frozenset({"epoch", "round", "to", "label"})),
    **dict.fromkeys(("hold", "die"), frozenset({"epoch", "round"})),
    "busy": frozenset({"epoch", "round", "size"}),
    "spoil": frozenset({"epoch", "batch", "admit"}),
}


POINTS = ("before-write", "after-fsync", "after-send", "after-receive")
"""Where a daemon is killed in a state: before and after the state is written, after something was sent or
received in it."""


@dataclass(frozen=True, slots=True)
class EditLine:
    """One thing that is done differently in one job."""

    job: str
    kind: str
    words: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> EditLine:
        """Raises  UsageError if there is no such kind, or it does not take such words"""
        job, kind, *rest = [*text.split(), "", ""][: max(2, len(text.split()))]
        words = dict(word.partition("=")[::2] for word in rest)
        tables = [table for table in (DAEMON, PROCESS) if kind in table and set(words) <= table[kind]]
        if not tables:
            raise UsageError(f"{text!r} is no edit", fix="JOB KIND key=value ..., see mpcd.testing.edits")
        if kind == "crash" and (words.get("point") not in POINTS or not words.get("at")):
            raise UsageError(f"{text!r} names no point", fix=f"at=STATE, point={'|'.join(POINTS)}")
        return cls(job, kind, words)

    @property
    def in_process(self) -> bool:
        """Whether the job process does it, not the daemon."""
        return self.kind in PROCESS and ("round" in self.words or self.kind not in DAEMON)

    def concerns(self, job: str) -> bool:
        return fnmatchcase(job, self.job)

    def number(self, key: str) -> int | None:
        """The value of a word that is a number; None if it is not there.

        Raises  UsageError if it is none
        """
        text = self.words.get(key)
        if text is not None and not text.isdecimal():
            raise UsageError(f"{key}={text} should be a number")
        return None if text is None else int(text)

    def __str__(self) -> str:
        return " ".join((self.job, self.kind, *(f"{key}={value}" for key, value in self.words.items())))


def parse_all(lines: Iterable[str]) -> tuple[EditLine, ...]:
    """Raises  UsageError"""
    return tuple(EditLine.parse(line) for line in lines)
