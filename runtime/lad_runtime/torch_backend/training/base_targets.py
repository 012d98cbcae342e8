"""What the base itself would write at each token of an answer, as targets (docs/method.md §4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lad_runtime.method.loss_targets import SoftTargets
from lad_runtime.method.prepared_example import PreparedExample
from lad_runtime.method.row import NoisedRow, Row
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.requests import DistributionRequest
from lad_runtime.torch_backend.kernels.frozen_head_loss import SoftRows
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.work import Work, ask

Distributions = tuple[Tensor, Tensor]  # ids and probabilities


def base_targets(base: Base, rows: Sequence[Row], *, keep: bool = True) -> Work[tuple[SoftRows, ...]]:
    """Work that returns the targets of every position of the rows; none where they have labels alone.

    The unadapted base reads the clean examples causally, behind their cached prompts: its distribution after the tokens before i is
    the target at i. The EOS tail, which it never writes, keeps its labels, and so does a first token that nothing precedes. Without
    `keep` their prompts are not cached.
    """
    noised = [row for row in rows if isinstance(row, NoisedRow) and row.soft is not None]
    if not noised:
        return ()
    assert len(noised) == len(rows), "the rows of a batch have one loss"
    (soft,) = {row.soft for row in noised}
    assert soft is not None, "it was asked for"
    count = min(soft.top_k, base.info.vocab_size)
    asked = [_Asked(example=row.example, positions_R=_positions(row)) for row in noised]
    some = [one for one in asked if len(one.positions_R)]
    answered = yield from _distributions(base, some, count, keep)
    own = iter(answered)
    return tuple(_spread(one, next(own) if len(one.positions_R) else None, soft, count) for one in asked)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Positions of an example, in order, of which the base's distribution is wanted; each has a token before it."""

    example: PreparedExample
    positions_R: Tensor

    @property
    def prompt(self) -> tuple[int, ...]:
        return self.example.ids[: self.example.answer.index(True)]

    @property
    def read_from_prompt(self) -> bool:
        """Whether the first one follows the last token of the prompt."""
        return int(self.positions_R[0]) == len(self.prompt)

    @property
    def rows_R(self) -> Tensor:
        """The tokens behind the prompt that stand before the other positions."""
        return self.positions_R[int(self.read_from_prompt) :] - len(self.prompt) - 1

    def segment(self, base: Base, context: KeyValueCache | None) -> Segment:
        begin = len(self.prompt)
        end = max(int(self.positions_R[-1]), begin + 1)  # a segment has at least one token
        ids = torch.tensor(self.example.ids[begin:end], dtype=torch.int64)
        if context is None:
            return Segment(ids=ids, mode="causal")
        cache = base.model.cache(end)
        cache.begin_with(context)
        return Segment(ids=ids, mode="causal", cache=cache)


def _positions(row: NoisedRow) -> Tensor:
    """Supervised tokens of the answer, without its tail."""
    example, targets = row.example, row.sequence.targets
    return torch.tensor(
        [i for i in range(1, len(targets)) if targets[i] >= 0 and example.answer[i] and not example.tail[i]],
        dtype=torch.int64,
    )


def _distributions(
    base: Base, asked: Sequence[_Asked], count: int, keep: bool
) -> Work[tuple[Distributions, ...]]:
    if not asked:
        return ()
    contexts = yield from base.prompts.contexts(
        base.model, None, [one.prompt for one in asked], "causal-prefix", keep=keep
    )
    pairs = list(zip(asked, contexts, strict=True))
    return (
        yield from ask(
            DistributionRequest(
                segments=tuple(one.segment(base, context) for one, context in pairs),
                rows=tuple(one.rows_R for one in asked),
                before=tuple(
                    context.last_hidden if context and one.read_from_prompt else None
                    for one, context in pairs
                ),
                count=count,
            )
        )
    )


def _spread(asked: _Asked, own: Distributions | None, soft: SoftTargets, count: int) -> SoftRows:
    """The targets of all L positions: where nothing was asked, the label's share is 1."""
    length = len(asked.example.ids)
    targets = SoftRows(
        label_share_R=torch.ones(length),
        ids_RK=torch.zeros(length, count, dtype=torch.int64),
        probabilities_RK=torch.zeros(length, count),
    )
    if own is not None:
        targets.label_share_R[asked.positions_R] = 1 - soft.share
        targets.ids_RK[asked.positions_R] = own[0]
        targets.probabilities_RK[asked.positions_R] = soft.share * own[1]
    return targets
