from lad_runtime.gen.lad.v1 import data_pb2 as _data_pb2
from lad_runtime.gen.lad.v1 import options_pb2 as _options_pb2
from lad_runtime.gen.lad.v1 import training_pb2 as _training_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Confidence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONFIDENCE_UNSPECIFIED: _ClassVar[Confidence]
    CONFIDENCE_UNFILTERED: _ClassVar[Confidence]
    CONFIDENCE_FILTERED: _ClassVar[Confidence]

class DrawMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DRAW_METHOD_UNSPECIFIED: _ClassVar[DrawMethod]
    DRAW_METHOD_INVERSE_CDF: _ClassVar[DrawMethod]
    DRAW_METHOD_GUMBEL: _ClassVar[DrawMethod]

class RemaskSchedule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMASK_SCHEDULE_UNSPECIFIED: _ClassVar[RemaskSchedule]
    REMASK_SCHEDULE_EXPONENTIAL: _ClassVar[RemaskSchedule]
    REMASK_SCHEDULE_LINEAR: _ClassVar[RemaskSchedule]

class RemaskPositions(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMASK_POSITIONS_UNSPECIFIED: _ClassVar[RemaskPositions]
    REMASK_POSITIONS_RANDOM: _ClassVar[RemaskPositions]
    REMASK_POSITIONS_CLUSTERED: _ClassVar[RemaskPositions]
    REMASK_POSITIONS_CONFIDENCE: _ClassVar[RemaskPositions]

class RemaskRetention(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMASK_RETENTION_UNSPECIFIED: _ClassVar[RemaskRetention]
    REMASK_RETENTION_NONE: _ClassVar[RemaskRetention]
    REMASK_RETENTION_EDITABLE: _ClassVar[RemaskRetention]
    REMASK_RETENTION_LOCKED: _ClassVar[RemaskRetention]

class SpeculativeDecided(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPECULATIVE_DECIDED_UNSPECIFIED: _ClassVar[SpeculativeDecided]
    SPECULATIVE_DECIDED_CANVAS: _ClassVar[SpeculativeDecided]
    SPECULATIVE_DECIDED_PAST: _ClassVar[SpeculativeDecided]

class StopReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STOP_REASON_UNSPECIFIED: _ClassVar[StopReason]
    STOP_REASON_ITERATIONS: _ClassVar[StopReason]
    STOP_REASON_SETTLED: _ClassVar[StopReason]
    STOP_REASON_EOS: _ClassVar[StopReason]
    STOP_REASON_LENGTH: _ClassVar[StopReason]
    STOP_REASON_STOP: _ClassVar[StopReason]
CONFIDENCE_UNSPECIFIED: Confidence
CONFIDENCE_UNFILTERED: Confidence
CONFIDENCE_FILTERED: Confidence
DRAW_METHOD_UNSPECIFIED: DrawMethod
DRAW_METHOD_INVERSE_CDF: DrawMethod
DRAW_METHOD_GUMBEL: DrawMethod
REMASK_SCHEDULE_UNSPECIFIED: RemaskSchedule
REMASK_SCHEDULE_EXPONENTIAL: RemaskSchedule
REMASK_SCHEDULE_LINEAR: RemaskSchedule
REMASK_POSITIONS_UNSPECIFIED: RemaskPositions
REMASK_POSITIONS_RANDOM: RemaskPositions
REMASK_POSITIONS_CLUSTERED: RemaskPositions
REMASK_POSITIONS_CONFIDENCE: RemaskPositions
REMASK_RETENTION_UNSPECIFIED: RemaskRetention
REMASK_RETENTION_NONE: RemaskRetention
REMASK_RETENTION_EDITABLE: RemaskRetention
REMASK_RETENTION_LOCKED: RemaskRetention
SPECULATIVE_DECIDED_UNSPECIFIED: SpeculativeDecided
SPECULATIVE_DECIDED_CANVAS: SpeculativeDecided
SPECULATIVE_DECIDED_PAST: SpeculativeDecided
STOP_REASON_UNSPECIFIED: StopReason
STOP_REASON_ITERATIONS: StopReason
STOP_REASON_SETTLED: StopReason
STOP_REASON_EOS: StopReason
STOP_REASON_LENGTH: StopReason
STOP_REASON_STOP: StopReason

class DrawSpec(_message.Message):
    __slots__ = ("temperature", "top_k", "top_p", "confidence", "eos_bias", "method", "allow_mask")
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EOS_BIAS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MASK_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    top_k: int
    top_p: float
    confidence: Confidence
    eos_bias: float
    method: DrawMethod
    allow_mask: bool
    def __init__(self, temperature: _Optional[float] = ..., top_k: _Optional[int] = ..., top_p: _Optional[float] = ..., confidence: _Optional[_Union[Confidence, str]] = ..., eos_bias: _Optional[float] = ..., method: _Optional[_Union[DrawMethod, str]] = ..., allow_mask: _Optional[bool] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("remask", "refine", "llada", "ar", "speculative", "threshold", "editing", "revoking", "entropy_bound")
    REMASK_FIELD_NUMBER: _ClassVar[int]
    REFINE_FIELD_NUMBER: _ClassVar[int]
    LLADA_FIELD_NUMBER: _ClassVar[int]
    AR_FIELD_NUMBER: _ClassVar[int]
    SPECULATIVE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    EDITING_FIELD_NUMBER: _ClassVar[int]
    REVOKING_FIELD_NUMBER: _ClassVar[int]
    ENTROPY_BOUND_FIELD_NUMBER: _ClassVar[int]
    remask: RemaskPolicy
    refine: RefinePolicy
    llada: LladaPolicy
    ar: ArPolicy
    speculative: SpeculativePolicy
    threshold: ThresholdPolicy
    editing: EditingPolicy
    revoking: RevokingPolicy
    entropy_bound: EntropyBoundPolicy
    def __init__(self, remask: _Optional[_Union[RemaskPolicy, _Mapping]] = ..., refine: _Optional[_Union[RefinePolicy, _Mapping]] = ..., llada: _Optional[_Union[LladaPolicy, _Mapping]] = ..., ar: _Optional[_Union[ArPolicy, _Mapping]] = ..., speculative: _Optional[_Union[SpeculativePolicy, _Mapping]] = ..., threshold: _Optional[_Union[ThresholdPolicy, _Mapping]] = ..., editing: _Optional[_Union[EditingPolicy, _Mapping]] = ..., revoking: _Optional[_Union[RevokingPolicy, _Mapping]] = ..., entropy_bound: _Optional[_Union[EntropyBoundPolicy, _Mapping]] = ...) -> None: ...

class RemaskPolicy(_message.Message):
    __slots__ = ("iterations", "schedule", "sharpness", "noise_start", "positions", "min_guidance_weight", "cluster_span", "retention", "early_stop", "grow_tokens")
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    SHARPNESS_FIELD_NUMBER: _ClassVar[int]
    NOISE_START_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    MIN_GUIDANCE_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_SPAN_FIELD_NUMBER: _ClassVar[int]
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    EARLY_STOP_FIELD_NUMBER: _ClassVar[int]
    GROW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    iterations: int
    schedule: RemaskSchedule
    sharpness: float
    noise_start: float
    positions: RemaskPositions
    min_guidance_weight: float
    cluster_span: int
    retention: RemaskRetention
    early_stop: bool
    grow_tokens: int
    def __init__(self, iterations: _Optional[int] = ..., schedule: _Optional[_Union[RemaskSchedule, str]] = ..., sharpness: _Optional[float] = ..., noise_start: _Optional[float] = ..., positions: _Optional[_Union[RemaskPositions, str]] = ..., min_guidance_weight: _Optional[float] = ..., cluster_span: _Optional[int] = ..., retention: _Optional[_Union[RemaskRetention, str]] = ..., early_stop: _Optional[bool] = ..., grow_tokens: _Optional[int] = ...) -> None: ...

class RefinePolicy(_message.Message):
    __slots__ = ("iterations", "early_stop", "grow_tokens")
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    EARLY_STOP_FIELD_NUMBER: _ClassVar[int]
    GROW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    iterations: int
    early_stop: bool
    grow_tokens: int
    def __init__(self, iterations: _Optional[int] = ..., early_stop: _Optional[bool] = ..., grow_tokens: _Optional[int] = ...) -> None: ...

class LladaPolicy(_message.Message):
    __slots__ = ("iterations", "block_tokens", "guidance_scale", "eos_confidence_off")
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TOKENS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    EOS_CONFIDENCE_OFF_FIELD_NUMBER: _ClassVar[int]
    iterations: int
    block_tokens: int
    guidance_scale: float
    eos_confidence_off: bool
    def __init__(self, iterations: _Optional[int] = ..., block_tokens: _Optional[int] = ..., guidance_scale: _Optional[float] = ..., eos_confidence_off: _Optional[bool] = ...) -> None: ...

class ThresholdPolicy(_message.Message):
    __slots__ = ("iterations", "confidence", "factor", "block_tokens")
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TOKENS_FIELD_NUMBER: _ClassVar[int]
    iterations: int
    confidence: float
    factor: float
    block_tokens: int
    def __init__(self, iterations: _Optional[int] = ..., confidence: _Optional[float] = ..., factor: _Optional[float] = ..., block_tokens: _Optional[int] = ...) -> None: ...

class EditingPolicy(_message.Message):
    __slots__ = ("iterations", "confidence", "edit_confidence", "edits")
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EDIT_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EDITS_FIELD_NUMBER: _ClassVar[int]
    iterations: int
    confidence: float
    edit_confidence: float
    edits: int
    def __init__(self, iterations: _Optional[int] = ..., confidence: _Optional[float] = ..., edit_confidence: _Optional[float] = ..., edits: _Optional[int] = ...) -> None: ...

class RevokingPolicy(_message.Message):
    __slots__ = ("iterations", "confidence", "keep_confidence")
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    KEEP_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    iterations: int
    confidence: float
    keep_confidence: float
    def __init__(self, iterations: _Optional[int] = ..., confidence: _Optional[float] = ..., keep_confidence: _Optional[float] = ...) -> None: ...

class EntropyBoundPolicy(_message.Message):
    __slots__ = ("iterations", "bound", "anneal", "temperature_start", "temperature_end", "stable_forwards", "stable_entropy")
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    BOUND_FIELD_NUMBER: _ClassVar[int]
    ANNEAL_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_START_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_END_FIELD_NUMBER: _ClassVar[int]
    STABLE_FORWARDS_FIELD_NUMBER: _ClassVar[int]
    STABLE_ENTROPY_FIELD_NUMBER: _ClassVar[int]
    iterations: int
    bound: float
    anneal: bool
    temperature_start: float
    temperature_end: float
    stable_forwards: int
    stable_entropy: float
    def __init__(self, iterations: _Optional[int] = ..., bound: _Optional[float] = ..., anneal: _Optional[bool] = ..., temperature_start: _Optional[float] = ..., temperature_end: _Optional[float] = ..., stable_forwards: _Optional[int] = ..., stable_entropy: _Optional[float] = ...) -> None: ...

class ArPolicy(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SpeculativePolicy(_message.Message):
    __slots__ = ("draft_tokens", "draft_confidence", "decided", "patience")
    DRAFT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DRAFT_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    PATIENCE_FIELD_NUMBER: _ClassVar[int]
    draft_tokens: int
    draft_confidence: float
    decided: SpeculativeDecided
    patience: int
    def __init__(self, draft_tokens: _Optional[int] = ..., draft_confidence: _Optional[float] = ..., decided: _Optional[_Union[SpeculativeDecided, str]] = ..., patience: _Optional[int] = ...) -> None: ...

class SamplingSpec(_message.Message):
    __slots__ = ("policy", "answer_tokens", "draw", "frames", "attention", "canvas_tokens", "share_weight", "window_tokens", "context", "pad_tokens", "stop", "total_tokens")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DRAW_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    ATTENTION_FIELD_NUMBER: _ClassVar[int]
    CANVAS_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SHARE_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PAD_TOKENS_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    policy: Policy
    answer_tokens: int
    draw: DrawSpec
    frames: bool
    attention: _training_pb2.AttentionMode
    canvas_tokens: int
    share_weight: float
    window_tokens: int
    context: _training_pb2.TrainingContext
    pad_tokens: _containers.RepeatedScalarFieldContainer[str]
    stop: _containers.RepeatedScalarFieldContainer[str]
    total_tokens: int
    def __init__(self, policy: _Optional[_Union[Policy, _Mapping]] = ..., answer_tokens: _Optional[int] = ..., draw: _Optional[_Union[DrawSpec, _Mapping]] = ..., frames: _Optional[bool] = ..., attention: _Optional[_Union[_training_pb2.AttentionMode, str]] = ..., canvas_tokens: _Optional[int] = ..., share_weight: _Optional[float] = ..., window_tokens: _Optional[int] = ..., context: _Optional[_Union[_training_pb2.TrainingContext, str]] = ..., pad_tokens: _Optional[_Iterable[str]] = ..., stop: _Optional[_Iterable[str]] = ..., total_tokens: _Optional[int] = ...) -> None: ...

class Canvas(_message.Message):
    __slots__ = ("ids", "chat", "seed", "begin", "size")
    IDS_FIELD_NUMBER: _ClassVar[int]
    CHAT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ids: _data_pb2.TokenIds
    chat: Chat
    seed: int
    begin: SamplingState
    size: AnswerSize
    def __init__(self, ids: _Optional[_Union[_data_pb2.TokenIds, _Mapping]] = ..., chat: _Optional[_Union[Chat, _Mapping]] = ..., seed: _Optional[int] = ..., begin: _Optional[_Union[SamplingState, _Mapping]] = ..., size: _Optional[_Union[AnswerSize, _Mapping]] = ...) -> None: ...

class AnswerSize(_message.Message):
    __slots__ = ("answer_tokens", "window_tokens")
    ANSWER_TOKENS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    answer_tokens: int
    window_tokens: int
    def __init__(self, answer_tokens: _Optional[int] = ..., window_tokens: _Optional[int] = ...) -> None: ...

class SamplingState(_message.Message):
    __slots__ = ("ids", "masked", "pinned", "kept", "confidences", "memory", "sampled", "same", "iteration", "stopped", "finished", "finished_iterations", "forwards", "key")
    IDS_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    SAME_FIELD_NUMBER: _ClassVar[int]
    ITERATION_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    FORWARDS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    masked: bytes
    pinned: bytes
    kept: bytes
    confidences: bytes
    memory: _containers.RepeatedScalarFieldContainer[int]
    sampled: _containers.RepeatedScalarFieldContainer[int]
    same: int
    iteration: int
    stopped: StopReason
    finished: int
    finished_iterations: int
    forwards: int
    key: CanvasKey
    def __init__(self, ids: _Optional[_Iterable[int]] = ..., masked: _Optional[bytes] = ..., pinned: _Optional[bytes] = ..., kept: _Optional[bytes] = ..., confidences: _Optional[bytes] = ..., memory: _Optional[_Iterable[int]] = ..., sampled: _Optional[_Iterable[int]] = ..., same: _Optional[int] = ..., iteration: _Optional[int] = ..., stopped: _Optional[_Union[StopReason, str]] = ..., finished: _Optional[int] = ..., finished_iterations: _Optional[int] = ..., forwards: _Optional[int] = ..., key: _Optional[_Union[CanvasKey, _Mapping]] = ...) -> None: ...

class CanvasKey(_message.Message):
    __slots__ = ("seed", "canvas")
    SEED_FIELD_NUMBER: _ClassVar[int]
    CANVAS_FIELD_NUMBER: _ClassVar[int]
    seed: int
    canvas: int
    def __init__(self, seed: _Optional[int] = ..., canvas: _Optional[int] = ...) -> None: ...

class Chat(_message.Message):
    __slots__ = ("messages", "allow_special")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SPECIAL_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[_data_pb2.Message]
    allow_special: bool
    def __init__(self, messages: _Optional[_Iterable[_Union[_data_pb2.Message, _Mapping]]] = ..., allow_special: _Optional[bool] = ...) -> None: ...

class StartSamplingRequest(_message.Message):
    __slots__ = ("base_id", "adapter_id", "canvases", "spec", "run_id")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    CANVASES_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    adapter_id: str
    canvases: _containers.RepeatedCompositeFieldContainer[Canvas]
    spec: SamplingSpec
    run_id: str
    def __init__(self, base_id: _Optional[str] = ..., adapter_id: _Optional[str] = ..., canvases: _Optional[_Iterable[_Union[Canvas, _Mapping]]] = ..., spec: _Optional[_Union[SamplingSpec, _Mapping]] = ..., run_id: _Optional[str] = ...) -> None: ...

class StartSamplingResponse(_message.Message):
    __slots__ = ("run_id", "prompt_tokens")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    prompt_tokens: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, run_id: _Optional[str] = ..., prompt_tokens: _Optional[_Iterable[int]] = ...) -> None: ...

class Edit(_message.Message):
    __slots__ = ("position", "old_token", "new_token", "confidence", "remasked", "kept")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    OLD_TOKEN_FIELD_NUMBER: _ClassVar[int]
    NEW_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    REMASKED_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    position: int
    old_token: int
    new_token: int
    confidence: float
    remasked: bool
    kept: bool
    def __init__(self, position: _Optional[int] = ..., old_token: _Optional[int] = ..., new_token: _Optional[int] = ..., confidence: _Optional[float] = ..., remasked: _Optional[bool] = ..., kept: _Optional[bool] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("canvas", "iteration", "iterations", "edits", "answer", "masked", "speculation", "state")
    CANVAS_FIELD_NUMBER: _ClassVar[int]
    ITERATION_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    EDITS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    SPECULATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    canvas: int
    iteration: int
    iterations: int
    edits: _containers.RepeatedCompositeFieldContainer[Edit]
    answer: _containers.RepeatedScalarFieldContainer[int]
    masked: int
    speculation: SpeculationRound
    state: SamplingState
    def __init__(self, canvas: _Optional[int] = ..., iteration: _Optional[int] = ..., iterations: _Optional[int] = ..., edits: _Optional[_Iterable[_Union[Edit, _Mapping]]] = ..., answer: _Optional[_Iterable[int]] = ..., masked: _Optional[int] = ..., speculation: _Optional[_Union[SpeculationRound, _Mapping]] = ..., state: _Optional[_Union[SamplingState, _Mapping]] = ...) -> None: ...

class SpeculationRound(_message.Message):
    __slots__ = ("drafted", "accepted")
    DRAFTED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    drafted: _containers.RepeatedScalarFieldContainer[int]
    accepted: int
    def __init__(self, drafted: _Optional[_Iterable[int]] = ..., accepted: _Optional[int] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("canvas", "ids", "canvas_ids", "text", "iterations", "stopped", "speculation", "pinned", "stop")
    CANVAS_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    CANVAS_IDS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    SPECULATION_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    canvas: int
    ids: _containers.RepeatedScalarFieldContainer[int]
    canvas_ids: _containers.RepeatedScalarFieldContainer[int]
    text: str
    iterations: int
    stopped: StopReason
    speculation: Speculation
    pinned: _containers.RepeatedScalarFieldContainer[int]
    stop: str
    def __init__(self, canvas: _Optional[int] = ..., ids: _Optional[_Iterable[int]] = ..., canvas_ids: _Optional[_Iterable[int]] = ..., text: _Optional[str] = ..., iterations: _Optional[int] = ..., stopped: _Optional[_Union[StopReason, str]] = ..., speculation: _Optional[_Union[Speculation, _Mapping]] = ..., pinned: _Optional[_Iterable[int]] = ..., stop: _Optional[str] = ...) -> None: ...

class Speculation(_message.Message):
    __slots__ = ("rounds", "draft_forwards", "check_forwards", "drafted", "accepted")
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FORWARDS_FIELD_NUMBER: _ClassVar[int]
    CHECK_FORWARDS_FIELD_NUMBER: _ClassVar[int]
    DRAFTED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    rounds: int
    draft_forwards: int
    check_forwards: int
    drafted: int
    accepted: int
    def __init__(self, rounds: _Optional[int] = ..., draft_forwards: _Optional[int] = ..., check_forwards: _Optional[int] = ..., drafted: _Optional[int] = ..., accepted: _Optional[int] = ...) -> None: ...

class SamplingFinished(_message.Message):
    __slots__ = ("canvases", "seconds")
    CANVASES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    canvases: int
    seconds: float
    def __init__(self, canvases: _Optional[int] = ..., seconds: _Optional[float] = ...) -> None: ...

class PredictSpec(_message.Message):
    __slots__ = ("draw", "iteration", "top", "logits", "mode", "guidance_scale")
    DRAW_FIELD_NUMBER: _ClassVar[int]
    ITERATION_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    LOGITS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    draw: DrawSpec
    iteration: int
    top: int
    logits: bool
    mode: _training_pb2.AttentionMode
    guidance_scale: float
    def __init__(self, draw: _Optional[_Union[DrawSpec, _Mapping]] = ..., iteration: _Optional[int] = ..., top: _Optional[int] = ..., logits: _Optional[bool] = ..., mode: _Optional[_Union[_training_pb2.AttentionMode, str]] = ..., guidance_scale: _Optional[float] = ...) -> None: ...

class PredictCanvas(_message.Message):
    __slots__ = ("ids", "answer_start", "seed", "stop_from")
    IDS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_START_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STOP_FROM_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    answer_start: int
    seed: int
    stop_from: int
    def __init__(self, ids: _Optional[_Iterable[int]] = ..., answer_start: _Optional[int] = ..., seed: _Optional[int] = ..., stop_from: _Optional[int] = ...) -> None: ...

class PredictRequest(_message.Message):
    __slots__ = ("base_id", "adapter_id", "canvases", "spec")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    CANVASES_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    adapter_id: str
    canvases: _containers.RepeatedCompositeFieldContainer[PredictCanvas]
    spec: PredictSpec
    def __init__(self, base_id: _Optional[str] = ..., adapter_id: _Optional[str] = ..., canvases: _Optional[_Iterable[_Union[PredictCanvas, _Mapping]]] = ..., spec: _Optional[_Union[PredictSpec, _Mapping]] = ...) -> None: ...

class PredictResponse(_message.Message):
    __slots__ = ("predictions",)
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    predictions: _containers.RepeatedCompositeFieldContainer[Prediction]
    def __init__(self, predictions: _Optional[_Iterable[_Union[Prediction, _Mapping]]] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("ids", "confidences", "entropies", "top_ids", "top_probabilities", "logits", "standing")
    IDS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCES_FIELD_NUMBER: _ClassVar[int]
    ENTROPIES_FIELD_NUMBER: _ClassVar[int]
    TOP_IDS_FIELD_NUMBER: _ClassVar[int]
    TOP_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    LOGITS_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    confidences: bytes
    entropies: bytes
    top_ids: _containers.RepeatedScalarFieldContainer[int]
    top_probabilities: bytes
    logits: bytes
    standing: bytes
    def __init__(self, ids: _Optional[_Iterable[int]] = ..., confidences: _Optional[bytes] = ..., entropies: _Optional[bytes] = ..., top_ids: _Optional[_Iterable[int]] = ..., top_probabilities: _Optional[bytes] = ..., logits: _Optional[bytes] = ..., standing: _Optional[bytes] = ...) -> None: ...
