from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Job(_message.Message):
    __slots__ = ("specification", "program", "submitter", "idempotency_key", "submitted_at_ms")
    SPECIFICATION_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    SUBMITTER_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    specification: bytes
    program: bytes
    submitter: str
    idempotency_key: str
    submitted_at_ms: int
    def __init__(self, specification: _Optional[bytes] = ..., program: _Optional[bytes] = ..., submitter: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., submitted_at_ms: _Optional[int] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("job", "party", "roster_hash", "program_hash")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    ROSTER_HASH_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_HASH_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    party: str
    roster_hash: bytes
    program_hash: bytes
    def __init__(self, job: _Optional[bytes] = ..., party: _Optional[str] = ..., roster_hash: _Optional[bytes] = ..., program_hash: _Optional[bytes] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("job", "party", "reason")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    party: str
    reason: str
    def __init__(self, job: _Optional[bytes] = ..., party: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Cancellation(_message.Message):
    __slots__ = ("job", "submitter", "reason")
    JOB_FIELD_NUMBER: _ClassVar[int]
    SUBMITTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    submitter: str
    reason: str
    def __init__(self, job: _Optional[bytes] = ..., submitter: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class StatusReport(_message.Message):
    __slots__ = ("job", "party", "sequence", "state", "detail", "at_ms")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    party: str
    sequence: int
    state: str
    detail: str
    at_ms: int
    def __init__(self, job: _Optional[bytes] = ..., party: _Optional[str] = ..., sequence: _Optional[int] = ..., state: _Optional[str] = ..., detail: _Optional[str] = ..., at_ms: _Optional[int] = ...) -> None: ...

class SessionAnnouncement(_message.Message):
    __slots__ = ("job", "attempt", "session")
    JOB_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    attempt: int
    session: bytes
    def __init__(self, job: _Optional[bytes] = ..., attempt: _Optional[int] = ..., session: _Optional[bytes] = ...) -> None: ...
