"""Autoregressive sampling (docs/method.md §6): causal, one token after another, with a cache of keys and values."""

from dataclasses import replace

import numpy as np
import torch

from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.requests import HeadRequest, LogitsRequest
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.answer_text import AnswerText
from lad_runtime.torch_backend.sampling.draw import draw
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.sampling import AnswerEvent, Canvas, Edit, FrameEvent, SamplingSpec
from lad_runtime.types.work import Work, ask


def autoregress(
    base: Base, snapshot: LoraAdapter | None, canvas: Canvas, index: int, spec: SamplingSpec
) -> Work[AnswerEvent]:
    """Work: tokens until a stop token, or until there are `answer_tokens`; a frame of one edit for each.

    MASK may be sampled like any other token.
    Token i is drawn as position 0 of iteration i: `predict` in mode `causal` with `iteration` i and the last token as its only
    position draws the same. The prompt is computed once, or found where `causal-prefix` sampling or another request left it; every
    later forward is of one token.
    """
    stop_token_ids, mask_token_id = base.info.stop_token_ids, base.info.mask_token_id
    model = base.model
    capacity = len(canvas.prompt) + spec.answer_tokens - 1  # no forward follows the last token
    attention: AttentionMode = "causal-prefix" if snapshot is None else "causal"
    prompt = yield from base.prompts.context(model, snapshot, canvas.prompt, attention)
    assert prompt is not None and prompt.last_hidden is not None, "the prompt has at least one token"
    cache = model.cache(capacity)
    cache.begin_with(prompt)
    logits_1V = yield from ask(HeadRequest(hidden_RD=prompt.last_hidden))
    answer: list[int] = []
    text = AnswerText.of(base, spec)
    draw_spec, key = replace(spec.draw, allow_mask=True), canvas.key(index)
    for iteration in range(spec.answer_tokens):
        if answer:
            last = torch.tensor(answer[-1:])
            segment = Segment(ids=last, adapter=snapshot, mode="causal", cache=cache)
            (logits_1V,) = yield from ask(LogitsRequest(segments=(segment,), rows=(torch.tensor([0]),)))
        drawn = draw(
            logits_1V,
            draw_spec,
            tokens=base.info,
            key=key,
            iteration=iteration,
            positions_R=np.zeros(1, dtype=np.int64),
        )
        token = int(drawn.ids_R[0])
        answer.append(token)
        if spec.frames:
            edit = Edit(
                position=iteration,
                old=mask_token_id,
                new=token,
                confidence=float(drawn.confidences_R[0]),
                remasked=False,
                kept=True,
            )
            yield FrameEvent(
                canvas=index,
                iteration=iteration,
                iterations=spec.answer_tokens,
                edits=(edit,),
                answer=tuple(answer),
                masked=0,
                state=None,
            )
        if token in stop_token_ids or text.is_cut_in(answer):
            break
    cut = text.cut(answer)
    return AnswerEvent(
        canvas=index,
        ids=cut.ids,
        canvas_ids=tuple(answer),
        text=cut.text,
        iterations=len(answer),
        stopped="stop" if cut.stop is not None else "eos" if answer[-1] in stop_token_ids else "length",
        pinned=(),
        stop=cut.stop,
    )
