"""The learning rate of every step."""

from dataclasses import dataclass
from math import pi
from typing import Literal

from lad_runtime.checks import check_choice, check_number, check_whole


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec:
    """Learning rate at step k (from 0): linear warm-up, then the decay to `final_fraction` of the peak, reached as the run ends."""

    learning_rate: float
    warmup_steps: int
    decay: Literal["cosine", "linear", "constant"]
    final_fraction: float

    def __post_init__(self) -> None:
        check_number("learningRate", self.learning_rate, low=0)
        check_whole("warmupSteps", self.warmup_steps, low=0)
        check_choice("decay", self.decay, ("cosine", "linear", "constant"))
        check_number("finalFraction", self.final_fraction, low=0, high=1)


def learning_rate(spec: ScheduleSpec, step: int, steps: int) -> float:
    """The rate at `step` (from 0) of a run of `steps`.

    Warm-up gives step k the share (k + 1) / warmup_steps of the peak; the decay then falls from the peak to `final_fraction` of it
    at the run's end, which is one step after the last, so that no step is spent at a rate of 0.
    """
    if step < spec.warmup_steps:
        return spec.learning_rate * ((step + 1) / spec.warmup_steps)
    if spec.decay == "constant":
        return spec.learning_rate
    progress = (step - spec.warmup_steps) / (steps - spec.warmup_steps)
    remaining = 1 - progress if spec.decay == "linear" else _half_cosine(progress)
    return spec.learning_rate * (spec.final_fraction + (1 - spec.final_fraction) * remaining)


def _half_cosine(progress: float) -> float:
    """(1 + cos πx) / 2 for x in [0, 1], as cos²(πx / 2).

    A Taylor series in plain arithmetic: libraries' cosines differ in the last bit between languages, this one cannot.
    """
    angle = pi * progress / 2
    square = angle * angle
    cosine = 1.0
    for n in range(24, 0, -2):
        cosine = 1 - cosine * square / (n * (n - 1))
    return cosine * cosine
