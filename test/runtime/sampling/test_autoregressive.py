"""The autoregressive baseline: the cache changes nothing, and greedy answers are those of transformers."""

import math
from dataclasses import replace

import pytest
import torch

from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import LogitsRequest
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.predict import predict
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.types.sampling import Canvas, DrawSpec, PredictCanvas
from sampling_helpers import (
    CONFIG,
    EOS_ID,
    MASK_ID,
    answered,
    peaked,
    run_alone,
    run_work,
    small_base,
    trained_adapter,
)
from sampling_specs import ar_policy, draw_spec, predict_spec, sampling_spec

BASE = small_base()
ADAPTER = trained_adapter()
NO_EOS = draw_spec(eos_bias=-math.inf)


@pytest.mark.parametrize("adapter", [None, ADAPTER], ids=["base", "adapter"])
@pytest.mark.parametrize(
    "draw",
    [draw_spec(), NO_EOS, draw_spec(temperature=1.0, top_k=9), draw_spec(temperature=1.3, method="gumbel")],
    ids=["greedy", "without EOS", "warm", "gumbel"],
)
def test_the_cache_changes_no_token(adapter: object, draw: DrawSpec) -> None:
    """Against the same loop written with `predict`, which computes the whole sequence for every token."""
    prompt, seed = (11, 3, 30, 4, 17), 77
    spec = sampling_spec(policy=ar_policy(), answer_tokens=14, draw=draw)
    work = sample_canvas(BASE, adapter, Canvas(prompt=prompt, seed=seed, begin=None, size=None), 0, spec)  # type: ignore[arg-type]
    _, answer = run_alone(work, BASE.model)

    ids = list(prompt)
    while len(ids) < len(prompt) + 14 and (len(ids) == len(prompt) or ids[-1] != EOS_ID):
        canvas = PredictCanvas(ids=tuple(ids), answer_start=len(ids) - 1, seed=seed, stop_from=0)
        one = predict_spec(
            draw=replace(draw, allow_mask=True), iteration=len(ids) - len(prompt), mode="causal"
        )
        _, (prediction,) = run_alone(predict(BASE, adapter, [canvas], one), BASE.model)  # type: ignore[arg-type]
        ids += prediction.ids
    assert list(answered(answer).canvas_ids) == ids[len(prompt) :]


def test_the_caches_logits_are_those_of_the_whole_sequence() -> None:
    ids = torch.arange(8, 30)
    segment = Segment(ids=ids, mode="causal")
    ((whole_RV,),) = compute(BASE.model, [LogitsRequest(segments=(segment,), rows=(torch.arange(22),))])
    rows = []
    work = sample_canvas(
        BASE,
        None,
        Canvas(prompt=tuple(ids[:15].tolist()), seed=0, begin=None, size=None),
        0,
        sampling_spec(policy=ar_policy(), answer_tokens=8),
    )
    context = next(work)
    assert [len(segment.ids) for segment in context.segments] == [15]  # type: ignore[union-attr]
    request = work.send(*compute(BASE.model, [context]))  # type: ignore[list-item]
    rows.append(*compute(BASE.model, [request]))  # type: ignore[list-item]
    for position in range(15, 22):
        chosen = peaked([int(ids[position])])
        work.send(chosen if position == 15 else (chosen,))  # type: ignore[arg-type]  # the frame
        request = work.send(None)
        assert [len(segment.ids) for segment in request.segments] == [1]  # type: ignore[union-attr]
        ((logits_1V,),) = compute(BASE.model, [request])  # type: ignore[list-item]
        rows.append(logits_1V)
    assert torch.allclose(torch.cat(rows), whole_RV[14:22], rtol=1e-5, atol=1e-5)


def test_greedy_answers_are_those_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(**{**CONFIG.to_hf(), "eos_token_id": EOS_ID, "bos_token_id": None})
    theirs = transformers.LlamaForCausalLM(config).eval()
    theirs.load_state_dict(BASE.model.weights, strict=False)
    theirs.tie_weights()
    lengths = set()
    for seed in range(6):
        prompt = torch.randint(
            0, CONFIG.vocab_size, (1, 5 + seed), generator=torch.Generator().manual_seed(seed)
        )
        wanted = theirs.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=20, do_sample=False, pad_token_id=0
        )
        spec = sampling_spec(policy=ar_policy(), answer_tokens=20)
        work = sample_canvas(
            BASE, None, Canvas(prompt=tuple(prompt[0].tolist()), seed=0, begin=None, size=None), 0, spec
        )
        _, answer = run_alone(work, BASE.model)
        assert list(answer.canvas_ids) == wanted[0, prompt.shape[1] :].tolist()
        lengths.add(answer.canvas_ids)
    assert len(lengths) > 1


def test_an_answer_stops_at_eos_or_at_its_length() -> None:
    tokens = iter([20, 21, EOS_ID, 22, 23])
    spec = sampling_spec(policy=ar_policy(), answer_tokens=5)
    work = sample_canvas(BASE, None, Canvas(prompt=(7, 8), seed=1, begin=None, size=None), 4, spec)
    frames, answer, requests = run_work(work, lambda segment, rows: peaked([next(tokens)]))
    assert (answer.ids, answer.canvas_ids, answer.text) == ((20, 21), (20, 21, EOS_ID), "20 21")
    assert (answer.stopped, answer.iterations, answer.canvas, len(requests)) == ("eos", 3, 4, 3)
    assert [frame.answer for frame in frames] == [(20,), (20, 21), (20, 21, EOS_ID)]
    assert [(edit.position, edit.old, edit.new, edit.kept) for frame in frames for edit in frame.edits] == [
        (0, MASK_ID, 20, True),
        (1, MASK_ID, 21, True),
        (2, MASK_ID, EOS_ID, True),
    ]

    work = sample_canvas(
        BASE,
        None,
        Canvas(prompt=(7, 8), seed=1, begin=None, size=None),
        0,
        sampling_spec(policy=ar_policy(), answer_tokens=2),
    )
    _, answer, _ = run_work(work, lambda segment, rows: peaked([20]))
    assert (answer.stopped, answer.ids) == ("length", (20, 20))


def test_prompt_and_answer_may_fill_every_position() -> None:
    spec = sampling_spec(policy=ar_policy(), answer_tokens=6, draw=NO_EOS)
    _, answer = run_alone(
        sample_canvas(BASE, None, Canvas(prompt=(1,) * 90, seed=1, begin=None, size=None), 0, spec),
        BASE.model,
    )
    assert len(answer.ids) == 6
