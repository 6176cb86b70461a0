"""From the operator's job file to the specification that this party signs."""

from __future__ import annotations

import secrets
from typing import Any

from mpcd.errors import ConfigError, UsageError
from mpcd.identity.documents import Node, compose, loads
from mpcd.jobs.defaults import DefaultError
from mpcd.jobs.document import JobDocument
from mpcd.jobs.specification import NONCE_BYTES, Specification, check_default, program_inputs
from mpcd.party.matter import House
from mpcd.program.text import parse, program_hash


def specify(house: House, job_file: bytes, source: str, program: bytes, key: str) -> Specification:
    """The specification of a job file; `key` is the idempotency key if the file has none.

    Raises  ConfigError with file, line and column; UsageError
    """
    try:
        text = job_file.decode()
    except UnicodeDecodeError:
        raise ConfigError("the job file is not UTF-8", where=source) from None
    source = source or "job file"
    document = loads(text, JobDocument, source=source)
    if document.missing == "default":
        _check_defaults(document, text, source, program)
    nonce = secrets.token_bytes(NONCE_BYTES)
    chosen = document.idempotency_key or key or nonce.hex()
    try:
        specification = Specification.of(
            document.model_copy(update={"idempotency_key": chosen}),
            program=program,
            program_hash=program_hash(program),
            roster=house.tools.roster,
            submitter=house.config.name,
            now=house.tools.clock.now(),
            nonce=nonce,
        )
    except UnicodeDecodeError:
        raise UsageError("the program is not canonical text") from None
    except ConfigError:
        raise
    except UsageError as error:
        raise ConfigError(error.what, where=source, fix=error.fix) from None
    if house.config.name not in specification.parties:
        raise ConfigError(
            f"{house.config.name} submits the job but takes no part in it",
            where=source,
            fix="submit it at a party that computes, gives an input or gets a result",
        )
    return specification


def _check_defaults(document: JobDocument, text: str, source: str, program: bytes) -> None:
    """Whether the default rows fit the program, while there are lines to point at.

    Raises  ConfigError with file, line and column; UsageError for the program
    """
    checked = parse(program)
    for at, entry in enumerate(document.inputs):
        if not program_inputs(checked, entry.argument):
            continue  # no such argument: the job as a whole is checked later
        try:
            check_default(entry, checked)
        except DefaultError as error:
            line, column = _place(compose(text, source=source), at, error.column)
            raise ConfigError(error.what, where=f"{source}:{line}:{column}", fix=error.fix) from None


def _place(root: Node, at: int, column: str) -> tuple[int, int]:
    """Where the default of an input stands in a file that was read, or the key in it that is at fault."""
    node = root
    for key in ("inputs", at, "default"):
        content: Any = node.content
        node = content[key]
    if isinstance(node.content, dict) and column in node.content:
        return node.content[column].key_mark
    return node.mark
