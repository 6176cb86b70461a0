"""One check that a test must miss when it is gone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """Replace `old` by `new` in `file`; the tests named must then fail.

    name   what is removed, in a few words; unique
    file   path from the root of the repository
    old    text that occurs in the file exactly once
    new    what stands there instead; it must still run
    tests  paths or node ids for pytest, separated by blanks: as few tests as show the loss
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
