"""A batch of targeted sequences as requests of bounded size; how it is cut depends on the sequences and the bound alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from lad_runtime.errors import invalid_option
from lad_runtime.method.loss_report import TokenLosses
from lad_runtime.method.row import Row
from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.host_time import HostTime
from lad_runtime.torch_backend.forward.requests import GradientRequest, HiddenRequest, LossRequest
from lad_runtime.torch_backend.kernels.frozen_head_loss import SoftRows
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.primitives import TargetedSequence
from lad_runtime.types.work import Work

RowT = TypeVar("RowT", bound=Row)
Numbered = list[tuple[int, RowT]]


def in_micro_batches(
    rows: Iterable[RowT],
    max_tokens: int,
    compute: Callable[[Numbered[RowT]], Work[None]],
    skip: Callable[[int, RowT], None],
) -> Work[None]:
    """Work that has rows computed in order, as many a micro-batch as fit into `max_tokens`; a longer one has one of its own.

    Rows are taken as they are needed, and numbered. Those of which nothing is supervised are left out: they have neither loss
    nor gradient.
    """
    host, batch, tokens = HostTime(), list[tuple[int, RowT]](), 0
    for number, row in enumerate(rows):
        length = len(row.sequence.ids)
        yield from host.spend(length)
        if max(row.sequence.targets) < 0:
            skip(number, row)
            continue
        if batch and tokens + length > max_tokens:
            yield from compute(batch)
            host.begin_anew()
            batch, tokens = [], 0
        batch.append((number, row))
        tokens += length
    if batch:
        yield from compute(batch)


@dataclass(frozen=True, kw_only=True)
class ContextBatch:
    """A micro-batch whose prompts are computed, where its attention mode has them computed apart."""

    sequences: Sequence[TargetedSequence]
    attention: AttentionMode
    contexts: Sequence[KeyValueCache | None]

    def gradient_request(
        self,
        adapter: LoraAdapter,
        dropout_seed: int | None,
        soft: Sequence[SoftRows],
        *,
        checkpointing: bool,
    ) -> GradientRequest:
        return GradientRequest(
            segments=self._segments(adapter, dropout_seed),
            targets=self._targets(),
            soft=self._behind_prompts(soft),
            weights=tuple(
                torch.tensor(sequence.weights, dtype=torch.float32)[begin:]
                for sequence, begin in zip(self.sequences, self._begins, strict=True)
            ),
            checkpointing=checkpointing,
        )

    def loss_request(self, adapter: LoraAdapter | None, soft: Sequence[SoftRows]) -> LossRequest:
        return LossRequest(
            segments=self._segments(adapter, None),
            targets=self._targets(),
            soft=self._behind_prompts(soft),
        )

    def hidden_request(self, adapter: LoraAdapter) -> HiddenRequest:
        """The hidden states of every token that has a target, without dropout."""
        return HiddenRequest(
            segments=self._segments(adapter, None),
            rows=tuple((targets != IGNORE_INDEX).nonzero()[:, 0] for targets in self._targets()),
        )

    def whole(self, losses: Sequence[Tensor]) -> list[TokenLosses]:
        """A request's losses per token as those of every position, 0 in prompts that were computed apart."""
        pairs = zip(losses, self._begins, strict=True)
        return [_token_losses(F.pad(own.float().cpu(), (begin, 0))) for own, begin in pairs]

    @property
    def _begins(self) -> list[int]:
        return [context.length if context else 0 for context in self.contexts]

    def _segments(self, adapter: LoraAdapter | None, dropout_seed: int | None) -> tuple[Segment, ...]:
        return tuple(
            Segment(
                ids=torch.tensor(sequence.ids[begin:], dtype=torch.int64),
                adapter=adapter,
                mode="full" if self.attention == "causal-prefix" else self.attention,
                prompt_tokens=sequence.prompt_tokens if self.attention == "prefix" else 0,
                context=context,
                dropout_seed=dropout_seed,
            )
            for sequence, begin, context in zip(self.sequences, self._begins, self.contexts, strict=True)
        )

    def _behind_prompts(self, soft: Sequence[SoftRows]) -> tuple[SoftRows, ...]:
        if not soft:
            return ()
        return tuple(own.part(slice(begin, None)) for own, begin in zip(soft, self._begins, strict=True))

    def _targets(self) -> tuple[Tensor, ...]:
        pairs = zip(self.sequences, self._begins, strict=True)
        return tuple(torch.tensor(s.targets[begin:], dtype=torch.int64) for s, begin in pairs)


def _token_losses(losses: Tensor) -> TokenLosses:
    """Of [L] the CE is what is optimised, too; [2, L] has both."""
    ce_L, optimised_L = losses if losses.dim() == 2 else (losses, losses)
    return TokenLosses(ce_L=ce_L.numpy(), optimised_L=optimised_L.numpy())


def in_context(
    base: Base, sequences: Sequence[TargetedSequence], attention: AttentionMode, *, keep: bool = True
) -> Work[ContextBatch]:
    """Work that has the prompts of a micro-batch computed by the unadapted base, in the attention mode `causal-prefix`; with `keep`
    they stay in the base's cache.

    Raises LadError(INVALID_OPTION) there for a target within a prompt, which nothing of an adapter predicts, and for a sequence
    that is a prompt and nothing else.
    """
    contexts: Sequence[KeyValueCache | None] = [None] * len(sequences)
    if attention == "causal-prefix":
        for sequence in sequences:
            _check_answer(sequence)
        prompts = [sequence.ids[: sequence.prompt_tokens] for sequence in sequences]
        contexts = yield from base.prompts.contexts(base.model, None, prompts, attention, keep=keep)
    return ContextBatch(sequences=sequences, attention=attention, contexts=contexts)


def _check_answer(sequence: TargetedSequence) -> None:
    if (
        sequence.prompt_tokens == len(sequence.ids)
        or max(sequence.targets[: sequence.prompt_tokens], default=IGNORE_INDEX) >= 0
    ):
        raise invalid_option(
            "promptTokens",
            sequence.prompt_tokens,
            "in causal-prefix attention the prompt runs through the unadapted base, which learns nothing",
            "Give targets behind the prompt alone: -1 for its tokens.",
        )
