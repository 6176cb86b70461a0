from mpcd._pb.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PeerStatus(_message.Message):
    __slots__ = ("name", "role", "connected")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    name: str
    role: str
    connected: bool
    def __init__(self, name: _Optional[str] = ..., role: _Optional[str] = ..., connected: _Optional[bool] = ...) -> None: ...

class PartyStatus(_message.Message):
    __slots__ = ("name", "version", "roster_hash", "control", "links", "coordinator_attached", "peers", "jobs_running", "leaf_expires_at_ms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROSTER_HASH_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    COORDINATOR_ATTACHED_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    JOBS_RUNNING_FIELD_NUMBER: _ClassVar[int]
    LEAF_EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    roster_hash: bytes
    control: str
    links: str
    coordinator_attached: bool
    peers: _containers.RepeatedCompositeFieldContainer[PeerStatus]
    jobs_running: int
    leaf_expires_at_ms: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., roster_hash: _Optional[bytes] = ..., control: _Optional[str] = ..., links: _Optional[str] = ..., coordinator_attached: _Optional[bool] = ..., peers: _Optional[_Iterable[_Union[PeerStatus, _Mapping]]] = ..., jobs_running: _Optional[int] = ..., leaf_expires_at_ms: _Optional[int] = ...) -> None: ...

class OperatorSubmitRequest(_message.Message):
    __slots__ = ("job_file", "source", "program", "idempotency_key")
    JOB_FILE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    job_file: bytes
    source: str
    program: bytes
    idempotency_key: str
    def __init__(self, job_file: _Optional[bytes] = ..., source: _Optional[str] = ..., program: _Optional[bytes] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class OperatorSubmitReply(_message.Message):
    __slots__ = ("job", "existed")
    JOB_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    existed: bool
    def __init__(self, job: _Optional[bytes] = ..., existed: _Optional[bool] = ...) -> None: ...

class OperatorPlanRequest(_message.Message):
    __slots__ = ("job_file", "source", "program")
    JOB_FILE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    job_file: bytes
    source: str
    program: bytes
    def __init__(self, job_file: _Optional[bytes] = ..., source: _Optional[str] = ..., program: _Optional[bytes] = ...) -> None: ...

class PlanFact(_message.Message):
    __slots__ = ("topic", "party", "text")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    topic: str
    party: str
    text: str
    def __init__(self, topic: _Optional[str] = ..., party: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class PlanReply(_message.Message):
    __slots__ = ("acceptable", "facts", "rounds", "bytes_per_party", "memory_bytes")
    ACCEPTABLE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_PARTY_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    acceptable: bool
    facts: _containers.RepeatedCompositeFieldContainer[PlanFact]
    rounds: int
    bytes_per_party: int
    memory_bytes: int
    def __init__(self, acceptable: _Optional[bool] = ..., facts: _Optional[_Iterable[_Union[PlanFact, _Mapping]]] = ..., rounds: _Optional[int] = ..., bytes_per_party: _Optional[int] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class OperatorJobRequest(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    def __init__(self, job: _Optional[bytes] = ...) -> None: ...

class OperatorListRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class JobStep(_message.Message):
    __slots__ = ("state", "at_ms", "detail")
    STATE_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    state: str
    at_ms: int
    detail: str
    def __init__(self, state: _Optional[str] = ..., at_ms: _Optional[int] = ..., detail: _Optional[str] = ...) -> None: ...

class JobProgress(_message.Message):
    __slots__ = ("rounds_done", "rounds_total", "bytes_sent", "bytes_received")
    ROUNDS_DONE_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    BYTES_SENT_FIELD_NUMBER: _ClassVar[int]
    BYTES_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    rounds_done: int
    rounds_total: int
    bytes_sent: int
    bytes_received: int
    def __init__(self, rounds_done: _Optional[int] = ..., rounds_total: _Optional[int] = ..., bytes_sent: _Optional[int] = ..., bytes_received: _Optional[int] = ...) -> None: ...

class OperatorJob(_message.Message):
    __slots__ = ("job", "name", "submitter", "state", "ended", "detail", "history", "progress", "parties", "deadline_ms", "attempt", "session")
    JOB_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUBMITTER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    name: str
    submitter: str
    state: str
    ended: bool
    detail: str
    history: _containers.RepeatedCompositeFieldContainer[JobStep]
    progress: JobProgress
    parties: _containers.RepeatedScalarFieldContainer[str]
    deadline_ms: int
    attempt: int
    session: bytes
    def __init__(self, job: _Optional[bytes] = ..., name: _Optional[str] = ..., submitter: _Optional[str] = ..., state: _Optional[str] = ..., ended: _Optional[bool] = ..., detail: _Optional[str] = ..., history: _Optional[_Iterable[_Union[JobStep, _Mapping]]] = ..., progress: _Optional[_Union[JobProgress, _Mapping]] = ..., parties: _Optional[_Iterable[str]] = ..., deadline_ms: _Optional[int] = ..., attempt: _Optional[int] = ..., session: _Optional[bytes] = ...) -> None: ...

class OperatorJobs(_message.Message):
    __slots__ = ("jobs",)
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[OperatorJob]
    def __init__(self, jobs: _Optional[_Iterable[_Union[OperatorJob, _Mapping]]] = ...) -> None: ...

class OperatorCancelRequest(_message.Message):
    __slots__ = ("job", "reason")
    JOB_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    reason: str
    def __init__(self, job: _Optional[bytes] = ..., reason: _Optional[str] = ...) -> None: ...

class OperatorResultRequest(_message.Message):
    __slots__ = ("job", "wait_ms")
    JOB_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    wait_ms: int
    def __init__(self, job: _Optional[bytes] = ..., wait_ms: _Optional[int] = ...) -> None: ...

class RowOrigin(_message.Message):
    __slots__ = ("row", "owner", "owner_row")
    ROW_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    OWNER_ROW_FIELD_NUMBER: _ClassVar[int]
    row: int
    owner: str
    owner_row: int
    def __init__(self, row: _Optional[int] = ..., owner: _Optional[str] = ..., owner_row: _Optional[int] = ...) -> None: ...

class ResultChunk(_message.Message):
    __slots__ = ("output", "type", "shape", "values", "origin")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    output: str
    type: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    values: bytes
    origin: RowOrigin
    def __init__(self, output: _Optional[str] = ..., type: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., values: _Optional[bytes] = ..., origin: _Optional[_Union[RowOrigin, _Mapping]] = ...) -> None: ...

class OperatorReceiptRequest(_message.Message):
    __slots__ = ("job", "wait_ms")
    JOB_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    wait_ms: int
    def __init__(self, job: _Optional[bytes] = ..., wait_ms: _Optional[int] = ...) -> None: ...

class OperatorEvidence(_message.Message):
    __slots__ = ("job", "records", "entries")
    JOB_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    job: _common_pb2.Envelope
    records: _containers.RepeatedCompositeFieldContainer[_common_pb2.Envelope]
    entries: _containers.RepeatedCompositeFieldContainer[_common_pb2.Envelope]
    def __init__(self, job: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ..., records: _Optional[_Iterable[_Union[_common_pb2.Envelope, _Mapping]]] = ..., entries: _Optional[_Iterable[_Union[_common_pb2.Envelope, _Mapping]]] = ...) -> None: ...
