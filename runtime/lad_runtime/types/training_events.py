"""What a training run tells."""

from dataclasses import dataclass

from lad_runtime.method.loss_report import LossReport as LossReport
from lad_runtime.types.data import WindowReport


@dataclass(frozen=True, kw_only=True)
class TrainingStarted:
    report: WindowReport
    validation_report: WindowReport | None
    trainable_parameters: int
    accounted_bytes: int
    from_step: int
    warnings: tuple[str, ...] = ()  # what the caller should know, in a sentence each


@dataclass(frozen=True, kw_only=True)
class StepEvent:
    step: int  # from 1: steps taken
    epoch: float
    report: LossReport
    gradient_norm: float  # before clipping
    learning_rate: float
    seconds: float  # of this step
    tokens_per_second: float


@dataclass(frozen=True, kw_only=True)
class ValidationEvent:
    step: int
    report: LossReport


@dataclass(frozen=True, kw_only=True)
class CheckpointEvent:
    step: int
    name: str


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome:
    steps: int
    report: LossReport | None  # of the last step
    validation: LossReport | None  # the last one
    seconds: float
    tokens_per_second: float  # of the training steps alone
