from mpcd._pb.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SlotMessage(_message.Message):
    __slots__ = ("job", "epoch", "session", "slot", "number", "round", "parts", "more", "start")
    JOB_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    epoch: int
    session: bytes
    slot: str
    number: int
    round: int
    parts: _containers.RepeatedCompositeFieldContainer[SlotPart]
    more: _containers.RepeatedCompositeFieldContainer[SlotMessage]
    start: Start
    def __init__(self, job: _Optional[bytes] = ..., epoch: _Optional[int] = ..., session: _Optional[bytes] = ..., slot: _Optional[str] = ..., number: _Optional[int] = ..., round: _Optional[int] = ..., parts: _Optional[_Iterable[_Union[SlotPart, _Mapping]]] = ..., more: _Optional[_Iterable[_Union[SlotMessage, _Mapping]]] = ..., start: _Optional[_Union[Start, _Mapping]] = ...) -> None: ...

class Start(_message.Message):
    __slots__ = ("number", "marks")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    number: int
    marks: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, number: _Optional[int] = ..., marks: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SlotPart(_message.Message):
    __slots__ = ("label", "body")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    label: str
    body: bytes
    def __init__(self, label: _Optional[str] = ..., body: _Optional[bytes] = ...) -> None: ...

class ConsentNote(_message.Message):
    __slots__ = ("job", "job_envelope", "consents")
    JOB_FIELD_NUMBER: _ClassVar[int]
    JOB_ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    job_envelope: _common_pb2.Envelope
    consents: _containers.RepeatedCompositeFieldContainer[_common_pb2.Envelope]
    def __init__(self, job: _Optional[bytes] = ..., job_envelope: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ..., consents: _Optional[_Iterable[_Union[_common_pb2.Envelope, _Mapping]]] = ...) -> None: ...

class KeyContributions(_message.Message):
    __slots__ = ("job", "attempt", "session", "contributions")
    JOB_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    attempt: int
    session: bytes
    contributions: _containers.RepeatedCompositeFieldContainer[KeyContribution]
    def __init__(self, job: _Optional[bytes] = ..., attempt: _Optional[int] = ..., session: _Optional[bytes] = ..., contributions: _Optional[_Iterable[_Union[KeyContribution, _Mapping]]] = ...) -> None: ...

class KeyContribution(_message.Message):
    __slots__ = ("key", "secret", "salt")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    key: int
    secret: bytes
    salt: bytes
    def __init__(self, key: _Optional[int] = ..., secret: _Optional[bytes] = ..., salt: _Optional[bytes] = ...) -> None: ...

class InputChunk(_message.Message):
    __slots__ = ("header", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: InputHeader
    data: bytes
    def __init__(self, header: _Optional[_Union[InputHeader, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class InputHeader(_message.Message):
    __slots__ = ("job", "session", "input", "entry", "boxes")
    JOB_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    BOXES_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    session: bytes
    input: str
    entry: _common_pb2.Envelope
    boxes: _containers.RepeatedCompositeFieldContainer[SealedBox]
    def __init__(self, job: _Optional[bytes] = ..., session: _Optional[bytes] = ..., input: _Optional[str] = ..., entry: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ..., boxes: _Optional[_Iterable[_Union[SealedBox, _Mapping]]] = ...) -> None: ...

class SealedBox(_message.Message):
    __slots__ = ("summand", "size_bytes")
    SUMMAND_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    summand: int
    size_bytes: int
    def __init__(self, summand: _Optional[int] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class ShareChunk(_message.Message):
    __slots__ = ("header", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: ShareHeader
    data: bytes
    def __init__(self, header: _Optional[_Union[ShareHeader, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class ShareHeader(_message.Message):
    __slots__ = ("job", "session", "owner", "input", "summand", "salt", "size_bytes")
    JOB_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    SUMMAND_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    session: bytes
    owner: str
    input: str
    summand: int
    salt: bytes
    size_bytes: int
    def __init__(self, job: _Optional[bytes] = ..., session: _Optional[bytes] = ..., owner: _Optional[str] = ..., input: _Optional[str] = ..., summand: _Optional[int] = ..., salt: _Optional[bytes] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class FetchOutputRequest(_message.Message):
    __slots__ = ("job", "output", "summand", "body", "wait_ms")
    JOB_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SUMMAND_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    output: str
    summand: int
    body: bool
    wait_ms: int
    def __init__(self, job: _Optional[bytes] = ..., output: _Optional[str] = ..., summand: _Optional[int] = ..., body: _Optional[bool] = ..., wait_ms: _Optional[int] = ...) -> None: ...

class OutputChunk(_message.Message):
    __slots__ = ("header", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: OutputHeader
    data: bytes
    def __init__(self, header: _Optional[_Union[OutputHeader, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class OutputHeader(_message.Message):
    __slots__ = ("commitment", "salt", "size_bytes", "state", "ready")
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    commitment: _common_pb2.Envelope
    salt: bytes
    size_bytes: int
    state: str
    ready: bool
    def __init__(self, commitment: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ..., salt: _Optional[bytes] = ..., size_bytes: _Optional[int] = ..., state: _Optional[str] = ..., ready: _Optional[bool] = ...) -> None: ...

class ReceiptNote(_message.Message):
    __slots__ = ("job", "receipt")
    JOB_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    receipt: _common_pb2.Envelope
    def __init__(self, job: _Optional[bytes] = ..., receipt: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ...) -> None: ...

class FetchReceiptReply(_message.Message):
    __slots__ = ("ready", "receipt")
    READY_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    ready: bool
    receipt: _common_pb2.Envelope
    def __init__(self, ready: _Optional[bool] = ..., receipt: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ...) -> None: ...

class FetchReceiptRequest(_message.Message):
    __slots__ = ("job", "wait_ms")
    JOB_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    job: bytes
    wait_ms: int
    def __init__(self, job: _Optional[bytes] = ..., wait_ms: _Optional[int] = ...) -> None: ...
