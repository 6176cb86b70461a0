from mpcd._pb.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubmitJobRequest(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _common_pb2.Envelope
    def __init__(self, job: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ...) -> None: ...

class SubmitJobReply(_message.Message):
    __slots__ = ("job", "existed")
    JOB_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    existed: bool
    def __init__(self, job: _Optional[bytes] = ..., existed: _Optional[bool] = ...) -> None: ...

class GetJobRequest(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    def __init__(self, job: _Optional[bytes] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ("limit", "unfinished")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    limit: int
    unfinished: bool
    def __init__(self, limit: _Optional[int] = ..., unfinished: _Optional[bool] = ...) -> None: ...

class ListJobsReply(_message.Message):
    __slots__ = ("jobs",)
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[JobView]
    def __init__(self, jobs: _Optional[_Iterable[_Union[JobView, _Mapping]]] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("cancellation",)
    CANCELLATION_FIELD_NUMBER: _ClassVar[int]
    cancellation: _common_pb2.Envelope
    def __init__(self, cancellation: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ...) -> None: ...

class PartyView(_message.Message):
    __slots__ = ("party", "state", "detail", "attached")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ATTACHED_FIELD_NUMBER: _ClassVar[int]
    party: str
    state: str
    detail: str
    attached: bool
    def __init__(self, party: _Optional[str] = ..., state: _Optional[str] = ..., detail: _Optional[str] = ..., attached: _Optional[bool] = ...) -> None: ...

class JobView(_message.Message):
    __slots__ = ("job", "name", "submitter", "state", "detail", "submitted_at_ms", "deadline_ms", "parties")
    JOB_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUBMITTER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    name: str
    submitter: str
    state: str
    detail: str
    submitted_at_ms: int
    deadline_ms: int
    parties: _containers.RepeatedCompositeFieldContainer[PartyView]
    def __init__(self, job: _Optional[bytes] = ..., name: _Optional[str] = ..., submitter: _Optional[str] = ..., state: _Optional[str] = ..., detail: _Optional[str] = ..., submitted_at_ms: _Optional[int] = ..., deadline_ms: _Optional[int] = ..., parties: _Optional[_Iterable[_Union[PartyView, _Mapping]]] = ...) -> None: ...

class PartyMessage(_message.Message):
    __slots__ = ("hello", "heartbeat", "statement")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    hello: PartyHello
    heartbeat: Heartbeat
    statement: _common_pb2.Envelope
    def __init__(self, hello: _Optional[_Union[PartyHello, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., statement: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ...) -> None: ...

class PartyHello(_message.Message):
    __slots__ = ("version", "roster_hash")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROSTER_HASH_FIELD_NUMBER: _ClassVar[int]
    version: str
    roster_hash: bytes
    def __init__(self, version: _Optional[str] = ..., roster_hash: _Optional[bytes] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class ConsentSet(_message.Message):
    __slots__ = ("job", "consents")
    JOB_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    consents: _containers.RepeatedCompositeFieldContainer[_common_pb2.Envelope]
    def __init__(self, job: _Optional[bytes] = ..., consents: _Optional[_Iterable[_Union[_common_pb2.Envelope, _Mapping]]] = ...) -> None: ...

class CoordinatorMessage(_message.Message):
    __slots__ = ("heartbeat", "proposal", "consents", "refusal", "cancellation")
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    CANCELLATION_FIELD_NUMBER: _ClassVar[int]
    heartbeat: Heartbeat
    proposal: _common_pb2.Envelope
    consents: ConsentSet
    refusal: _common_pb2.Envelope
    cancellation: _common_pb2.Envelope
    def __init__(self, heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., proposal: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ..., consents: _Optional[_Union[ConsentSet, _Mapping]] = ..., refusal: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ..., cancellation: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ...) -> None: ...
