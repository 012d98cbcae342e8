from lad_runtime.gen.lad.v1 import data_pb2 as _data_pb2
from lad_runtime.gen.lad.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SuperviseTokens(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUPERVISE_TOKENS_UNSPECIFIED: _ClassVar[SuperviseTokens]
    SUPERVISE_TOKENS_ALL_TOKENS: _ClassVar[SuperviseTokens]
    SUPERVISE_TOKENS_ALL_ANSWER_TOKENS: _ClassVar[SuperviseTokens]
    SUPERVISE_TOKENS_CORRUPTED_ANSWER_TOKENS: _ClassVar[SuperviseTokens]

class LossWeighting(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOSS_WEIGHTING_UNSPECIFIED: _ClassVar[LossWeighting]
    LOSS_WEIGHTING_UNIFORM: _ClassVar[LossWeighting]
    LOSS_WEIGHTING_INVERSE_TIME: _ClassVar[LossWeighting]

class OptimizerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPTIMIZER_KIND_UNSPECIFIED: _ClassVar[OptimizerKind]
    OPTIMIZER_KIND_ADAMW: _ClassVar[OptimizerKind]
    OPTIMIZER_KIND_MUON: _ClassVar[OptimizerKind]

class Decay(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECAY_UNSPECIFIED: _ClassVar[Decay]
    DECAY_COSINE: _ClassVar[Decay]
    DECAY_LINEAR: _ClassVar[Decay]
    DECAY_CONSTANT: _ClassVar[Decay]

class TrainingContext(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINING_CONTEXT_UNSPECIFIED: _ClassVar[TrainingContext]
    TRAINING_CONTEXT_PROMPT: _ClassVar[TrainingContext]
    TRAINING_CONTEXT_RANDOM_SPLIT: _ClassVar[TrainingContext]

class TrainingEnd(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINING_END_UNSPECIFIED: _ClassVar[TrainingEnd]
    TRAINING_END_STEPS: _ClassVar[TrainingEnd]
    TRAINING_END_EARLY: _ClassVar[TrainingEnd]

class AttentionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTENTION_MODE_UNSPECIFIED: _ClassVar[AttentionMode]
    ATTENTION_MODE_FULL: _ClassVar[AttentionMode]
    ATTENTION_MODE_CAUSAL: _ClassVar[AttentionMode]
    ATTENTION_MODE_PREFIX: _ClassVar[AttentionMode]
    ATTENTION_MODE_CAUSAL_PREFIX: _ClassVar[AttentionMode]

class WindowPart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WINDOW_PART_UNSPECIFIED: _ClassVar[WindowPart]
    WINDOW_PART_PROMPT: _ClassVar[WindowPart]
    WINDOW_PART_ANSWER: _ClassVar[WindowPart]
    WINDOW_PART_TAIL: _ClassVar[WindowPart]

class ShownAs(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHOWN_AS_UNSPECIFIED: _ClassVar[ShownAs]
    SHOWN_AS_CLEAN: _ClassVar[ShownAs]
    SHOWN_AS_MASKED: _ClassVar[ShownAs]
    SHOWN_AS_CHANGED: _ClassVar[ShownAs]
SUPERVISE_TOKENS_UNSPECIFIED: SuperviseTokens
SUPERVISE_TOKENS_ALL_TOKENS: SuperviseTokens
SUPERVISE_TOKENS_ALL_ANSWER_TOKENS: SuperviseTokens
SUPERVISE_TOKENS_CORRUPTED_ANSWER_TOKENS: SuperviseTokens
LOSS_WEIGHTING_UNSPECIFIED: LossWeighting
LOSS_WEIGHTING_UNIFORM: LossWeighting
LOSS_WEIGHTING_INVERSE_TIME: LossWeighting
OPTIMIZER_KIND_UNSPECIFIED: OptimizerKind
OPTIMIZER_KIND_ADAMW: OptimizerKind
OPTIMIZER_KIND_MUON: OptimizerKind
DECAY_UNSPECIFIED: Decay
DECAY_COSINE: Decay
DECAY_LINEAR: Decay
DECAY_CONSTANT: Decay
TRAINING_CONTEXT_UNSPECIFIED: TrainingContext
TRAINING_CONTEXT_PROMPT: TrainingContext
TRAINING_CONTEXT_RANDOM_SPLIT: TrainingContext
TRAINING_END_UNSPECIFIED: TrainingEnd
TRAINING_END_STEPS: TrainingEnd
TRAINING_END_EARLY: TrainingEnd
ATTENTION_MODE_UNSPECIFIED: AttentionMode
ATTENTION_MODE_FULL: AttentionMode
ATTENTION_MODE_CAUSAL: AttentionMode
ATTENTION_MODE_PREFIX: AttentionMode
ATTENTION_MODE_CAUSAL_PREFIX: AttentionMode
WINDOW_PART_UNSPECIFIED: WindowPart
WINDOW_PART_PROMPT: WindowPart
WINDOW_PART_ANSWER: WindowPart
WINDOW_PART_TAIL: WindowPart
SHOWN_AS_UNSPECIFIED: ShownAs
SHOWN_AS_CLEAN: ShownAs
SHOWN_AS_MASKED: ShownAs
SHOWN_AS_CHANGED: ShownAs

class NoiseSpec(_message.Message):
    __slots__ = ("lad", "mask_only", "cover", "uniform", "none", "fixed", "own_draft")
    LAD_FIELD_NUMBER: _ClassVar[int]
    MASK_ONLY_FIELD_NUMBER: _ClassVar[int]
    COVER_FIELD_NUMBER: _ClassVar[int]
    UNIFORM_FIELD_NUMBER: _ClassVar[int]
    NONE_FIELD_NUMBER: _ClassVar[int]
    FIXED_FIELD_NUMBER: _ClassVar[int]
    OWN_DRAFT_FIELD_NUMBER: _ClassVar[int]
    lad: LadNoise
    mask_only: MaskOnlyNoise
    cover: CoverNoise
    uniform: UniformNoise
    none: NoNoise
    fixed: FixedNoise
    own_draft: OwnDraftNoise
    def __init__(self, lad: _Optional[_Union[LadNoise, _Mapping]] = ..., mask_only: _Optional[_Union[MaskOnlyNoise, _Mapping]] = ..., cover: _Optional[_Union[CoverNoise, _Mapping]] = ..., uniform: _Optional[_Union[UniformNoise, _Mapping]] = ..., none: _Optional[_Union[NoNoise, _Mapping]] = ..., fixed: _Optional[_Union[FixedNoise, _Mapping]] = ..., own_draft: _Optional[_Union[OwnDraftNoise, _Mapping]] = ...) -> None: ...

class DrawnNoise(_message.Message):
    __slots__ = ("lad", "mask_only", "cover", "uniform", "none", "fixed")
    LAD_FIELD_NUMBER: _ClassVar[int]
    MASK_ONLY_FIELD_NUMBER: _ClassVar[int]
    COVER_FIELD_NUMBER: _ClassVar[int]
    UNIFORM_FIELD_NUMBER: _ClassVar[int]
    NONE_FIELD_NUMBER: _ClassVar[int]
    FIXED_FIELD_NUMBER: _ClassVar[int]
    lad: LadNoise
    mask_only: MaskOnlyNoise
    cover: CoverNoise
    uniform: UniformNoise
    none: NoNoise
    fixed: FixedNoise
    def __init__(self, lad: _Optional[_Union[LadNoise, _Mapping]] = ..., mask_only: _Optional[_Union[MaskOnlyNoise, _Mapping]] = ..., cover: _Optional[_Union[CoverNoise, _Mapping]] = ..., uniform: _Optional[_Union[UniformNoise, _Mapping]] = ..., none: _Optional[_Union[NoNoise, _Mapping]] = ..., fixed: _Optional[_Union[FixedNoise, _Mapping]] = ...) -> None: ...

class LadNoise(_message.Message):
    __slots__ = ("tail_noise", "full_mask_probability", "mask_probability", "max_mask_fraction", "swap_scale", "duplicate_scale", "shift_scale", "max_span", "max_shift")
    TAIL_NOISE_FIELD_NUMBER: _ClassVar[int]
    FULL_MASK_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MASK_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MAX_MASK_FRACTION_FIELD_NUMBER: _ClassVar[int]
    SWAP_SCALE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_SCALE_FIELD_NUMBER: _ClassVar[int]
    SHIFT_SCALE_FIELD_NUMBER: _ClassVar[int]
    MAX_SPAN_FIELD_NUMBER: _ClassVar[int]
    MAX_SHIFT_FIELD_NUMBER: _ClassVar[int]
    tail_noise: bool
    full_mask_probability: float
    mask_probability: float
    max_mask_fraction: float
    swap_scale: float
    duplicate_scale: float
    shift_scale: float
    max_span: int
    max_shift: int
    def __init__(self, tail_noise: _Optional[bool] = ..., full_mask_probability: _Optional[float] = ..., mask_probability: _Optional[float] = ..., max_mask_fraction: _Optional[float] = ..., swap_scale: _Optional[float] = ..., duplicate_scale: _Optional[float] = ..., shift_scale: _Optional[float] = ..., max_span: _Optional[int] = ..., max_shift: _Optional[int] = ...) -> None: ...

class MaskOnlyNoise(_message.Message):
    __slots__ = ("tail_noise", "min_time")
    TAIL_NOISE_FIELD_NUMBER: _ClassVar[int]
    MIN_TIME_FIELD_NUMBER: _ClassVar[int]
    tail_noise: bool
    min_time: float
    def __init__(self, tail_noise: _Optional[bool] = ..., min_time: _Optional[float] = ...) -> None: ...

class CoverNoise(_message.Message):
    __slots__ = ("tail_noise", "full_mask_probability", "mask_probability", "max_mask_fraction", "swap_scale", "duplicate_scale", "shift_scale", "max_span", "max_shift")
    TAIL_NOISE_FIELD_NUMBER: _ClassVar[int]
    FULL_MASK_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MASK_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MAX_MASK_FRACTION_FIELD_NUMBER: _ClassVar[int]
    SWAP_SCALE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_SCALE_FIELD_NUMBER: _ClassVar[int]
    SHIFT_SCALE_FIELD_NUMBER: _ClassVar[int]
    MAX_SPAN_FIELD_NUMBER: _ClassVar[int]
    MAX_SHIFT_FIELD_NUMBER: _ClassVar[int]
    tail_noise: bool
    full_mask_probability: float
    mask_probability: float
    max_mask_fraction: float
    swap_scale: float
    duplicate_scale: float
    shift_scale: float
    max_span: int
    max_shift: int
    def __init__(self, tail_noise: _Optional[bool] = ..., full_mask_probability: _Optional[float] = ..., mask_probability: _Optional[float] = ..., max_mask_fraction: _Optional[float] = ..., swap_scale: _Optional[float] = ..., duplicate_scale: _Optional[float] = ..., shift_scale: _Optional[float] = ..., max_span: _Optional[int] = ..., max_shift: _Optional[int] = ...) -> None: ...

class UniformNoise(_message.Message):
    __slots__ = ("tail_noise", "min_time")
    TAIL_NOISE_FIELD_NUMBER: _ClassVar[int]
    MIN_TIME_FIELD_NUMBER: _ClassVar[int]
    tail_noise: bool
    min_time: float
    def __init__(self, tail_noise: _Optional[bool] = ..., min_time: _Optional[float] = ...) -> None: ...

class NoNoise(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FixedNoise(_message.Message):
    __slots__ = ("tail_noise", "masked", "swapped", "duplicated", "shifted", "max_span", "max_shift")
    TAIL_NOISE_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    SWAPPED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATED_FIELD_NUMBER: _ClassVar[int]
    SHIFTED_FIELD_NUMBER: _ClassVar[int]
    MAX_SPAN_FIELD_NUMBER: _ClassVar[int]
    MAX_SHIFT_FIELD_NUMBER: _ClassVar[int]
    tail_noise: bool
    masked: float
    swapped: float
    duplicated: float
    shifted: float
    max_span: int
    max_shift: int
    def __init__(self, tail_noise: _Optional[bool] = ..., masked: _Optional[float] = ..., swapped: _Optional[float] = ..., duplicated: _Optional[float] = ..., shifted: _Optional[float] = ..., max_span: _Optional[int] = ..., max_shift: _Optional[int] = ...) -> None: ...

class OwnDraftNoise(_message.Message):
    __slots__ = ("share", "temperature", "noise", "after")
    SHARE_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    share: float
    temperature: float
    noise: DrawnNoise
    after: float
    def __init__(self, share: _Optional[float] = ..., temperature: _Optional[float] = ..., noise: _Optional[_Union[DrawnNoise, _Mapping]] = ..., after: _Optional[float] = ...) -> None: ...

class SoftTargets(_message.Message):
    __slots__ = ("top_k", "share")
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    top_k: int
    share: float
    def __init__(self, top_k: _Optional[int] = ..., share: _Optional[float] = ...) -> None: ...

class LossSpec(_message.Message):
    __slots__ = ("supervise", "tail", "weighting", "soft", "tail_weight")
    SUPERVISE_FIELD_NUMBER: _ClassVar[int]
    TAIL_FIELD_NUMBER: _ClassVar[int]
    WEIGHTING_FIELD_NUMBER: _ClassVar[int]
    SOFT_FIELD_NUMBER: _ClassVar[int]
    TAIL_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    supervise: SuperviseTokens
    tail: bool
    weighting: LossWeighting
    soft: SoftTargets
    tail_weight: float
    def __init__(self, supervise: _Optional[_Union[SuperviseTokens, str]] = ..., tail: _Optional[bool] = ..., weighting: _Optional[_Union[LossWeighting, str]] = ..., soft: _Optional[_Union[SoftTargets, _Mapping]] = ..., tail_weight: _Optional[float] = ...) -> None: ...

class OptimizerSpec(_message.Message):
    __slots__ = ("kind", "weight_decay", "beta1", "beta2", "epsilon", "momentum", "newton_schulz_steps")
    KIND_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_DECAY_FIELD_NUMBER: _ClassVar[int]
    BETA1_FIELD_NUMBER: _ClassVar[int]
    BETA2_FIELD_NUMBER: _ClassVar[int]
    EPSILON_FIELD_NUMBER: _ClassVar[int]
    MOMENTUM_FIELD_NUMBER: _ClassVar[int]
    NEWTON_SCHULZ_STEPS_FIELD_NUMBER: _ClassVar[int]
    kind: OptimizerKind
    weight_decay: float
    beta1: float
    beta2: float
    epsilon: float
    momentum: float
    newton_schulz_steps: int
    def __init__(self, kind: _Optional[_Union[OptimizerKind, str]] = ..., weight_decay: _Optional[float] = ..., beta1: _Optional[float] = ..., beta2: _Optional[float] = ..., epsilon: _Optional[float] = ..., momentum: _Optional[float] = ..., newton_schulz_steps: _Optional[int] = ...) -> None: ...

class ScheduleSpec(_message.Message):
    __slots__ = ("learning_rate", "warmup_steps", "decay", "final_fraction")
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    WARMUP_STEPS_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    FINAL_FRACTION_FIELD_NUMBER: _ClassVar[int]
    learning_rate: float
    warmup_steps: int
    decay: Decay
    final_fraction: float
    def __init__(self, learning_rate: _Optional[float] = ..., warmup_steps: _Optional[int] = ..., decay: _Optional[_Union[Decay, str]] = ..., final_fraction: _Optional[float] = ...) -> None: ...

class ValidationSpec(_message.Message):
    __slots__ = ("dataset_id", "max_examples", "every_steps", "seed", "keep_best", "overwrite_best", "patience", "min_delta", "restore_best")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    EVERY_STEPS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    KEEP_BEST_FIELD_NUMBER: _ClassVar[int]
    OVERWRITE_BEST_FIELD_NUMBER: _ClassVar[int]
    PATIENCE_FIELD_NUMBER: _ClassVar[int]
    MIN_DELTA_FIELD_NUMBER: _ClassVar[int]
    RESTORE_BEST_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    max_examples: int
    every_steps: int
    seed: int
    keep_best: str
    overwrite_best: bool
    patience: int
    min_delta: float
    restore_best: bool
    def __init__(self, dataset_id: _Optional[str] = ..., max_examples: _Optional[int] = ..., every_steps: _Optional[int] = ..., seed: _Optional[int] = ..., keep_best: _Optional[str] = ..., overwrite_best: _Optional[bool] = ..., patience: _Optional[int] = ..., min_delta: _Optional[float] = ..., restore_best: _Optional[bool] = ...) -> None: ...

class TrainingSpec(_message.Message):
    __slots__ = ("dataset_id", "window", "noise", "loss", "optimizer", "schedule", "steps", "batch_size", "micro_batch_tokens", "max_gradient_norm", "seed", "validation", "checkpoint_every_steps", "checkpoint", "resume", "attention", "gradient_checkpointing", "share_weight", "overwrite", "context", "canvas_tokens", "tensorboard")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    MICRO_BATCH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_GRADIENT_NORM_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_EVERY_STEPS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    ATTENTION_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_CHECKPOINTING_FIELD_NUMBER: _ClassVar[int]
    SHARE_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    OVERWRITE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CANVAS_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TENSORBOARD_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    window: _data_pb2.WindowSpec
    noise: NoiseSpec
    loss: LossSpec
    optimizer: OptimizerSpec
    schedule: ScheduleSpec
    steps: int
    batch_size: int
    micro_batch_tokens: int
    max_gradient_norm: float
    seed: int
    validation: ValidationSpec
    checkpoint_every_steps: int
    checkpoint: str
    resume: bool
    attention: AttentionMode
    gradient_checkpointing: bool
    share_weight: float
    overwrite: bool
    context: TrainingContext
    canvas_tokens: int
    tensorboard: bool
    def __init__(self, dataset_id: _Optional[str] = ..., window: _Optional[_Union[_data_pb2.WindowSpec, _Mapping]] = ..., noise: _Optional[_Union[NoiseSpec, _Mapping]] = ..., loss: _Optional[_Union[LossSpec, _Mapping]] = ..., optimizer: _Optional[_Union[OptimizerSpec, _Mapping]] = ..., schedule: _Optional[_Union[ScheduleSpec, _Mapping]] = ..., steps: _Optional[int] = ..., batch_size: _Optional[int] = ..., micro_batch_tokens: _Optional[int] = ..., max_gradient_norm: _Optional[float] = ..., seed: _Optional[int] = ..., validation: _Optional[_Union[ValidationSpec, _Mapping]] = ..., checkpoint_every_steps: _Optional[int] = ..., checkpoint: _Optional[str] = ..., resume: _Optional[bool] = ..., attention: _Optional[_Union[AttentionMode, str]] = ..., gradient_checkpointing: _Optional[bool] = ..., share_weight: _Optional[float] = ..., overwrite: _Optional[bool] = ..., context: _Optional[_Union[TrainingContext, str]] = ..., canvas_tokens: _Optional[int] = ..., tensorboard: _Optional[bool] = ...) -> None: ...

class StartTrainingRequest(_message.Message):
    __slots__ = ("adapter_id", "spec", "run_id")
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    spec: TrainingSpec
    run_id: str
    def __init__(self, adapter_id: _Optional[str] = ..., spec: _Optional[_Union[TrainingSpec, _Mapping]] = ..., run_id: _Optional[str] = ...) -> None: ...

class StartTrainingResponse(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class LossReport(_message.Message):
    __slots__ = ("loss", "ce", "content_ce", "tail_ce", "corrupted_ce", "corrupted_content_ce", "tokens", "supervised_tokens", "content_tokens", "tail_tokens", "corrupted_tokens", "corrupted_content_tokens")
    LOSS_FIELD_NUMBER: _ClassVar[int]
    CE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_CE_FIELD_NUMBER: _ClassVar[int]
    TAIL_CE_FIELD_NUMBER: _ClassVar[int]
    CORRUPTED_CE_FIELD_NUMBER: _ClassVar[int]
    CORRUPTED_CONTENT_CE_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    SUPERVISED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TAIL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CORRUPTED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CORRUPTED_CONTENT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    loss: float
    ce: float
    content_ce: float
    tail_ce: float
    corrupted_ce: float
    corrupted_content_ce: float
    tokens: int
    supervised_tokens: int
    content_tokens: int
    tail_tokens: int
    corrupted_tokens: int
    corrupted_content_tokens: int
    def __init__(self, loss: _Optional[float] = ..., ce: _Optional[float] = ..., content_ce: _Optional[float] = ..., tail_ce: _Optional[float] = ..., corrupted_ce: _Optional[float] = ..., corrupted_content_ce: _Optional[float] = ..., tokens: _Optional[int] = ..., supervised_tokens: _Optional[int] = ..., content_tokens: _Optional[int] = ..., tail_tokens: _Optional[int] = ..., corrupted_tokens: _Optional[int] = ..., corrupted_content_tokens: _Optional[int] = ...) -> None: ...

class TrainingStarted(_message.Message):
    __slots__ = ("report", "validation_report", "trainable_parameters", "accounted_bytes", "from_step", "warnings")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_REPORT_FIELD_NUMBER: _ClassVar[int]
    TRAINABLE_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    FROM_STEP_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    report: _data_pb2.WindowReport
    validation_report: _data_pb2.WindowReport
    trainable_parameters: int
    accounted_bytes: int
    from_step: int
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, report: _Optional[_Union[_data_pb2.WindowReport, _Mapping]] = ..., validation_report: _Optional[_Union[_data_pb2.WindowReport, _Mapping]] = ..., trainable_parameters: _Optional[int] = ..., accounted_bytes: _Optional[int] = ..., from_step: _Optional[int] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class TrainingStep(_message.Message):
    __slots__ = ("step", "epoch", "report", "gradient_norm", "learning_rate", "seconds", "tokens_per_second")
    STEP_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_NORM_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    step: int
    epoch: float
    report: LossReport
    gradient_norm: float
    learning_rate: float
    seconds: float
    tokens_per_second: float
    def __init__(self, step: _Optional[int] = ..., epoch: _Optional[float] = ..., report: _Optional[_Union[LossReport, _Mapping]] = ..., gradient_norm: _Optional[float] = ..., learning_rate: _Optional[float] = ..., seconds: _Optional[float] = ..., tokens_per_second: _Optional[float] = ...) -> None: ...

class BestValidation(_message.Message):
    __slots__ = ("step", "ce", "checkpoint")
    STEP_FIELD_NUMBER: _ClassVar[int]
    CE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    step: int
    ce: float
    checkpoint: str
    def __init__(self, step: _Optional[int] = ..., ce: _Optional[float] = ..., checkpoint: _Optional[str] = ...) -> None: ...

class Validation(_message.Message):
    __slots__ = ("step", "report", "best")
    STEP_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    step: int
    report: LossReport
    best: BestValidation
    def __init__(self, step: _Optional[int] = ..., report: _Optional[_Union[LossReport, _Mapping]] = ..., best: _Optional[_Union[BestValidation, _Mapping]] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("step", "name")
    STEP_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    step: int
    name: str
    def __init__(self, step: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class TrainingFinished(_message.Message):
    __slots__ = ("steps", "report", "validation", "seconds", "tokens_per_second", "best", "stopped")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    steps: int
    report: LossReport
    validation: LossReport
    seconds: float
    tokens_per_second: float
    best: BestValidation
    stopped: TrainingEnd
    def __init__(self, steps: _Optional[int] = ..., report: _Optional[_Union[LossReport, _Mapping]] = ..., validation: _Optional[_Union[LossReport, _Mapping]] = ..., seconds: _Optional[float] = ..., tokens_per_second: _Optional[float] = ..., best: _Optional[_Union[BestValidation, _Mapping]] = ..., stopped: _Optional[_Union[TrainingEnd, str]] = ...) -> None: ...

class TargetedSequence(_message.Message):
    __slots__ = ("ids", "targets", "weights", "prompt_tokens")
    IDS_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    targets: _containers.RepeatedScalarFieldContainer[int]
    weights: bytes
    prompt_tokens: int
    def __init__(self, ids: _Optional[_Iterable[int]] = ..., targets: _Optional[_Iterable[int]] = ..., weights: _Optional[bytes] = ..., prompt_tokens: _Optional[int] = ...) -> None: ...

class NoisedExamples(_message.Message):
    __slots__ = ("dataset_id", "window", "noise", "loss", "seed", "epoch", "rows", "context", "canvas_tokens")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CANVAS_TOKENS_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    window: _data_pb2.WindowSpec
    noise: NoiseSpec
    loss: LossSpec
    seed: int
    epoch: int
    rows: _containers.RepeatedScalarFieldContainer[int]
    context: TrainingContext
    canvas_tokens: int
    def __init__(self, dataset_id: _Optional[str] = ..., window: _Optional[_Union[_data_pb2.WindowSpec, _Mapping]] = ..., noise: _Optional[_Union[NoiseSpec, _Mapping]] = ..., loss: _Optional[_Union[LossSpec, _Mapping]] = ..., seed: _Optional[int] = ..., epoch: _Optional[int] = ..., rows: _Optional[_Iterable[int]] = ..., context: _Optional[_Union[TrainingContext, str]] = ..., canvas_tokens: _Optional[int] = ...) -> None: ...

class TargetedSequences(_message.Message):
    __slots__ = ("sequences",)
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    sequences: _containers.RepeatedCompositeFieldContainer[TargetedSequence]
    def __init__(self, sequences: _Optional[_Iterable[_Union[TargetedSequence, _Mapping]]] = ...) -> None: ...

class ForwardBackwardRequest(_message.Message):
    __slots__ = ("adapter_id", "sequence", "mode", "sequences", "examples", "micro_batch_tokens", "gradient_checkpointing", "cache_prompts")
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    MICRO_BATCH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_CHECKPOINTING_FIELD_NUMBER: _ClassVar[int]
    CACHE_PROMPTS_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    sequence: int
    mode: AttentionMode
    sequences: TargetedSequences
    examples: NoisedExamples
    micro_batch_tokens: int
    gradient_checkpointing: bool
    cache_prompts: bool
    def __init__(self, adapter_id: _Optional[str] = ..., sequence: _Optional[int] = ..., mode: _Optional[_Union[AttentionMode, str]] = ..., sequences: _Optional[_Union[TargetedSequences, _Mapping]] = ..., examples: _Optional[_Union[NoisedExamples, _Mapping]] = ..., micro_batch_tokens: _Optional[int] = ..., gradient_checkpointing: _Optional[bool] = ..., cache_prompts: _Optional[bool] = ...) -> None: ...

class ForwardBackwardResponse(_message.Message):
    __slots__ = ("loss", "tokens", "supervised_tokens", "ce")
    LOSS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    SUPERVISED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CE_FIELD_NUMBER: _ClassVar[int]
    loss: float
    tokens: int
    supervised_tokens: int
    ce: bytes
    def __init__(self, loss: _Optional[float] = ..., tokens: _Optional[int] = ..., supervised_tokens: _Optional[int] = ..., ce: _Optional[bytes] = ...) -> None: ...

class OptimStepRequest(_message.Message):
    __slots__ = ("adapter_id", "sequence", "optimizer", "learning_rate", "max_gradient_norm")
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    MAX_GRADIENT_NORM_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    sequence: int
    optimizer: OptimizerSpec
    learning_rate: float
    max_gradient_norm: float
    def __init__(self, adapter_id: _Optional[str] = ..., sequence: _Optional[int] = ..., optimizer: _Optional[_Union[OptimizerSpec, _Mapping]] = ..., learning_rate: _Optional[float] = ..., max_gradient_norm: _Optional[float] = ...) -> None: ...

class OptimStepResponse(_message.Message):
    __slots__ = ("gradient_norm", "step")
    GRADIENT_NORM_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    gradient_norm: float
    step: int
    def __init__(self, gradient_norm: _Optional[float] = ..., step: _Optional[int] = ...) -> None: ...

class ValidateRequest(_message.Message):
    __slots__ = ("base_id", "adapter_id", "dataset_id", "window", "noise", "loss", "seed", "max_examples", "attention", "context", "canvas_tokens", "per_example")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MAX_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    ATTENTION_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CANVAS_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PER_EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    adapter_id: str
    dataset_id: str
    window: _data_pb2.WindowSpec
    noise: NoiseSpec
    loss: LossSpec
    seed: int
    max_examples: int
    attention: AttentionMode
    context: TrainingContext
    canvas_tokens: int
    per_example: bool
    def __init__(self, base_id: _Optional[str] = ..., adapter_id: _Optional[str] = ..., dataset_id: _Optional[str] = ..., window: _Optional[_Union[_data_pb2.WindowSpec, _Mapping]] = ..., noise: _Optional[_Union[NoiseSpec, _Mapping]] = ..., loss: _Optional[_Union[LossSpec, _Mapping]] = ..., seed: _Optional[int] = ..., max_examples: _Optional[int] = ..., attention: _Optional[_Union[AttentionMode, str]] = ..., context: _Optional[_Union[TrainingContext, str]] = ..., canvas_tokens: _Optional[int] = ..., per_example: _Optional[bool] = ...) -> None: ...

class ValidateResponse(_message.Message):
    __slots__ = ("report", "window_report", "examples")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_REPORT_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    report: LossReport
    window_report: _data_pb2.WindowReport
    examples: ExampleLosses
    def __init__(self, report: _Optional[_Union[LossReport, _Mapping]] = ..., window_report: _Optional[_Union[_data_pb2.WindowReport, _Mapping]] = ..., examples: _Optional[_Union[ExampleLosses, _Mapping]] = ...) -> None: ...

class ExampleLosses(_message.Message):
    __slots__ = ("nats", "tokens")
    NATS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    nats: _containers.RepeatedScalarFieldContainer[float]
    tokens: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, nats: _Optional[_Iterable[float]] = ..., tokens: _Optional[_Iterable[int]] = ...) -> None: ...

class InspectDatasetRequest(_message.Message):
    __slots__ = ("base_id", "dataset_id", "window", "noise", "loss", "seed", "noised_examples", "shown_examples")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    NOISED_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    SHOWN_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    dataset_id: str
    window: _data_pb2.WindowSpec
    noise: NoiseSpec
    loss: LossSpec
    seed: int
    noised_examples: int
    shown_examples: int
    def __init__(self, base_id: _Optional[str] = ..., dataset_id: _Optional[str] = ..., window: _Optional[_Union[_data_pb2.WindowSpec, _Mapping]] = ..., noise: _Optional[_Union[NoiseSpec, _Mapping]] = ..., loss: _Optional[_Union[LossSpec, _Mapping]] = ..., seed: _Optional[int] = ..., noised_examples: _Optional[int] = ..., shown_examples: _Optional[int] = ...) -> None: ...

class InspectDatasetResponse(_message.Message):
    __slots__ = ("whole", "sources", "window_lengths", "prompt_lengths", "answer_lengths", "noise", "shown", "end_token", "end_token_id")
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    END_TOKEN_FIELD_NUMBER: _ClassVar[int]
    END_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    whole: InspectedPart
    sources: _containers.RepeatedCompositeFieldContainer[InspectedPart]
    window_lengths: Lengths
    prompt_lengths: Lengths
    answer_lengths: Lengths
    noise: InspectedNoise
    shown: _containers.RepeatedCompositeFieldContainer[InspectedExample]
    end_token: str
    end_token_id: int
    def __init__(self, whole: _Optional[_Union[InspectedPart, _Mapping]] = ..., sources: _Optional[_Iterable[_Union[InspectedPart, _Mapping]]] = ..., window_lengths: _Optional[_Union[Lengths, _Mapping]] = ..., prompt_lengths: _Optional[_Union[Lengths, _Mapping]] = ..., answer_lengths: _Optional[_Union[Lengths, _Mapping]] = ..., noise: _Optional[_Union[InspectedNoise, _Mapping]] = ..., shown: _Optional[_Iterable[_Union[InspectedExample, _Mapping]]] = ..., end_token: _Optional[str] = ..., end_token_id: _Optional[int] = ...) -> None: ...

class InspectedPart(_message.Message):
    __slots__ = ("name", "examples", "kept", "dropped", "truncated", "longer_than_window", "prompt_too_long", "prompt_tokens", "answer_tokens", "tail_tokens", "special_tokens", "mask_tokens")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    LONGER_THAN_WINDOW_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOO_LONG_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TAIL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SPECIAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MASK_TOKENS_FIELD_NUMBER: _ClassVar[int]
    name: str
    examples: int
    kept: int
    dropped: int
    truncated: int
    longer_than_window: int
    prompt_too_long: int
    prompt_tokens: int
    answer_tokens: int
    tail_tokens: int
    special_tokens: int
    mask_tokens: int
    def __init__(self, name: _Optional[str] = ..., examples: _Optional[int] = ..., kept: _Optional[int] = ..., dropped: _Optional[int] = ..., truncated: _Optional[int] = ..., longer_than_window: _Optional[int] = ..., prompt_too_long: _Optional[int] = ..., prompt_tokens: _Optional[int] = ..., answer_tokens: _Optional[int] = ..., tail_tokens: _Optional[int] = ..., special_tokens: _Optional[int] = ..., mask_tokens: _Optional[int] = ...) -> None: ...

class Lengths(_message.Message):
    __slots__ = ("mean", "least", "p5", "p25", "median", "p75", "p95", "p99", "most", "bin_tokens", "bins")
    MEAN_FIELD_NUMBER: _ClassVar[int]
    LEAST_FIELD_NUMBER: _ClassVar[int]
    P5_FIELD_NUMBER: _ClassVar[int]
    P25_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    P75_FIELD_NUMBER: _ClassVar[int]
    P95_FIELD_NUMBER: _ClassVar[int]
    P99_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    BIN_TOKENS_FIELD_NUMBER: _ClassVar[int]
    BINS_FIELD_NUMBER: _ClassVar[int]
    mean: float
    least: int
    p5: int
    p25: int
    median: int
    p75: int
    p95: int
    p99: int
    most: int
    bin_tokens: int
    bins: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, mean: _Optional[float] = ..., least: _Optional[int] = ..., p5: _Optional[int] = ..., p25: _Optional[int] = ..., median: _Optional[int] = ..., p75: _Optional[int] = ..., p95: _Optional[int] = ..., p99: _Optional[int] = ..., most: _Optional[int] = ..., bin_tokens: _Optional[int] = ..., bins: _Optional[_Iterable[int]] = ...) -> None: ...

class InspectedNoise(_message.Message):
    __slots__ = ("examples", "open_tokens", "corrupted_tokens", "masked_tokens", "untouched", "supervised_prompt_tokens", "supervised_answer_tokens", "supervised_tail_tokens", "ends", "supervised_ends")
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    OPEN_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CORRUPTED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MASKED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    UNTOUCHED_FIELD_NUMBER: _ClassVar[int]
    SUPERVISED_PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SUPERVISED_ANSWER_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SUPERVISED_TAIL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    SUPERVISED_ENDS_FIELD_NUMBER: _ClassVar[int]
    examples: int
    open_tokens: int
    corrupted_tokens: int
    masked_tokens: int
    untouched: int
    supervised_prompt_tokens: int
    supervised_answer_tokens: int
    supervised_tail_tokens: int
    ends: int
    supervised_ends: int
    def __init__(self, examples: _Optional[int] = ..., open_tokens: _Optional[int] = ..., corrupted_tokens: _Optional[int] = ..., masked_tokens: _Optional[int] = ..., untouched: _Optional[int] = ..., supervised_prompt_tokens: _Optional[int] = ..., supervised_answer_tokens: _Optional[int] = ..., supervised_tail_tokens: _Optional[int] = ..., ends: _Optional[int] = ..., supervised_ends: _Optional[int] = ...) -> None: ...

class InspectedExample(_message.Message):
    __slots__ = ("row", "source", "segments")
    ROW_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    row: int
    source: str
    segments: _containers.RepeatedCompositeFieldContainer[ShownSegment]
    def __init__(self, row: _Optional[int] = ..., source: _Optional[str] = ..., segments: _Optional[_Iterable[_Union[ShownSegment, _Mapping]]] = ...) -> None: ...

class ShownSegment(_message.Message):
    __slots__ = ("part", "shown", "supervised", "tokens", "text", "shown_text")
    PART_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    SUPERVISED_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TEXT_FIELD_NUMBER: _ClassVar[int]
    part: WindowPart
    shown: ShownAs
    supervised: bool
    tokens: int
    text: str
    shown_text: str
    def __init__(self, part: _Optional[_Union[WindowPart, str]] = ..., shown: _Optional[_Union[ShownAs, str]] = ..., supervised: _Optional[bool] = ..., tokens: _Optional[int] = ..., text: _Optional[str] = ..., shown_text: _Optional[str] = ...) -> None: ...
