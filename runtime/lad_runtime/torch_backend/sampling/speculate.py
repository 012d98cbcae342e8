"""Self-speculation (docs/method.md §6): the adapter drafts in one forward, causal forwards of the base check the draft."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lad_runtime.method.policies.speculative import SpeculativePolicy
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.prompt_context import Past
from lad_runtime.torch_backend.forward.requests import HeadRequest, LogitsRequest
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.answer_text import AnswerText
from lad_runtime.torch_backend.sampling.verdict import Draft, Verdict, drafted, judged
from lad_runtime.types.sampling import (
    AnswerEvent,
    Canvas,
    Edit,
    FrameEvent,
    SamplingSpec,
    Speculation,
    SpeculationRound,
)
from lad_runtime.types.work import Work, ask


def speculate(
    base: Base, snapshot: LoraAdapter | None, canvas: Canvas, index: int, spec: SamplingSpec
) -> Work[AnswerEvent]:
    """Work: the base's own answer, drafted by the adapter; a frame for each round.

    At temperature 0 it is `ar`'s answer token for token (on the CPU to the bit of its logits; on CUDA but for ties that round
    otherwise). At higher temperatures its distribution is `ar`'s (arXiv 2211.17192), and the draws depend on the canvas's key
    alone. The first token comes from the prompt's last hidden state, as round 0. A round checks a new draft, or what the last check
    has left of one. Nothing is decided behind the token that completes a stop string.
    """
    policy = spec.policy
    assert isinstance(policy, SpeculativePolicy) and snapshot is not None
    drafting = yield from _Drafting.of(base, snapshot, canvas, spec, policy)
    key, stops = canvas.key(index), base.info.stop_token_ids
    logits_1V = yield from ask(HeadRequest(hidden_RD=drafting.prompt_hidden))
    verdict = judged(None, logits_1V, spec.draw, base.info, key, round=0)
    answer, text = list(verdict.tokens), AnswerText.of(base, spec)
    spent, draft = _Spent(), None
    if spec.frames:
        yield _frame(verdict, None, answer, index, 0, spec, base.info.mask_token_id)
    while answer[-1] not in stops and len(answer) < spec.answer_tokens and not text.is_cut_in(answer):
        spent.rounds += 1
        wanted = min(
            policy.draft_tokens, drafting.open_tokens(len(answer)), spec.answer_tokens - len(answer) - 1
        )
        if draft is None and wanted:
            logits_RV = yield from drafting.logits(answer, wanted)
            draft = drafted(logits_RV, spec.draw, base.info, key, spent.rounds, policy.draft_confidence)
            spent.drafts += 1
            spent.drafted += len(draft.tokens)
        checked_RV = yield from drafting.check(answer, draft.tokens if draft else (), stops)
        verdict = judged(draft, checked_RV, spec.draw, base.info, key, round=spent.rounds)
        verdict = verdict.first(_decided(answer, verdict.tokens, text))
        answer += verdict.tokens
        drafting.keep(len(answer))
        spent.accepted += verdict.accepted
        if spec.frames:
            yield _frame(verdict, draft, answer, index, spent.rounds, spec, base.info.mask_token_id)
        draft = draft.left(verdict, policy.patience) if draft else None
    cut = text.cut(answer)
    return AnswerEvent(
        canvas=index,
        ids=cut.ids,
        canvas_ids=tuple(answer),
        text=cut.text,
        iterations=spent.drafts + spent.rounds,
        stopped="stop" if cut.stop is not None else "eos" if answer[-1] in stops else "length",
        pinned=(),
        speculation=Speculation(
            rounds=spent.rounds,
            draft_forwards=spent.drafts,
            check_forwards=spent.rounds,
            drafted=spent.drafted,
            accepted=spent.accepted,
        ),
        stop=cut.stop,
    )


def _decided(answer: Sequence[int], tokens: Sequence[int], text: AnswerText) -> int:
    """How many of these next tokens there are up to the one that completes a stop string."""
    counts = range(1, len(tokens) + 1)
    return next((count for count in counts if text.is_cut_in([*answer, *tokens[:count]])), len(tokens))


@dataclass(kw_only=True)
class _Spent:
    rounds: int = 0
    drafts: int = 0
    drafted: int = 0
    accepted: int = 0


@dataclass(frozen=True, kw_only=True)
class _Drafting:
    """The forwards of one answer. `cache` has the base's keys and values of the prompt and of all decided tokens but the last."""

    adapter: LoraAdapter
    past: Past  # of drafts whose canvas shows the decided tokens
    cache: KeyValueCache
    prompt_hidden: Tensor  # [1, hidden], the base's at the prompt's last token
    prompt_tokens: int
    answer_tokens: int
    canvas_tokens: int  # MASKs of a draft's canvas, at most; 0: as many as positions are open
    mask_token_id: int
    in_past: bool  # whether decided tokens stand in the draft's past

    @classmethod
    def of(
        cls,
        base: Base,
        adapter: LoraAdapter,
        canvas: Canvas,
        spec: SamplingSpec,
        policy: SpeculativePolicy,
    ) -> Work["_Drafting"]:
        model = base.model
        prompt = yield from base.prompts.context(model, None, canvas.prompt, "causal-prefix")
        assert prompt is not None and prompt.last_hidden is not None, "the prompt has at least one token"
        past = yield from Past.of(base, adapter, canvas.prompt, attention=spec.attention, guided=False)
        cache = model.cache(len(canvas.prompt) + spec.answer_tokens - 1)  # no forward follows the last token
        cache.begin_with(prompt)
        return cls(
            adapter=adapter,
            past=past,
            cache=cache,
            prompt_hidden=prompt.last_hidden,
            prompt_tokens=len(canvas.prompt),
            answer_tokens=spec.answer_tokens,
            canvas_tokens=spec.canvas_tokens,
            mask_token_id=base.info.mask_token_id,
            in_past=policy.decided == "past",
        )

    def logits(self, answer: Sequence[int], count: int) -> Work[Tensor]:
        """The adapter's forward over the answer with MASK at every open position of the canvas: float32 [count, V] of the first of
        those."""
        masks = [self.mask_token_id] * self.open_tokens(len(answer))
        if self.in_past:
            ids = torch.tensor([answer[-1], *masks])
            segments: tuple[Segment, ...] = (Segment(ids=ids, adapter=self.adapter, context=self.cache),)
            rows: tuple[Tensor, ...] = (torch.arange(1, 1 + count),)
        else:
            open_R = torch.arange(len(answer), len(answer) + count)
            segments, rows = self.past.canvas(torch.tensor([*answer, *masks]), open_R)
        (logits_RV,) = yield from ask(LogitsRequest(segments=segments, rows=rows))
        return logits_RV

    def open_tokens(self, answered: int) -> int:
        """MASKs in the canvas behind so many decided tokens."""
        left = self.answer_tokens - answered
        return min(self.canvas_tokens or left, left)

    def check(self, answer: Sequence[int], draft: Sequence[int], stops: Sequence[int]) -> Work[Tensor]:
        """The base's causal forward over the last decided token and the draft: float32 [tokens, V], row i predicts what follows
        the draft's first i tokens. Nothing follows a stop token."""
        ends = len(draft) > 0 and draft[-1] in stops
        ids = torch.tensor([answer[-1], *(draft[:-1] if ends else draft)])
        segment = Segment(ids=ids, mode="causal", cache=self.cache, one_by_one=True)
        (logits_RV,) = yield from ask(LogitsRequest(segments=(segment,), rows=(torch.arange(len(ids)),)))
        return logits_RV

    def keep(self, answered: int) -> None:
        """Cuts refused tokens off the cache: `answered` tokens are decided now."""
        self.cache.truncate(min(self.cache.length, self.prompt_tokens + answered - 1))


def _frame(
    verdict: Verdict,
    draft: Draft | None,
    answer: Sequence[int],
    index: int,
    round: int,
    spec: SamplingSpec,
    mask_token_id: int,
) -> FrameEvent:
    begin = len(answer) - len(verdict.tokens)
    edits = tuple(
        Edit(
            position=begin + number,
            old=mask_token_id,
            new=token,
            confidence=confidence,
            remasked=False,
            kept=True,
        )
        for number, (token, confidence) in enumerate(zip(verdict.tokens, verdict.confidences, strict=True))
    )
    return FrameEvent(
        canvas=index,
        iteration=round,
        iterations=spec.answer_tokens,
        edits=edits,
        answer=tuple(answer),
        masked=0,
        state=None,
        speculation=SpeculationRound(drafted=draft.tokens if draft else (), accepted=verdict.accepted),
    )
