"""Which validation of a run was the best so far, and whether later ones have waited long enough for an improvement."""

from dataclasses import dataclass, replace
from math import inf

from lad_runtime.method.loss_report import LossReport


@dataclass(frozen=True, kw_only=True)
class ValidationWatch:
    """What a run's validations have shown so far; nothing, with the defaults.

    The best is the lowest CE, the first of equal ones. Patience (early stopping: Prechelt 1998, Early Stopping – But When?) has a
    measure of its own, the CE of the last improvement, so that several gains below `min_delta` can be an improvement together.
    """

    best_step: int | None = None
    best_ce: float = inf
    improved_ce: float = inf  # of the last improvement
    waited: int = 0  # validations since then

    def after(self, step: int, ce: float, min_delta: float) -> "ValidationWatch":
        """With one more validation. A CE that is NaN is neither the best nor an improvement."""
        best = replace(self, best_step=step, best_ce=ce) if ce < self.best_ce else self
        if ce < self.improved_ce - min_delta:
            return replace(best, improved_ce=ce, waited=0)
        return replace(best, waited=self.waited + 1)

    def is_exhausted(self, patience: int) -> bool:
        """Whether so many validations in a row brought no improvement; never with a patience of 0."""
        return 0 < patience <= self.waited


UNWATCHED = ValidationWatch()
"""No validation yet."""


def validation_ce(report: LossReport) -> float:
    """The CE that is compared, in nats a token: of corrupted tokens, or of all that are supervised where none is corrupted.

    Noise and examples are the same in every validation of a run, so it is one of the two throughout.
    """
    return report.corrupted_ce if report.corrupted_tokens else report.ce
