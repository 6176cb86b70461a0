from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ToWorker(_message.Message):
    __slots__ = ("order", "link", "reveal", "batch")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    REVEAL_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    order: Order
    link: LinkSocket
    reveal: RevealAnswer
    batch: BatchQuestion
    def __init__(self, order: _Optional[_Union[Order, _Mapping]] = ..., link: _Optional[_Union[LinkSocket, _Mapping]] = ..., reveal: _Optional[_Union[RevealAnswer, _Mapping]] = ..., batch: _Optional[_Union[BatchQuestion, _Mapping]] = ...) -> None: ...

class FromWorker(_message.Message):
    __slots__ = ("progress", "reveal", "result", "failure", "batch")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REVEAL_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    reveal: RevealQuestion
    result: Result
    failure: Failure
    batch: BatchAnswer
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., reveal: _Optional[_Union[RevealQuestion, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., batch: _Optional[_Union[BatchAnswer, _Mapping]] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("session", "specification_hash", "epoch", "attempt", "me", "members", "program", "parameters", "order", "inputs", "missing", "keys", "tag_secrets", "leaf_pem", "leaf_key_pem", "outputs", "links_s", "round_s", "deadline_s", "memory_bytes", "scheme", "unchecked", "history", "roster", "first_round_s", "dropped")
    class KeysEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    class TagSecretsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SPECIFICATION_HASH_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ME_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    TAG_SECRETS_FIELD_NUMBER: _ClassVar[int]
    LEAF_PEM_FIELD_NUMBER: _ClassVar[int]
    LEAF_KEY_PEM_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    LINKS_S_FIELD_NUMBER: _ClassVar[int]
    ROUND_S_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_S_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    UNCHECKED_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    ROSTER_FIELD_NUMBER: _ClassVar[int]
    FIRST_ROUND_S_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    session: bytes
    specification_hash: bytes
    epoch: int
    attempt: int
    me: int
    members: _containers.RepeatedCompositeFieldContainer[Member]
    program: bytes
    parameters: _containers.RepeatedCompositeFieldContainer[Parameter]
    order: _containers.RepeatedScalarFieldContainer[str]
    inputs: _containers.RepeatedCompositeFieldContainer[Input]
    missing: str
    keys: _containers.ScalarMap[int, bytes]
    tag_secrets: _containers.ScalarMap[int, bytes]
    leaf_pem: bytes
    leaf_key_pem: bytes
    outputs: _containers.RepeatedCompositeFieldContainer[Output]
    links_s: float
    round_s: float
    deadline_s: float
    memory_bytes: int
    scheme: str
    unchecked: bool
    history: bytes
    roster: _containers.RepeatedScalarFieldContainer[int]
    first_round_s: float
    dropped: int
    def __init__(self, session: _Optional[bytes] = ..., specification_hash: _Optional[bytes] = ..., epoch: _Optional[int] = ..., attempt: _Optional[int] = ..., me: _Optional[int] = ..., members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ..., program: _Optional[bytes] = ..., parameters: _Optional[_Iterable[_Union[Parameter, _Mapping]]] = ..., order: _Optional[_Iterable[str]] = ..., inputs: _Optional[_Iterable[_Union[Input, _Mapping]]] = ..., missing: _Optional[str] = ..., keys: _Optional[_Mapping[int, bytes]] = ..., tag_secrets: _Optional[_Mapping[int, bytes]] = ..., leaf_pem: _Optional[bytes] = ..., leaf_key_pem: _Optional[bytes] = ..., outputs: _Optional[_Iterable[_Union[Output, _Mapping]]] = ..., links_s: _Optional[float] = ..., round_s: _Optional[float] = ..., deadline_s: _Optional[float] = ..., memory_bytes: _Optional[int] = ..., scheme: _Optional[str] = ..., unchecked: _Optional[bool] = ..., history: _Optional[bytes] = ..., roster: _Optional[_Iterable[int]] = ..., first_round_s: _Optional[float] = ..., dropped: _Optional[int] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("name", "identity_pem", "host", "port")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_PEM_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    name: str
    identity_pem: bytes
    host: str
    port: int
    def __init__(self, name: _Optional[str] = ..., identity_pem: _Optional[bytes] = ..., host: _Optional[str] = ..., port: _Optional[int] = ...) -> None: ...

class Parameter(_message.Message):
    __slots__ = ("name", "values", "scalar", "truth")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    SCALAR_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedScalarFieldContainer[int]
    scalar: bool
    truth: bool
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[int]] = ..., scalar: _Optional[bool] = ..., truth: _Optional[bool] = ...) -> None: ...

class Input(_message.Message):
    __slots__ = ("owner", "owner_key", "table", "name", "rows", "columns", "payloads", "default_row", "left_out")
    class PayloadsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    OWNER_FIELD_NUMBER: _ClassVar[int]
    OWNER_KEY_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    PAYLOADS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_ROW_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    owner: str
    owner_key: bytes
    table: str
    name: str
    rows: int
    columns: _containers.RepeatedScalarFieldContainer[str]
    payloads: _containers.ScalarMap[int, bytes]
    default_row: _containers.RepeatedScalarFieldContainer[int]
    left_out: bool
    def __init__(self, owner: _Optional[str] = ..., owner_key: _Optional[bytes] = ..., table: _Optional[str] = ..., name: _Optional[str] = ..., rows: _Optional[int] = ..., columns: _Optional[_Iterable[str]] = ..., payloads: _Optional[_Mapping[int, bytes]] = ..., default_row: _Optional[_Iterable[int]] = ..., left_out: _Optional[bool] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("name", "recipients")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    recipients: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., recipients: _Optional[_Iterable[str]] = ...) -> None: ...

class LinkSocket(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RevealQuestion(_message.Message):
    __slots__ = ("name", "digest", "kept")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    name: str
    digest: bytes
    kept: Kept
    def __init__(self, name: _Optional[str] = ..., digest: _Optional[bytes] = ..., kept: _Optional[_Union[Kept, _Mapping]] = ...) -> None: ...

class RevealAnswer(_message.Message):
    __slots__ = ("go",)
    GO_FIELD_NUMBER: _ClassVar[int]
    go: bool
    def __init__(self, go: _Optional[bool] = ...) -> None: ...

class Counters(_message.Message):
    __slots__ = ("rounds", "payload_sent_bytes", "payload_received_bytes", "link_sent_bytes", "link_received_bytes", "seconds", "peak_rss_bytes")
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_SENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_RECEIVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    LINK_SENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    LINK_RECEIVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    PEAK_RSS_BYTES_FIELD_NUMBER: _ClassVar[int]
    rounds: int
    payload_sent_bytes: int
    payload_received_bytes: int
    link_sent_bytes: int
    link_received_bytes: int
    seconds: float
    peak_rss_bytes: int
    def __init__(self, rounds: _Optional[int] = ..., payload_sent_bytes: _Optional[int] = ..., payload_received_bytes: _Optional[int] = ..., link_sent_bytes: _Optional[int] = ..., link_received_bytes: _Optional[int] = ..., seconds: _Optional[float] = ..., peak_rss_bytes: _Optional[int] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("stage", "counters")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    stage: str
    counters: Counters
    def __init__(self, stage: _Optional[str] = ..., counters: _Optional[_Union[Counters, _Mapping]] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("owner", "table", "row")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    owner: str
    table: str
    row: int
    def __init__(self, owner: _Optional[str] = ..., table: _Optional[str] = ..., row: _Optional[int] = ...) -> None: ...

class OutputShare(_message.Message):
    __slots__ = ("name", "words", "summands", "recipients", "shape")
    class SummandsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    SUMMANDS_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    words: int
    summands: _containers.ScalarMap[int, bytes]
    recipients: _containers.RepeatedCompositeFieldContainer[Recipient]
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., words: _Optional[int] = ..., summands: _Optional[_Mapping[int, bytes]] = ..., recipients: _Optional[_Iterable[_Union[Recipient, _Mapping]]] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Recipient(_message.Message):
    __slots__ = ("name", "salts", "commitments")
    class SaltsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    class CommitmentsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    SALTS_FIELD_NUMBER: _ClassVar[int]
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    salts: _containers.ScalarMap[int, bytes]
    commitments: _containers.ScalarMap[int, bytes]
    def __init__(self, name: _Optional[str] = ..., salts: _Optional[_Mapping[int, bytes]] = ..., commitments: _Optional[_Mapping[int, bytes]] = ...) -> None: ...

class Pair(_message.Message):
    __slots__ = ("path", "parties")
    PATH_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    path: str
    parties: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, path: _Optional[str] = ..., parties: _Optional[_Iterable[int]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("outputs", "excluded", "reveals", "notices", "counters", "kept")
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_FIELD_NUMBER: _ClassVar[int]
    REVEALS_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    outputs: _containers.RepeatedCompositeFieldContainer[OutputShare]
    excluded: _containers.RepeatedCompositeFieldContainer[Row]
    reveals: bytes
    notices: _containers.RepeatedCompositeFieldContainer[Pair]
    counters: Counters
    kept: Kept
    def __init__(self, outputs: _Optional[_Iterable[_Union[OutputShare, _Mapping]]] = ..., excluded: _Optional[_Iterable[_Union[Row, _Mapping]]] = ..., reveals: _Optional[bytes] = ..., notices: _Optional[_Iterable[_Union[Pair, _Mapping]]] = ..., counters: _Optional[_Union[Counters, _Mapping]] = ..., kept: _Optional[_Union[Kept, _Mapping]] = ...) -> None: ...

class Backed(_message.Message):
    __slots__ = ("round", "sender", "backup", "receiver", "digest")
    ROUND_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    round: int
    sender: int
    backup: int
    receiver: int
    digest: bytes
    def __init__(self, round: _Optional[int] = ..., sender: _Optional[int] = ..., backup: _Optional[int] = ..., receiver: _Optional[int] = ..., digest: _Optional[bytes] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("number", "what", "keys", "sent", "received", "shown", "heard")
    class KeysEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    class HeardEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    HEARD_FIELD_NUMBER: _ClassVar[int]
    number: int
    what: bytes
    keys: _containers.ScalarMap[int, bytes]
    sent: bytes
    received: bytes
    shown: bytes
    heard: _containers.ScalarMap[int, bytes]
    def __init__(self, number: _Optional[int] = ..., what: _Optional[bytes] = ..., keys: _Optional[_Mapping[int, bytes]] = ..., sent: _Optional[bytes] = ..., received: _Optional[bytes] = ..., shown: _Optional[bytes] = ..., heard: _Optional[_Mapping[int, bytes]] = ...) -> None: ...

class Late(_message.Message):
    __slots__ = ("round", "peer", "eighths")
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    EIGHTHS_FIELD_NUMBER: _ClassVar[int]
    round: int
    peer: int
    eighths: int
    def __init__(self, round: _Optional[int] = ..., peer: _Optional[int] = ..., eighths: _Optional[int] = ...) -> None: ...

class Kept(_message.Message):
    __slots__ = ("digests", "accepted", "batches", "late")
    class AcceptedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    digests: _containers.RepeatedCompositeFieldContainer[Backed]
    accepted: _containers.ScalarMap[int, int]
    batches: _containers.RepeatedCompositeFieldContainer[Batch]
    late: _containers.RepeatedCompositeFieldContainer[Late]
    def __init__(self, digests: _Optional[_Iterable[_Union[Backed, _Mapping]]] = ..., accepted: _Optional[_Mapping[int, int]] = ..., batches: _Optional[_Iterable[_Union[Batch, _Mapping]]] = ..., late: _Optional[_Iterable[_Union[Late, _Mapping]]] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("round", "missing", "complaint", "batch")
    ROUND_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    COMPLAINT_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    round: int
    missing: _containers.RepeatedScalarFieldContainer[int]
    complaint: Backed
    batch: int
    def __init__(self, round: _Optional[int] = ..., missing: _Optional[_Iterable[int]] = ..., complaint: _Optional[_Union[Backed, _Mapping]] = ..., batch: _Optional[int] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("kind", "text", "step", "rows", "counters", "report", "kept")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    text: str
    step: str
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    counters: Counters
    report: Report
    kept: Kept
    def __init__(self, kind: _Optional[str] = ..., text: _Optional[str] = ..., step: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ..., counters: _Optional[_Union[Counters, _Mapping]] = ..., report: _Optional[_Union[Report, _Mapping]] = ..., kept: _Optional[_Union[Kept, _Mapping]] = ...) -> None: ...

class BatchQuestion(_message.Message):
    __slots__ = ("what", "keys", "memory_bytes")
    class KeysEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    WHAT_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    what: bytes
    keys: _containers.ScalarMap[int, bytes]
    memory_bytes: int
    def __init__(self, what: _Optional[bytes] = ..., keys: _Optional[_Mapping[int, bytes]] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class BatchAnswer(_message.Message):
    __slots__ = ("sent", "shown")
    class SentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: bytes
        def __init__(self, key: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
    SENT_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    sent: _containers.ScalarMap[int, bytes]
    shown: bytes
    def __init__(self, sent: _Optional[_Mapping[int, bytes]] = ..., shown: _Optional[bytes] = ...) -> None: ...
