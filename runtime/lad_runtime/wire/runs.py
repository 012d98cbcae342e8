"""Messages of runs.proto."""

from collections.abc import Callable
from typing import Any

from lad_runtime.errors import LadError
from lad_runtime.gen.lad.v1 import runs_pb2 as pb
from lad_runtime.types.runs import RunCancelled, RunInfo, RunPaused, RunResumed
from lad_runtime.types.sampling import AnswerEvent, FrameEvent, SamplingOutcome
from lad_runtime.types.training_events import (
    CheckpointEvent,
    StepEvent,
    TrainingOutcome,
    TrainingStarted,
    ValidationEvent,
)
from lad_runtime.wire import sampling, training
from lad_runtime.wire.enums import RUN_KIND, RUN_STATE
from lad_runtime.wire.errors import error_detail

_EVENTS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    TrainingStarted: ("training_started", training.write_started),
    StepEvent: ("training_step", training.write_step),
    ValidationEvent: ("validation", training.write_validation),
    CheckpointEvent: ("checkpoint", training.write_checkpoint),
    TrainingOutcome: ("training_finished", training.write_training_outcome),
    FrameEvent: ("frame", sampling.write_frame),
    AnswerEvent: ("answer", sampling.write_answer),
    SamplingOutcome: ("sampling_finished", sampling.write_sampling_outcome),
    LadError: ("failed", error_detail),
    RunCancelled: ("cancelled", lambda event: pb.RunCancelled(steps=event.steps)),
    RunPaused: ("paused", lambda event: pb.RunPaused(steps=event.steps)),
    RunResumed: ("resumed", lambda event: pb.RunResumed(steps=event.steps)),
}


def write_event(seq: int, time: float, event: Any) -> pb.StreamEventsResponse:
    field, write = _EVENTS[type(event)]
    return pb.StreamEventsResponse(seq=seq, time=time, **{field: write(event)})


def write_run(info: RunInfo) -> pb.Run:
    return pb.Run(
        id=info.id,
        kind=RUN_KIND.write(info.kind),
        state=RUN_STATE.write(info.state),
        base_id=info.base_id,
        adapter_id=info.adapter_id,
        next_seq=info.next_seq,
        error=error_detail(info.error) if info.error else None,
    )
