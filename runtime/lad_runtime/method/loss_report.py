"""Per-token losses added up into a LossReport."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lad_runtime.method.row import NoisedRow
from lad_runtime.method.targeted_sequence import TargetedSequence


@dataclass(frozen=True, kw_only=True)
class LossReport:
    """Losses in nats. `loss` is what is optimised; the others are plain means per token over the kinds of token named.

    A mean over no tokens is NaN; `*_tokens` say over how many.
    """

    loss: float
    ce: float  # over supervised tokens
    content_ce: float  # supervised, not tail
    tail_ce: float
    corrupted_ce: float  # input differs from label, tail included
    corrupted_content_ce: float
    tokens: int  # all tokens computed
    supervised_tokens: int
    content_tokens: int
    tail_tokens: int
    corrupted_tokens: int
    corrupted_content_tokens: int


@dataclass(frozen=True, kw_only=True)
class ExampleLosses:
    """Of examples in order, over their corrupted supervised tokens that are not of the tail: the CE's sum in nats, and how many."""

    nats: tuple[float, ...]
    tokens: tuple[int, ...]


_KINDS = ("all", "content", "tail", "corrupted", "corrupted_content")


@dataclass(frozen=True, kw_only=True)
class TokenLosses:
    """One sequence's losses in nats per position, [L] each, 0 where unsupervised. Without soft targets the two are equal."""

    ce_L: NDArray[np.float32]  # of the labels
    optimised_L: NDArray[np.float32]  # of the targets


def weighted_loss(sequence: TargetedSequence, losses: TokenLosses) -> float:
    """Σ weight · CE of one sequence in float64: a sum of its own, so that no batch layout can change it."""
    weights = np.asarray(sequence.weights, dtype=np.float64)
    return float((weights * losses.optimised_L.astype(np.float64)).sum())


@dataclass
class LossTally:
    """Sums in float64, example by example in the order given."""

    loss: float = 0.0
    tokens: int = 0
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0.0))
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))

    def add(self, row: NoisedRow, losses: TokenLosses) -> None:
        self.loss += weighted_loss(row.sequence, losses)
        self.tokens += len(row.sequence.ids)
        ce = losses.ce_L.astype(np.float64)
        supervised = np.asarray(row.sequence.targets) >= 0
        tail, corrupted = np.asarray(row.example.tail), np.asarray(row.noised.corrupted)
        chosen = (supervised, supervised & ~tail, supervised & tail, supervised & corrupted)
        for kind, mask in zip(_KINDS, (*chosen, chosen[1] & corrupted), strict=True):
            self.sums[kind] += float(ce[mask].sum())
            self.counts[kind] += int(mask.sum())

    def skip(self, row: NoisedRow) -> None:
        """An example of which nothing is supervised."""
        self.tokens += len(row.sequence.ids)

    def report(self, divisor: int = 1) -> LossReport:
        """The means so far; `loss` is the weighted sum over `divisor` (of examples, where each one's weights sum to 1)."""
        means = {
            kind: self.sums[kind] / count if count else float("nan") for kind, count in self.counts.items()
        }
        return LossReport(
            loss=self.loss / divisor if self.counts["all"] else float("nan"),
            ce=means["all"],
            content_ce=means["content"],
            tail_ce=means["tail"],
            corrupted_ce=means["corrupted"],
            corrupted_content_ce=means["corrupted_content"],
            tokens=self.tokens,
            supervised_tokens=self.counts["all"],
            content_tokens=self.counts["content"],
            tail_tokens=self.counts["tail"],
            corrupted_tokens=self.counts["corrupted"],
            corrupted_content_tokens=self.counts["corrupted_content"],
        )


@dataclass
class ExampleTally:
    """Sums of the examples' corrupted content, each on its own."""

    found: dict[int, tuple[float, int]] = field(default_factory=dict)

    def add(self, number: int, row: NoisedRow, losses: TokenLosses) -> None:
        tally = LossTally()
        tally.add(row, losses)
        self.found[number] = tally.sums["corrupted_content"], tally.counts["corrupted_content"]

    def losses(self, examples: int) -> ExampleLosses:
        """Of so many examples; those that were not added have nothing that counts."""
        each = [self.found.get(number, (0.0, 0)) for number in range(examples)]
        return ExampleLosses(nats=tuple(nats for nats, _ in each), tokens=tuple(tokens for _, tokens in each))
