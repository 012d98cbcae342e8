"""One sequence of an optimizer step."""

from dataclasses import dataclass

from lad_runtime.method.loss_targets import SoftTargets
from lad_runtime.method.noise import NoisedExample
from lad_runtime.method.prepared_example import PreparedExample
from lad_runtime.method.targeted_sequence import TargetedSequence


@dataclass(frozen=True, kw_only=True)
class Row:
    sequence: TargetedSequence


@dataclass(frozen=True, kw_only=True)
class NoisedRow(Row):
    """A sequence, and what it was made of."""

    example: PreparedExample
    noised: NoisedExample
    soft: SoftTargets | None  # what is asked of the base
