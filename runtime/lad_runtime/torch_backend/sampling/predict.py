"""One forward over canvases: the primitive that a sampler of one's own is made of, and what the built-in ones compute with."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lad_runtime.errors import invalid_option
from lad_runtime.method.random import CanvasKey
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.prompt_context import Past
from lad_runtime.torch_backend.forward.requests import LogitsRequest
from lad_runtime.torch_backend.memory.needs import cache_bytes
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.draw import (
    SpecialTokens,
    biased,
    draw,
    entropies,
    most_probable,
    probabilities_of,
    without_stops,
)
from lad_runtime.torch_backend.task_kind import TaskKind
from lad_runtime.types.memory import Needs
from lad_runtime.types.sampling import PredictCanvas, Prediction, PredictSpec, PredictTask
from lad_runtime.types.work import Work, ask

T = TypeVar("T")

REQUEST_TOKENS = 2048
"""Sequences are asked for in requests of about so many tokens, which bounds the logits that are held at once."""


def check_prediction(base: Base, canvases: Sequence[PredictCanvas], spec: PredictSpec) -> None:
    """Raises LadError(INVALID_OPTION) for token ids or lengths that the base does not have, and for `top` above its vocabulary."""
    vocab_size = base.model.config.vocab_size
    if spec.top > vocab_size:
        raise invalid_option(
            "top", spec.top, f"the vocabulary has {vocab_size} tokens", "Ask for no more than that."
        )
    for canvas in canvases:
        check_tokens(base, "ids", canvas.ids, total=len(canvas.ids))


def predict(
    base: Base, adapter: LoraAdapter | None, canvases: Sequence[PredictCanvas], spec: PredictSpec
) -> Work[tuple[Prediction, ...]]:
    """Work: one forward over each canvas; a `Prediction` each. `adapter` (None: the base itself) must not change while it runs.

    Equal to the iteration `spec.iteration` of a built-in sampler with the same canvas, seed and draw. `entropies`, `standing` and
    `top_*` are of the distribution at temperature 1 with MASK and `eos_bias` as the draw has them; `logits` are the model's own.
    """
    predictions: list[Prediction] = []
    for group in in_groups(canvases, [len(canvas.ids) for canvas in canvases], REQUEST_TOKENS):
        segments: list[Segment] = []
        rows: list[Tensor] = []
        for canvas in group:
            both, both_rows = yield from _canvas(base, adapter, canvas, spec)
            segments += both
            rows += both_rows
        logits = yield from ask(LogitsRequest(segments=tuple(segments), rows=tuple(rows)))
        each = len(segments) // len(group)
        for index, canvas in enumerate(group):
            logits_RV = guided(logits[index * each : (index + 1) * each], spec.guidance_scale)
            key = canvas.key(len(predictions))
            standing_R = np.array(canvas.ids[canvas.answer_start :])
            drawn_RV = without_stops(logits_RV, base.info, np.arange(len(logits_RV)), canvas.stop_from)
            predictions.append(_prediction(logits_RV, drawn_RV, standing_R, key, spec, base.info))
    return tuple(predictions)


def _canvas(
    base: Base, adapter: LoraAdapter | None, canvas: PredictCanvas, spec: PredictSpec
) -> Work[tuple[tuple[Segment, ...], tuple[Tensor, ...]]]:
    """What the prediction of a canvas needs computed, and which rows of it: itself, and under guidance its masked prompt's.

    A prompt in the attention `prefix` is computed with it: `adapter` may have changed by the next prediction.
    """
    start = canvas.answer_start
    if spec.mode == "causal-prefix":
        prompt, guided = canvas.ids[:start], spec.guidance_scale > 0
        past = yield from Past.of(base, adapter, prompt, attention=spec.mode, guided=guided)
        return past.canvas(torch.tensor(canvas.ids[start:]), torch.arange(len(canvas.ids) - start))
    seeing_L = torch.tensor(canvas.ids)
    inputs = [seeing_L]
    if spec.guidance_scale > 0:
        inputs.append(seeing_L.index_fill(0, torch.arange(start), base.info.mask_token_id))
    segments = tuple(
        Segment(ids=ids_L, adapter=adapter, mode=spec.mode, prompt_tokens=start) for ids_L in inputs
    )
    return segments, (torch.arange(start, len(canvas.ids)),) * len(segments)


def guided(logits: Sequence[Tensor], guidance_scale: float) -> Tensor:
    """Classifier-free guidance (arXiv 2207.12598): blind + (scale + 1) · (seeing − blind), float32 [R, V]."""
    if len(logits) == 1:
        return logits[0]
    seeing_RV, blind_RV = logits
    return blind_RV + (guidance_scale + 1) * (seeing_RV - blind_RV)


def check_tokens(base: Base, option: str, ids: Sequence[int], *, total: int) -> None:
    """Ids that the base's vocabulary has, in a sequence of `total` tokens that its positions suffice for."""
    config = base.model.config
    if ids and not 0 <= min(ids) <= max(ids) < config.vocab_size:
        wrong = next(token for token in ids if not 0 <= token < config.vocab_size)
        raise invalid_option(
            option,
            wrong,
            f"the vocabulary has ids 0 to {config.vocab_size - 1}",
            "Encode the text with this base.",
        )
    if total > config.max_positions:
        raise invalid_option(
            option,
            f"{total} tokens",
            f"the model has {config.max_positions} positions",
            "Give a shorter prompt, or ask for fewer answer tokens.",
        )


