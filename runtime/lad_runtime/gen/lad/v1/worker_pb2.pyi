from lad_runtime.gen.lad.v1 import options_pb2 as _options_pb2
from lad_runtime.gen.lad.v1 import training_pb2 as _training_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_TYPE_UNSPECIFIED: _ClassVar[DataType]
    DATA_TYPE_FLOAT32: _ClassVar[DataType]
    DATA_TYPE_BFLOAT16: _ClassVar[DataType]
    DATA_TYPE_FLOAT16: _ClassVar[DataType]
DATA_TYPE_UNSPECIFIED: DataType
DATA_TYPE_FLOAT32: DataType
DATA_TYPE_BFLOAT16: DataType
DATA_TYPE_FLOAT16: DataType

class HandshakeRequest(_message.Message):
    __slots__ = ("protocol_version", "build_version")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    BUILD_VERSION_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    build_version: str
    def __init__(self, protocol_version: _Optional[int] = ..., build_version: _Optional[str] = ...) -> None: ...

class HandshakeResponse(_message.Message):
    __slots__ = ("protocol_version", "build_version", "pid")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    BUILD_VERSION_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    build_version: str
    pid: int
    def __init__(self, protocol_version: _Optional[int] = ..., build_version: _Optional[str] = ..., pid: _Optional[int] = ...) -> None: ...

class GetInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetInfoResponse(_message.Message):
    __slots__ = ("device", "device_name", "threads", "torch_version", "python_version", "accounted_bytes", "memory_bytes", "bases", "adapters", "memory_budget_bytes", "offloaded_bytes", "policies", "noises")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    TORCH_VERSION_FIELD_NUMBER: _ClassVar[int]
    PYTHON_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    BASES_FIELD_NUMBER: _ClassVar[int]
    ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BUDGET_BYTES_FIELD_NUMBER: _ClassVar[int]
    OFFLOADED_BYTES_FIELD_NUMBER: _ClassVar[int]
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    NOISES_FIELD_NUMBER: _ClassVar[int]
    device: str
    device_name: str
    threads: int
    torch_version: str
    python_version: str
    accounted_bytes: int
    memory_bytes: int
    bases: _containers.RepeatedCompositeFieldContainer[Base]
    adapters: _containers.RepeatedCompositeFieldContainer[Adapter]
    memory_budget_bytes: int
    offloaded_bytes: int
    policies: _containers.RepeatedScalarFieldContainer[str]
    noises: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, device: _Optional[str] = ..., device_name: _Optional[str] = ..., threads: _Optional[int] = ..., torch_version: _Optional[str] = ..., python_version: _Optional[str] = ..., accounted_bytes: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., bases: _Optional[_Iterable[_Union[Base, _Mapping]]] = ..., adapters: _Optional[_Iterable[_Union[Adapter, _Mapping]]] = ..., memory_budget_bytes: _Optional[int] = ..., offloaded_bytes: _Optional[int] = ..., policies: _Optional[_Iterable[str]] = ..., noises: _Optional[_Iterable[str]] = ...) -> None: ...

class HoldRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HoldResponse(_message.Message):
    __slots__ = ("lease_seconds",)
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    lease_seconds: int
    def __init__(self, lease_seconds: _Optional[int] = ...) -> None: ...

class LoadBaseRequest(_message.Message):
    __slots__ = ("name", "revision", "data_type", "mask_token", "chat_template", "system_prompt", "hub_token", "seed", "compile")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    MASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CHAT_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_PROMPT_FIELD_NUMBER: _ClassVar[int]
    HUB_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    COMPILE_FIELD_NUMBER: _ClassVar[int]
    name: str
    revision: str
    data_type: DataType
    mask_token: str
    chat_template: str
    system_prompt: str
    hub_token: str
    seed: int
    compile: bool
    def __init__(self, name: _Optional[str] = ..., revision: _Optional[str] = ..., data_type: _Optional[_Union[DataType, str]] = ..., mask_token: _Optional[str] = ..., chat_template: _Optional[str] = ..., system_prompt: _Optional[str] = ..., hub_token: _Optional[str] = ..., seed: _Optional[int] = ..., compile: _Optional[bool] = ...) -> None: ...

