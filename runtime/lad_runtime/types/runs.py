"""Runs, whatever their kind."""

from dataclasses import dataclass
from typing import Literal

from lad_runtime.errors import LadError
from lad_runtime.types.sampling import AnswerEvent, FrameEvent, SamplingOutcome
from lad_runtime.types.training_events import (
    CheckpointEvent,
    StepEvent,
    TrainingOutcome,
    TrainingStarted,
    ValidationEvent,
)

RunKind = Literal["training", "sampling"]

RunState = Literal["queued", "running", "paused", "finished", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    id: str
    kind: RunKind
    state: RunState
    base_id: str
    adapter_id: str  # empty: the base itself
    next_seq: int  # number of the next event
    error: LadError | None


@dataclass(frozen=True, kw_only=True)
class RunPaused:
    steps: int  # optimizer steps taken by then


@dataclass(frozen=True, kw_only=True)
class RunResumed:
    steps: int  # optimizer steps taken by then


@dataclass(frozen=True, kw_only=True)
class RunCancelled:
    steps: int  # optimizer steps or iterations taken by then


RunEvent = (
    TrainingStarted
    | StepEvent
    | ValidationEvent
    | CheckpointEvent
    | TrainingOutcome
    | FrameEvent
    | AnswerEvent
    | SamplingOutcome
    | LadError
    | RunCancelled
    | RunPaused
    | RunResumed
)
"""What a run's log holds."""


@dataclass(frozen=True, kw_only=True)
class LoggedEvent:
    seq: int  # from 0, without gaps when appended
    time: float  # seconds since the epoch
    event: RunEvent
