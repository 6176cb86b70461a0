"""Field types for configuration: whole numbers, durations and sizes, written with their units."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Strict(BaseModel):
    """A block of a document: unknown keys are errors, and nothing changes after it was read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
        allow_inf_nan=False,
    )


def integer(value: object) -> object:
    """Text such as "-12" or "1_000_000" as an int; other types as they are, for pydantic to judge."""
    if isinstance(value, str):
        if not re.fullmatch(r"-?[0-9][0-9_]{0,24}", value):
            raise ValueError("should be a whole number")
        return int(value.replace("_", ""))
    if isinstance(value, float | bool):
        raise ValueError("should be a whole number")
    return value


def seconds(value: object) -> object:
    """Text such as "250ms", "60s", "10m", "2h" or "3d" in seconds."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)", value)
    if not match:
        raise ValueError("should be a duration with its unit, such as 250ms, 60s, 10m, 2h or 3d")
    return float(match[1]) * _SECONDS[match[2]]


def size(value: object) -> object:
    """Text such as "512B", "64KiB", "4MiB" or "1GiB" in bytes."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([0-9]{1,12})(B|KiB|MiB|GiB)", value)
    if not match:
        raise ValueError("should be a size with its unit, such as 64KiB, 4MiB or 1GiB")
    return int(match[1]) * _BYTES[match[2]]


Integer = Annotated[int, BeforeValidator(integer)]
Seconds = Annotated[float, BeforeValidator(seconds)]
Size = Annotated[int, BeforeValidator(size)]
