"""What a training run tells."""

from dataclasses import dataclass
from typing import Literal

from lad_runtime.method.loss_report import LossReport as LossReport
from lad_runtime.types.data import WindowReport
from lad_runtime.types.work import Event


@dataclass(frozen=True, kw_only=True)
class TrainingStarted(Event):
    report: WindowReport
    validation_report: WindowReport | None
    trainable_parameters: int
    accounted_bytes: int
    from_step: int
    warnings: tuple[str, ...] = ()  # what the caller should know, in a sentence each


@dataclass(frozen=True, kw_only=True)
class StepEvent(Event):
    step: int  # from 1: steps taken
    epoch: float
    report: LossReport
    gradient_norm: float  # before clipping
    learning_rate: float
    seconds: float  # of this step
    tokens_per_second: float


@dataclass(frozen=True, kw_only=True)
class BestValidation:
    step: int
    ce: float  # in nats, as `validation_ce` has it
    checkpoint: str  # name of the one that keeps its adapter; empty: none does


@dataclass(frozen=True, kw_only=True)
class ValidationEvent(Event):
    step: int
    report: LossReport
    best: BestValidation | None = None  # so far, this one included


@dataclass(frozen=True, kw_only=True)
class CheckpointEvent(Event):
    step: int
    name: str


TrainingEnd = Literal["steps", "early"]
"""Why a run ended by itself: all its steps were taken, or validations brought no improvement any more."""


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome:
    steps: int
    report: LossReport | None  # of the last step
    validation: LossReport | None  # the last one
    seconds: float
    tokens_per_second: float  # of the training steps alone
    best: BestValidation | None = None
    stopped: TrainingEnd = "steps"
