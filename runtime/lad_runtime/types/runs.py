"""Runs, whatever their kind."""

from dataclasses import dataclass
from typing import Literal

from lad_runtime.errors import LadError
from lad_runtime.types.adapters import AdapterSpec
from lad_runtime.types.bases import BaseSpec
from lad_runtime.types.sampling import AnswerEvent, Canvas, FrameEvent, SamplingOutcome, SamplingSpec
from lad_runtime.types.training import TrainingSpec
from lad_runtime.types.training_events import (
    CheckpointEvent,
    StepEvent,
    TrainingOutcome,
    TrainingStarted,
    ValidationEvent,
)
from lad_runtime.types.work import Event

RunKind = Literal["training", "sampling"]

RunState = Literal["queued", "running", "paused", "finished", "failed", "cancelled", "interrupted"]
"""`interrupted`: its worker ended before it did."""


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    id: str
    kind: RunKind
    state: RunState
    base_id: str
    adapter_id: str  # empty: the base itself
    next_seq: int  # number of the next event
    error: LadError | None  # why it failed, or could not be resumed
    base_name: str = ""
    checkpoint: str = ""  # name; empty: none
    created: float = 0.0  # seconds since the epoch
    steps: int = 0  # optimizer steps taken
    total_steps: int = 0  # 0: of sampling
    metrics_path: str = ""  # of its losses; empty: of sampling


@dataclass(frozen=True, kw_only=True)
class RunRecipe:
    """All that a run needs to begin again on another worker. No secret belongs to it: `base` is without its hub token."""

    base: BaseSpec
    base_revision: str
    adapter: AdapterSpec | None  # None: the base itself
    is_fresh: bool  # the adapter was as its specification makes it: created, and not trained yet
    training: TrainingSpec | None
    sampling: SamplingSpec | None
    canvases: tuple[Canvas, ...] = ()  # of sampling


@dataclass(frozen=True, kw_only=True)
class RunSpecification:
    """What of a run's recipe tells its readers how it was specified."""

    base_name: str
    base_revision: str
    adapter: AdapterSpec | None  # None: the base itself
    training: TrainingSpec | None  # None: of sampling


@dataclass(frozen=True, kw_only=True)
class RunPaused(Event):
    steps: int  # optimizer steps taken by then


@dataclass(frozen=True, kw_only=True)
class RunResumed(Event):
    """A paused run goes on, or an interrupted one: its log then has no events of later steps."""

    steps: int  # optimizer steps taken by then


@dataclass(frozen=True, kw_only=True)
class RunInterrupted(Event):
    """The last event of a run whose worker ended before it, until it is resumed. It is never kept."""

    steps: int  # optimizer steps that its log tells of


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
    | RunInterrupted
)
"""What a run's log holds."""


@dataclass(frozen=True, kw_only=True)
class LoggedEvent:
    seq: int  # from 0; a number is given once, also where a resume has taken its event back
    time: float  # seconds since the epoch
    event: RunEvent
