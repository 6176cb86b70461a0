"""What the name of a party, a dataset or an output may look like.

A name ends up in host names, file names, log lines and terminals, so it is plain on purpose.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

NAME_PATTERN = r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$|^[a-z]$"
FIELD_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"

# The name of an organisation: a DNS label.
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]

# The name of a dataset, a column, a program argument or an output: an identifier.
Field = Annotated[str, StringConstraints(pattern=FIELD_PATTERN)]

_NAME = re.compile(NAME_PATTERN)
_FIELD = re.compile(FIELD_PATTERN)


def is_name(text: str) -> bool:
    """True if `text` may be the name of an organisation."""
    # fullmatch, since `$` alone would let a final newline through.
    return _NAME.fullmatch(text) is not None


def is_field(text: object) -> bool:
    """True if this may be the name of an argument."""
    return isinstance(text, str) and _FIELD.fullmatch(text) is not None
