from lad_runtime.gen.lad.v1 import options_pb2 as _options_pb2
from lad_runtime.gen.lad.v1 import sampling_pb2 as _sampling_pb2
from lad_runtime.gen.lad.v1 import training_pb2 as _training_pb2
from lad_runtime.gen.lad.v1 import worker_pb2 as _worker_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_STATE_UNSPECIFIED: _ClassVar[RunState]
    RUN_STATE_QUEUED: _ClassVar[RunState]
    RUN_STATE_RUNNING: _ClassVar[RunState]
    RUN_STATE_FINISHED: _ClassVar[RunState]
    RUN_STATE_FAILED: _ClassVar[RunState]
    RUN_STATE_CANCELLED: _ClassVar[RunState]
    RUN_STATE_PAUSED: _ClassVar[RunState]
    RUN_STATE_INTERRUPTED: _ClassVar[RunState]

class RunKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_KIND_UNSPECIFIED: _ClassVar[RunKind]
    RUN_KIND_TRAINING: _ClassVar[RunKind]
    RUN_KIND_SAMPLING: _ClassVar[RunKind]
RUN_STATE_UNSPECIFIED: RunState
RUN_STATE_QUEUED: RunState
RUN_STATE_RUNNING: RunState
RUN_STATE_FINISHED: RunState
RUN_STATE_FAILED: RunState
RUN_STATE_CANCELLED: RunState
RUN_STATE_PAUSED: RunState
RUN_STATE_INTERRUPTED: RunState
RUN_KIND_UNSPECIFIED: RunKind
RUN_KIND_TRAINING: RunKind
RUN_KIND_SAMPLING: RunKind

class Run(_message.Message):
    __slots__ = ("id", "kind", "state", "base_id", "adapter_id", "next_seq", "error", "base_name", "checkpoint", "created", "steps", "total_steps", "metrics_path")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_SEQ_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    BASE_NAME_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    METRICS_PATH_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: RunKind
    state: RunState
    base_id: str
    adapter_id: str
    next_seq: int
    error: _worker_pb2.ErrorDetail
    base_name: str
    checkpoint: str
    created: float
    steps: int
    total_steps: int
    metrics_path: str
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[RunKind, str]] = ..., state: _Optional[_Union[RunState, str]] = ..., base_id: _Optional[str] = ..., adapter_id: _Optional[str] = ..., next_seq: _Optional[int] = ..., error: _Optional[_Union[_worker_pb2.ErrorDetail, _Mapping]] = ..., base_name: _Optional[str] = ..., checkpoint: _Optional[str] = ..., created: _Optional[float] = ..., steps: _Optional[int] = ..., total_steps: _Optional[int] = ..., metrics_path: _Optional[str] = ...) -> None: ...

class GetRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class GetRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: Run
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class GetRunSpecRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class GetRunSpecResponse(_message.Message):
    __slots__ = ("base_name", "base_revision", "adapter", "training")
    BASE_NAME_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    base_name: str
    base_revision: str
    adapter: _worker_pb2.AdapterSpec
    training: _training_pb2.TrainingSpec
    def __init__(self, base_name: _Optional[str] = ..., base_revision: _Optional[str] = ..., adapter: _Optional[_Union[_worker_pb2.AdapterSpec, _Mapping]] = ..., training: _Optional[_Union[_training_pb2.TrainingSpec, _Mapping]] = ...) -> None: ...

class ListRunsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRunsResponse(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[Run]
    def __init__(self, runs: _Optional[_Iterable[_Union[Run, _Mapping]]] = ...) -> None: ...

class CancelRunRequest(_message.Message):
    __slots__ = ("run_id", "wait")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    wait: bool
    def __init__(self, run_id: _Optional[str] = ..., wait: _Optional[bool] = ...) -> None: ...

class CancelRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: Run
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class PauseRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class PauseRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: Run
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class ResumeRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class ResumeRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: Run
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class DeleteRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class DeleteRunResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamEventsRequest(_message.Message):
    __slots__ = ("run_id", "from_seq")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_SEQ_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    from_seq: int
    def __init__(self, run_id: _Optional[str] = ..., from_seq: _Optional[int] = ...) -> None: ...

class StreamEventsResponse(_message.Message):
    __slots__ = ("seq", "time", "training_started", "training_step", "validation", "checkpoint", "training_finished", "frame", "answer", "sampling_finished", "failed", "cancelled", "paused", "resumed", "interrupted")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TRAINING_STARTED_FIELD_NUMBER: _ClassVar[int]
    TRAINING_STEP_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    TRAINING_FINISHED_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FINISHED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    INTERRUPTED_FIELD_NUMBER: _ClassVar[int]
    seq: int
    time: float
    training_started: _training_pb2.TrainingStarted
    training_step: _training_pb2.TrainingStep
    validation: _training_pb2.Validation
    checkpoint: _training_pb2.Checkpoint
    training_finished: _training_pb2.TrainingFinished
    frame: _sampling_pb2.Frame
    answer: _sampling_pb2.Answer
    sampling_finished: _sampling_pb2.SamplingFinished
    failed: _worker_pb2.ErrorDetail
    cancelled: RunCancelled
    paused: RunPaused
    resumed: RunResumed
    interrupted: RunInterrupted
    def __init__(self, seq: _Optional[int] = ..., time: _Optional[float] = ..., training_started: _Optional[_Union[_training_pb2.TrainingStarted, _Mapping]] = ..., training_step: _Optional[_Union[_training_pb2.TrainingStep, _Mapping]] = ..., validation: _Optional[_Union[_training_pb2.Validation, _Mapping]] = ..., checkpoint: _Optional[_Union[_training_pb2.Checkpoint, _Mapping]] = ..., training_finished: _Optional[_Union[_training_pb2.TrainingFinished, _Mapping]] = ..., frame: _Optional[_Union[_sampling_pb2.Frame, _Mapping]] = ..., answer: _Optional[_Union[_sampling_pb2.Answer, _Mapping]] = ..., sampling_finished: _Optional[_Union[_sampling_pb2.SamplingFinished, _Mapping]] = ..., failed: _Optional[_Union[_worker_pb2.ErrorDetail, _Mapping]] = ..., cancelled: _Optional[_Union[RunCancelled, _Mapping]] = ..., paused: _Optional[_Union[RunPaused, _Mapping]] = ..., resumed: _Optional[_Union[RunResumed, _Mapping]] = ..., interrupted: _Optional[_Union[RunInterrupted, _Mapping]] = ...) -> None: ...

class SampleRequest(_message.Message):
    __slots__ = ("start",)
    START_FIELD_NUMBER: _ClassVar[int]
    start: _sampling_pb2.StartSamplingRequest
    def __init__(self, start: _Optional[_Union[_sampling_pb2.StartSamplingRequest, _Mapping]] = ...) -> None: ...

class SampleResponse(_message.Message):
    __slots__ = ("started", "event")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    started: _sampling_pb2.StartSamplingResponse
    event: StreamEventsResponse
    def __init__(self, started: _Optional[_Union[_sampling_pb2.StartSamplingResponse, _Mapping]] = ..., event: _Optional[_Union[StreamEventsResponse, _Mapping]] = ...) -> None: ...

class RunCancelled(_message.Message):
    __slots__ = ("steps",)
    STEPS_FIELD_NUMBER: _ClassVar[int]
    steps: int
    def __init__(self, steps: _Optional[int] = ...) -> None: ...

class RunPaused(_message.Message):
    __slots__ = ("steps",)
    STEPS_FIELD_NUMBER: _ClassVar[int]
    steps: int
    def __init__(self, steps: _Optional[int] = ...) -> None: ...

class RunResumed(_message.Message):
    __slots__ = ("steps",)
    STEPS_FIELD_NUMBER: _ClassVar[int]
    steps: int
    def __init__(self, steps: _Optional[int] = ...) -> None: ...

class RunInterrupted(_message.Message):
    __slots__ = ("steps",)
    STEPS_FIELD_NUMBER: _ClassVar[int]
    steps: int
    def __init__(self, steps: _Optional[int] = ...) -> None: ...
