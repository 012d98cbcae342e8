from lad_runtime.gen.lad.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TooLong(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOO_LONG_UNSPECIFIED: _ClassVar[TooLong]
    TOO_LONG_DROP: _ClassVar[TooLong]
    TOO_LONG_TRUNCATE: _ClassVar[TooLong]
    TOO_LONG_ERROR: _ClassVar[TooLong]

class SuperviseTurns(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUPERVISE_TURNS_UNSPECIFIED: _ClassVar[SuperviseTurns]
    SUPERVISE_TURNS_LAST: _ClassVar[SuperviseTurns]
    SUPERVISE_TURNS_ALL_ASSISTANT: _ClassVar[SuperviseTurns]
TOO_LONG_UNSPECIFIED: TooLong
TOO_LONG_DROP: TooLong
TOO_LONG_TRUNCATE: TooLong
TOO_LONG_ERROR: TooLong
SUPERVISE_TURNS_UNSPECIFIED: SuperviseTurns
SUPERVISE_TURNS_LAST: SuperviseTurns
SUPERVISE_TURNS_ALL_ASSISTANT: SuperviseTurns

class HasDatasetRequest(_message.Message):
    __slots__ = ("dataset_id",)
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    def __init__(self, dataset_id: _Optional[str] = ...) -> None: ...

class HasDatasetResponse(_message.Message):
    __slots__ = ("found", "examples")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    found: bool
    examples: int
    def __init__(self, found: _Optional[bool] = ..., examples: _Optional[int] = ...) -> None: ...

class UploadDatasetRequest(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class UploadDatasetResponse(_message.Message):
    __slots__ = ("dataset_id", "examples")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    examples: int
    def __init__(self, dataset_id: _Optional[str] = ..., examples: _Optional[int] = ...) -> None: ...

class OpenDatasetRequest(_message.Message):
    __slots__ = ("path", "hub", "columns")
    PATH_FIELD_NUMBER: _ClassVar[int]
    HUB_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    path: str
    hub: HubDataset
    columns: _containers.RepeatedCompositeFieldContainer[ReadColumn]
    def __init__(self, path: _Optional[str] = ..., hub: _Optional[_Union[HubDataset, _Mapping]] = ..., columns: _Optional[_Iterable[_Union[ReadColumn, _Mapping]]] = ...) -> None: ...

class ReadColumn(_message.Message):
    __slots__ = ("field", "column")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    field: str
    column: str
    def __init__(self, field: _Optional[str] = ..., column: _Optional[str] = ...) -> None: ...

class HubDataset(_message.Message):
    __slots__ = ("name", "config", "split", "revision", "hub_token", "max_examples")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    HUB_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MAX_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    config: str
    split: str
    revision: str
    hub_token: str
    max_examples: int
    def __init__(self, name: _Optional[str] = ..., config: _Optional[str] = ..., split: _Optional[str] = ..., revision: _Optional[str] = ..., hub_token: _Optional[str] = ..., max_examples: _Optional[int] = ...) -> None: ...

class OpenDatasetResponse(_message.Message):
    __slots__ = ("dataset_id", "examples")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    examples: int
    def __init__(self, dataset_id: _Optional[str] = ..., examples: _Optional[int] = ...) -> None: ...

class MixDatasetRequest(_message.Message):
    __slots__ = ("base_id", "mixture")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    MIXTURE_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    mixture: MixtureSpec
    def __init__(self, base_id: _Optional[str] = ..., mixture: _Optional[_Union[MixtureSpec, _Mapping]] = ...) -> None: ...

class MixtureSpec(_message.Message):
    __slots__ = ("sources", "seed", "examples", "exact_duplicates", "near_duplicates", "contamination")
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    EXACT_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    NEAR_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    CONTAMINATION_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[MixtureSource]
    seed: int
    examples: int
    exact_duplicates: bool
    near_duplicates: NearDuplicates
    contamination: Contamination
    def __init__(self, sources: _Optional[_Iterable[_Union[MixtureSource, _Mapping]]] = ..., seed: _Optional[int] = ..., examples: _Optional[int] = ..., exact_duplicates: _Optional[bool] = ..., near_duplicates: _Optional[_Union[NearDuplicates, _Mapping]] = ..., contamination: _Optional[_Union[Contamination, _Mapping]] = ...) -> None: ...

class MixtureSource(_message.Message):
    __slots__ = ("name", "dataset_id", "share", "max_prompt_tokens", "max_answer_tokens", "max_repeats")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    MAX_PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_ANSWER_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_REPEATS_FIELD_NUMBER: _ClassVar[int]
    name: str
    dataset_id: str
    share: float
    max_prompt_tokens: int
    max_answer_tokens: int
    max_repeats: int
    def __init__(self, name: _Optional[str] = ..., dataset_id: _Optional[str] = ..., share: _Optional[float] = ..., max_prompt_tokens: _Optional[int] = ..., max_answer_tokens: _Optional[int] = ..., max_repeats: _Optional[int] = ...) -> None: ...

class NearDuplicates(_message.Message):
    __slots__ = ("threshold", "shingle_words", "permutations")
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    SHINGLE_WORDS_FIELD_NUMBER: _ClassVar[int]
    PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    threshold: float
    shingle_words: int
    permutations: int
    def __init__(self, threshold: _Optional[float] = ..., shingle_words: _Optional[int] = ..., permutations: _Optional[int] = ...) -> None: ...

class Contamination(_message.Message):
    __slots__ = ("dataset_ids", "overlap_words")
    DATASET_IDS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_WORDS_FIELD_NUMBER: _ClassVar[int]
    dataset_ids: _containers.RepeatedScalarFieldContainer[str]
    overlap_words: int
    def __init__(self, dataset_ids: _Optional[_Iterable[str]] = ..., overlap_words: _Optional[int] = ...) -> None: ...

class MixDatasetResponse(_message.Message):
    __slots__ = ("dataset_id", "report")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    report: MixtureReport
    def __init__(self, dataset_id: _Optional[str] = ..., report: _Optional[_Union[MixtureReport, _Mapping]] = ...) -> None: ...

class MixtureReport(_message.Message):
    __slots__ = ("examples", "sources", "ended_by")
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    examples: int
    sources: _containers.RepeatedCompositeFieldContainer[MixedSource]
    ended_by: str
    def __init__(self, examples: _Optional[int] = ..., sources: _Optional[_Iterable[_Union[MixedSource, _Mapping]]] = ..., ended_by: _Optional[str] = ...) -> None: ...

class MixedSource(_message.Message):
    __slots__ = ("name", "share", "read", "too_long", "contaminated", "duplicates", "near_duplicates", "kept", "used", "repeated")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    TOO_LONG_FIELD_NUMBER: _ClassVar[int]
    CONTAMINATED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    NEAR_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    REPEATED_FIELD_NUMBER: _ClassVar[int]
    name: str
    share: float
    read: int
    too_long: int
    contaminated: int
    duplicates: int
    near_duplicates: int
    kept: int
    used: int
    repeated: int
    def __init__(self, name: _Optional[str] = ..., share: _Optional[float] = ..., read: _Optional[int] = ..., too_long: _Optional[int] = ..., contaminated: _Optional[int] = ..., duplicates: _Optional[int] = ..., near_duplicates: _Optional[int] = ..., kept: _Optional[int] = ..., used: _Optional[int] = ..., repeated: _Optional[int] = ...) -> None: ...

class DownloadDatasetRequest(_message.Message):
    __slots__ = ("dataset_id",)
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    def __init__(self, dataset_id: _Optional[str] = ...) -> None: ...

class DownloadDatasetResponse(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class ReadHubRowsRequest(_message.Message):
    __slots__ = ("hub",)
    HUB_FIELD_NUMBER: _ClassVar[int]
    hub: HubDataset
    def __init__(self, hub: _Optional[_Union[HubDataset, _Mapping]] = ...) -> None: ...

class ReadHubRowsResponse(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rows: _Optional[_Iterable[str]] = ...) -> None: ...

class WindowSpec(_message.Message):
    __slots__ = ("window", "pad_to_window", "too_long", "max_prompt_tokens", "supervise", "allow_special", "pad_tokens")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    PAD_TO_WINDOW_FIELD_NUMBER: _ClassVar[int]
    TOO_LONG_FIELD_NUMBER: _ClassVar[int]
    MAX_PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SUPERVISE_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SPECIAL_FIELD_NUMBER: _ClassVar[int]
    PAD_TOKENS_FIELD_NUMBER: _ClassVar[int]
    window: int
    pad_to_window: bool
    too_long: TooLong
    max_prompt_tokens: int
    supervise: SuperviseTurns
    allow_special: bool
    pad_tokens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, window: _Optional[int] = ..., pad_to_window: _Optional[bool] = ..., too_long: _Optional[_Union[TooLong, str]] = ..., max_prompt_tokens: _Optional[int] = ..., supervise: _Optional[_Union[SuperviseTurns, str]] = ..., allow_special: _Optional[bool] = ..., pad_tokens: _Optional[_Iterable[str]] = ...) -> None: ...

class WindowReport(_message.Message):
    __slots__ = ("examples", "kept", "dropped", "truncated", "prompt_tokens", "answer_tokens", "tail_tokens", "special_tokens", "mask_tokens", "end_token", "end_token_id")
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TAIL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SPECIAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MASK_TOKENS_FIELD_NUMBER: _ClassVar[int]
    END_TOKEN_FIELD_NUMBER: _ClassVar[int]
    END_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    examples: int
    kept: int
    dropped: int
    truncated: int
    prompt_tokens: int
    answer_tokens: int
    tail_tokens: int
    special_tokens: int
    mask_tokens: int
    end_token: str
    end_token_id: int
    def __init__(self, examples: _Optional[int] = ..., kept: _Optional[int] = ..., dropped: _Optional[int] = ..., truncated: _Optional[int] = ..., prompt_tokens: _Optional[int] = ..., answer_tokens: _Optional[int] = ..., tail_tokens: _Optional[int] = ..., special_tokens: _Optional[int] = ..., mask_tokens: _Optional[int] = ..., end_token: _Optional[str] = ..., end_token_id: _Optional[int] = ...) -> None: ...

class PrepareDatasetRequest(_message.Message):
    __slots__ = ("base_id", "dataset_id", "window")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    dataset_id: str
    window: WindowSpec
    def __init__(self, base_id: _Optional[str] = ..., dataset_id: _Optional[str] = ..., window: _Optional[_Union[WindowSpec, _Mapping]] = ...) -> None: ...

class PrepareDatasetResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: WindowReport
    def __init__(self, report: _Optional[_Union[WindowReport, _Mapping]] = ...) -> None: ...

class StreamExamplesRequest(_message.Message):
    __slots__ = ("base_id", "dataset_id", "window", "offset", "limit")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    dataset_id: str
    window: WindowSpec
    offset: int
    limit: int
    def __init__(self, base_id: _Optional[str] = ..., dataset_id: _Optional[str] = ..., window: _Optional[_Union[WindowSpec, _Mapping]] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class StreamExamplesResponse(_message.Message):
    __slots__ = ("examples",)
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    examples: _containers.RepeatedCompositeFieldContainer[PreparedExample]
    def __init__(self, examples: _Optional[_Iterable[_Union[PreparedExample, _Mapping]]] = ...) -> None: ...

class PreparedExample(_message.Message):
    __slots__ = ("id", "ids", "answer", "tail", "weight")
    ID_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    TAIL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    id: int
    ids: _containers.RepeatedScalarFieldContainer[int]
    answer: bytes
    tail: bytes
    weight: float
    def __init__(self, id: _Optional[int] = ..., ids: _Optional[_Iterable[int]] = ..., answer: _Optional[bytes] = ..., tail: _Optional[bytes] = ..., weight: _Optional[float] = ...) -> None: ...

class EncodeRequest(_message.Message):
    __slots__ = ("base_id", "texts", "allow_special", "add_special")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SPECIAL_FIELD_NUMBER: _ClassVar[int]
    ADD_SPECIAL_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    texts: _containers.RepeatedScalarFieldContainer[str]
    allow_special: bool
    add_special: bool
    def __init__(self, base_id: _Optional[str] = ..., texts: _Optional[_Iterable[str]] = ..., allow_special: _Optional[bool] = ..., add_special: _Optional[bool] = ...) -> None: ...

class EncodeResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[TokenIds]
    def __init__(self, results: _Optional[_Iterable[_Union[TokenIds, _Mapping]]] = ...) -> None: ...

class TokenIds(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, ids: _Optional[_Iterable[int]] = ...) -> None: ...

class DecodeRequest(_message.Message):
    __slots__ = ("base_id", "sequences", "keep_special")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    KEEP_SPECIAL_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    sequences: _containers.RepeatedCompositeFieldContainer[TokenIds]
    keep_special: bool
    def __init__(self, base_id: _Optional[str] = ..., sequences: _Optional[_Iterable[_Union[TokenIds, _Mapping]]] = ..., keep_special: _Optional[bool] = ...) -> None: ...

class DecodeResponse(_message.Message):
    __slots__ = ("texts",)
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, texts: _Optional[_Iterable[str]] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("role", "content")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    role: str
    content: str
    def __init__(self, role: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class RenderRequest(_message.Message):
    __slots__ = ("base_id", "messages", "add_generation_prompt", "allow_special")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    ADD_GENERATION_PROMPT_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SPECIAL_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    add_generation_prompt: bool
    allow_special: bool
    def __init__(self, base_id: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., add_generation_prompt: _Optional[bool] = ..., allow_special: _Optional[bool] = ...) -> None: ...

class RenderResponse(_message.Message):
    __slots__ = ("text", "ids")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    text: str
    ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, text: _Optional[str] = ..., ids: _Optional[_Iterable[int]] = ...) -> None: ...