class LoadBaseResponse(_message.Message):
    __slots__ = ("progress", "base")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    progress: LoadProgress
    base: Base
    def __init__(self, progress: _Optional[_Union[LoadProgress, _Mapping]] = ..., base: _Optional[_Union[Base, _Mapping]] = ...) -> None: ...

class LoadProgress(_message.Message):
    __slots__ = ("phase", "done_bytes", "total_bytes")
    PHASE_FIELD_NUMBER: _ClassVar[int]
    DONE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    phase: str
    done_bytes: int
    total_bytes: int
    def __init__(self, phase: _Optional[str] = ..., done_bytes: _Optional[int] = ..., total_bytes: _Optional[int] = ...) -> None: ...

class Base(_message.Message):
    __slots__ = ("id", "name", "revision", "parameter_count", "bytes", "data_type", "vocab_size", "hidden_size", "num_layers", "num_heads", "num_kv_heads", "max_positions", "projections", "max_rank", "mask_token", "mask_token_id", "eos_token", "eos_token_id", "system_prompt", "has_chat_template", "compile_seconds", "stop_tokens", "stop_token_ids", "warnings", "kernels", "chat_template_digest", "attention")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_COUNT_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    VOCAB_SIZE_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_SIZE_FIELD_NUMBER: _ClassVar[int]
    NUM_LAYERS_FIELD_NUMBER: _ClassVar[int]
    NUM_HEADS_FIELD_NUMBER: _ClassVar[int]
    NUM_KV_HEADS_FIELD_NUMBER: _ClassVar[int]
    MAX_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    PROJECTIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_RANK_FIELD_NUMBER: _ClassVar[int]
    MASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MASK_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    EOS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EOS_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_PROMPT_FIELD_NUMBER: _ClassVar[int]
    HAS_CHAT_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    COMPILE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STOP_TOKENS_FIELD_NUMBER: _ClassVar[int]
    STOP_TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    KERNELS_FIELD_NUMBER: _ClassVar[int]
    CHAT_TEMPLATE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ATTENTION_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    revision: str
    parameter_count: int
    bytes: int
    data_type: DataType
    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    max_positions: int
    projections: _containers.RepeatedScalarFieldContainer[str]
    max_rank: int
    mask_token: str
    mask_token_id: int
    eos_token: str
    eos_token_id: int
    system_prompt: str
    has_chat_template: bool
    compile_seconds: float
    stop_tokens: _containers.RepeatedScalarFieldContainer[str]
    stop_token_ids: _containers.RepeatedScalarFieldContainer[int]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    kernels: _containers.RepeatedCompositeFieldContainer[MatrixKernel]
    chat_template_digest: str
    attention: _training_pb2.AttentionMode
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., revision: _Optional[str] = ..., parameter_count: _Optional[int] = ..., bytes: _Optional[int] = ..., data_type: _Optional[_Union[DataType, str]] = ..., vocab_size: _Optional[int] = ..., hidden_size: _Optional[int] = ..., num_layers: _Optional[int] = ..., num_heads: _Optional[int] = ..., num_kv_heads: _Optional[int] = ..., max_positions: _Optional[int] = ..., projections: _Optional[_Iterable[str]] = ..., max_rank: _Optional[int] = ..., mask_token: _Optional[str] = ..., mask_token_id: _Optional[int] = ..., eos_token: _Optional[str] = ..., eos_token_id: _Optional[int] = ..., system_prompt: _Optional[str] = ..., has_chat_template: _Optional[bool] = ..., compile_seconds: _Optional[float] = ..., stop_tokens: _Optional[_Iterable[str]] = ..., stop_token_ids: _Optional[_Iterable[int]] = ..., warnings: _Optional[_Iterable[str]] = ..., kernels: _Optional[_Iterable[_Union[MatrixKernel, _Mapping]]] = ..., chat_template_digest: _Optional[str] = ..., attention: _Optional[_Union[_training_pb2.AttentionMode, str]] = ...) -> None: ...