def in_groups(items: Sequence[T], tokens: Sequence[int], limit: int) -> Iterator[list[T]]:
    """Neighbouring items whose tokens sum to `limit` at most; an item beyond that stands alone."""
    group: list[T] = []
    held = 0
    for item, count in zip(items, tokens, strict=True):
        if group and held + count > limit:
            yield group
            group, held = [], 0
        group.append(item)
        held += count
    if group:
        yield group


def _prediction(
    logits_RV: Tensor,
    drawn_RV: Tensor,
    standing_R: NDArray[np.int64],
    key: CanvasKey,
    spec: PredictSpec,
    tokens: SpecialTokens,
) -> Prediction:
    """`drawn_RV` are the logits without the stop tokens where those are forbidden."""
    drawn = draw(
        drawn_RV,
        spec.draw,
        tokens=tokens,
        key=key,
        iteration=spec.iteration,
        positions_R=np.arange(len(logits_RV)),
    )
    biased_RV = biased(drawn_RV, spec.draw, tokens)
    top_ids, top_probabilities = most_probable(biased_RV, spec.top) if spec.top else (torch.empty(0),) * 2
    return Prediction(
        ids=tuple(drawn.ids_R.tolist()),
        confidences=tuple(drawn.confidences_R.tolist()),
        entropies=tuple(entropies(biased_RV).tolist()),
        standing=tuple(probabilities_of(biased_RV, standing_R).tolist()),
        top_ids=tuple(top_ids.flatten().tolist()),
        top_probabilities=tuple(top_probabilities.flatten().tolist()),
        logits=logits_RV.cpu().numpy().astype("<f4").tobytes() if spec.logits else b"",
    )


def prediction_bytes(model: Llama, canvases: Sequence[PredictCanvas], spec: PredictSpec) -> int:
    """Keys and values of the prompts that predictions read, those of one request at a time."""
    if spec.mode != "causal-prefix":
        return 0
    groups = in_groups([c.answer_start for c in canvases], [len(c.ids) for c in canvases], REQUEST_TOKENS)
    most = max(sum(group) for group in groups)
    return cache_bytes(model, most * (2 if spec.guidance_scale > 0 else 1))


PREDICTING = TaskKind(
    task=PredictTask,
    check=lambda base, task: check_prediction(base, task.canvases, task.spec),
    needs=lambda base, _, tasks: Needs(
        caches=sum(prediction_bytes(base.model, task.canvases, task.spec) for task in tasks)
    ),
    work=lambda at, task: predict(at.base, at.weights, task.canvases, task.spec),
)
