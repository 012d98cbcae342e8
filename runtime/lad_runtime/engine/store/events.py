"""A run's events as rows of its record: what each is called, and what it says of the run's state."""

from lad_runtime.engine.store.values import read, written
from lad_runtime.errors import LadError
from lad_runtime.types.runs import (
    LoggedEvent,
    RunCancelled,
    RunPaused,
    RunResumed,
    RunState,
)
from lad_runtime.types.sampling import AnswerEvent, SamplingOutcome
from lad_runtime.types.training_events import (
    CheckpointEvent,
    StepEvent,
    TrainingOutcome,
    TrainingStarted,
    ValidationEvent,
)

EventRow = tuple[str, int, float, str, int | None, str]
"""Run, number, time, type, the step it tells of (None: of none), and its JSON."""

KINDS: dict[str, type] = {
    "started": TrainingStarted,
    "step": StepEvent,
    "validation": ValidationEvent,
    "checkpoint": CheckpointEvent,
    "finished": TrainingOutcome,
    "answer": AnswerEvent,
    "sampled": SamplingOutcome,
    "failed": LadError,
    "cancelled": RunCancelled,
    "paused": RunPaused,
    "resumed": RunResumed,
}
"""What is kept, by the names of the SDK's events. Frames are not: each holds a whole answer."""

_NAMES = {kind: name for name, kind in KINDS.items()}

_STATES: dict[type, RunState] = {
    TrainingStarted: "running",
    RunPaused: "paused",
    RunResumed: "running",
    TrainingOutcome: "finished",
    SamplingOutcome: "finished",
    LadError: "failed",
    RunCancelled: "cancelled",
    AnswerEvent: "running",
}


def is_kept(logged: LoggedEvent) -> bool:
    return type(logged.event) in _NAMES


def row_of(run_id: str, logged: LoggedEvent) -> EventRow:
    event = logged.event
    step = event.step if isinstance(event, StepEvent | ValidationEvent | CheckpointEvent) else None
    return run_id, logged.seq, logged.time, _NAMES[type(event)], step, written(event)


def event_of(seq: int, time: float, name: str, text: str) -> LoggedEvent:
    return LoggedEvent(seq=seq, time=time, event=read(KINDS[name], text))


def state_after(logged: LoggedEvent) -> RunState | None:
    """The state that an event puts its run in; None: it stays."""
    return _STATES.get(type(logged.event))
