"""From the operator's job file to the specification that this party signs."""

from __future__ import annotations

import secrets

from mpcd.errors import ConfigError, UsageError
from mpcd.identity.documents import loads
from mpcd.jobs.document import JobDocument
from mpcd.jobs.specification import NONCE_BYTES, Specification
from mpcd.party.matter import House
from mpcd.program.text import program_hash


def specify(house: House, job_file: bytes, source: str, program: bytes, key: str) -> Specification:
    """The specification of a job file; `key` is the idempotency key if the file has none.

    Raises  ConfigError with file, line and column; UsageError
    """
    try:
        text = job_file.decode()
    except UnicodeDecodeError:
        raise ConfigError("the job file is not UTF-8", where=source) from None
    document = loads(text, JobDocument, source=source or "job file")
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