class MatrixKernel(_message.Message):
    __slots__ = ("matrix", "kernel", "layout")
    MATRIX_FIELD_NUMBER: _ClassVar[int]
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    matrix: str
    kernel: str
    layout: str
    def __init__(self, matrix: _Optional[str] = ..., kernel: _Optional[str] = ..., layout: _Optional[str] = ...) -> None: ...

class UnloadBaseRequest(_message.Message):
    __slots__ = ("base_id",)
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    def __init__(self, base_id: _Optional[str] = ...) -> None: ...

class UnloadBaseResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Adapter(_message.Message):
    __slots__ = ("id", "base_id", "spec", "parameter_count", "bytes", "steps", "last_sequence", "claims")
    ID_FIELD_NUMBER: _ClassVar[int]
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_COUNT_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    id: str
    base_id: str
    spec: AdapterSpec
    parameter_count: int
    bytes: int
    steps: int
    last_sequence: int
    claims: AdapterClaims
    def __init__(self, id: _Optional[str] = ..., base_id: _Optional[str] = ..., spec: _Optional[_Union[AdapterSpec, _Mapping]] = ..., parameter_count: _Optional[int] = ..., bytes: _Optional[int] = ..., steps: _Optional[int] = ..., last_sequence: _Optional[int] = ..., claims: _Optional[_Union[AdapterClaims, _Mapping]] = ...) -> None: ...

class AdapterClaims(_message.Message):
    __slots__ = ("base_name", "base_revision", "attention", "context", "noise", "loss", "mask_token", "eos_token", "stop_tokens", "chat_template_digest", "steps", "version", "window_tokens", "canvas_tokens", "pad_tokens")
    BASE_NAME_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    ATTENTION_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    MASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EOS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STOP_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CHAT_TEMPLATE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WINDOW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CANVAS_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PAD_TOKENS_FIELD_NUMBER: _ClassVar[int]
    base_name: str
    base_revision: str
    attention: _training_pb2.AttentionMode
    context: str
    noise: _training_pb2.NoiseSpec
    loss: _training_pb2.LossSpec
    mask_token: str
    eos_token: str
    stop_tokens: _containers.RepeatedScalarFieldContainer[str]
    chat_template_digest: str
    steps: int
    version: str
    window_tokens: int
    canvas_tokens: int
    pad_tokens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, base_name: _Optional[str] = ..., base_revision: _Optional[str] = ..., attention: _Optional[_Union[_training_pb2.AttentionMode, str]] = ..., context: _Optional[str] = ..., noise: _Optional[_Union[_training_pb2.NoiseSpec, _Mapping]] = ..., loss: _Optional[_Union[_training_pb2.LossSpec, _Mapping]] = ..., mask_token: _Optional[str] = ..., eos_token: _Optional[str] = ..., stop_tokens: _Optional[_Iterable[str]] = ..., chat_template_digest: _Optional[str] = ..., steps: _Optional[int] = ..., version: _Optional[str] = ..., window_tokens: _Optional[int] = ..., canvas_tokens: _Optional[int] = ..., pad_tokens: _Optional[_Iterable[str]] = ...) -> None: ...

class AdapterSpec(_message.Message):
    __slots__ = ("rank", "alpha", "targets", "dropout", "seed", "use_rslora")
    RANK_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    USE_RSLORA_FIELD_NUMBER: _ClassVar[int]
    rank: int
    alpha: float
    targets: _containers.RepeatedScalarFieldContainer[str]
    dropout: float
    seed: int
    use_rslora: bool
    def __init__(self, rank: _Optional[int] = ..., alpha: _Optional[float] = ..., targets: _Optional[_Iterable[str]] = ..., dropout: _Optional[float] = ..., seed: _Optional[int] = ..., use_rslora: _Optional[bool] = ...) -> None: ...

class ErrorDetail(_message.Message):
    __slots__ = ("code", "message", "option", "value", "remedy", "retry_after_ms")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    OPTION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    option: str
    value: str
    remedy: str
    retry_after_ms: int
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., option: _Optional[str] = ..., value: _Optional[str] = ..., remedy: _Optional[str] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...
