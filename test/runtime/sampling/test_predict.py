"""The primitive `predict`: a sampler's iteration on its own, with which the built-in runs can be written again."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lad_runtime.errors import LadError
from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.policies.policy import DenoisingPolicy
from lad_runtime.torch_backend.sampling import predict as predicting
from lad_runtime.torch_backend.sampling.predict import check_prediction, predict
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.types.sampling import Canvas, PredictCanvas, SamplingSpec
from sampling_helpers import EOS_ID, MASK_ID, VOCAB_SIZE, run_alone, run_work, small_base, trained_adapter
from sampling_specs import (
    answer_canvas,
    draw_spec,
    llada_policy,
    predict_spec,
    refine_policy,
    remask_policy,
    sampling_spec,
)

BASE = small_base()
ADAPTER = trained_adapter()
WARM = draw_spec(temperature=0.9, top_k=20)


@pytest.mark.parametrize(
    "spec",
    [
        sampling_spec(policy=refine_policy(iterations=5, early_stop=False), answer_tokens=9, draw=WARM),
        sampling_spec(
            policy=remask_policy(
                iterations=6, early_stop=False, positions="confidence", retention="locked", schedule="linear"
            ),
            answer_tokens=12,
            draw=WARM,
        ),
        sampling_spec(
            policy=llada_policy(iterations=5, block_tokens=4, guidance_scale=0.7),
            answer_tokens=10,
            draw=draw_spec(temperature=0.5, method="gumbel"),
        ),
    ],
    ids=lambda spec: spec.policy.kind,
)
def test_a_run_is_a_loop_of_predictions(spec: SamplingSpec) -> None:
    """Token for token and bit for bit, though `predict` computes every answer position and a run only those it needs."""
    prompt, seed = (7, 8, 9), 41
    frames, answer = run_alone(
        sample_canvas(BASE, ADAPTER, Canvas(prompt=prompt, seed=seed, begin=None, size=None), 0, spec),
        BASE.model,
    )

    whole = answer_canvas(
        spec.answer_tokens, seed=seed, mask_token_id=MASK_ID, stop_token_ids=BASE.info.stop_token_ids
    )
    assert isinstance(spec.policy, DenoisingPolicy)
    acts = spec.policy.denoising(whole)
    state = AnswerState.all_masked(spec.answer_tokens, MASK_ID)
    for iteration in range(acts.iterations):
        canvas = PredictCanvas(
            ids=(*prompt, *state.ids_N.tolist()), answer_start=len(prompt), seed=seed, stop_from=0
        )
        one = predict_spec(draw=spec.draw, iteration=iteration, guidance_scale=spec.policy.guidance)
        _, (prediction,) = run_alone(predict(BASE, ADAPTER, [canvas], one), BASE.model)
        predicted = acts.predicted(state, iteration)
        sampled = replace(
            Sampled.nothing(state),
            ids_N=np.where(predicted, prediction.ids, state.ids_N),
            confidences_N=np.where(predicted, prediction.confidences, state.confidences_N),
        )
        count = acts.schedule(state, sampled, iteration, iteration == acts.iterations - 1)
        state = acts.commit(state, sampled, acts.choose(state, sampled, count, iteration))
        assert tuple(sampled.ids_N.tolist()) == frames[iteration].answer
    assert tuple(state.ids_N.tolist()) == answer.canvas_ids


def test_a_prediction_carries_logits_entropies_and_the_most_probable_tokens() -> None:
    canvases = [
        PredictCanvas(ids=(7, 8, MASK_ID, MASK_ID, MASK_ID), answer_start=2, seed=1, stop_from=0),
        PredictCanvas(ids=(9, MASK_ID), answer_start=0, seed=2, stop_from=0),
    ]
    spec = predict_spec(draw=draw_spec(eos_bias=-math.inf), top=4, logits=True)
    _, predictions = run_alone(predict(BASE, ADAPTER, canvases, spec), BASE.model)
    for prediction, rows in zip(predictions, (3, 2), strict=True):
        logits_RV = torch.frombuffer(bytearray(prediction.logits), dtype=torch.float32).view(rows, VOCAB_SIZE)
        assert torch.isfinite(logits_RV).all()  # neither the bias nor MASK's is in them
        logits_RV[:, [EOS_ID, MASK_ID]] = -math.inf
        probabilities_RV = logits_RV.softmax(-1)
        assert prediction.ids == tuple(probabilities_RV.argmax(-1).tolist())
        top = probabilities_RV.topk(4)
        assert prediction.top_ids == tuple(top.indices.flatten().tolist())
        assert prediction.top_probabilities == pytest.approx(top.values.flatten().tolist(), rel=1e-5)
        assert prediction.confidences == pytest.approx(top.values[:, 0].tolist(), rel=1e-5)
        entropies = -(probabilities_RV * probabilities_RV.clamp_min(1e-30).log()).sum(-1)
        assert prediction.entropies == pytest.approx(entropies.tolist(), rel=1e-4)
        standing_R = torch.tensor(canvases[predictions.index(prediction)].ids[-rows:])
        wanted_R = probabilities_RV.gather(1, standing_R[:, None])[:, 0]
        assert prediction.standing == pytest.approx(wanted_R.tolist(), rel=1e-5)


def test_nothing_is_returned_that_was_not_asked_for() -> None:
    canvas = PredictCanvas(ids=(7, MASK_ID), answer_start=1, seed=1, stop_from=0)
    _, (prediction,) = run_alone(predict(BASE, None, [canvas], predict_spec()), BASE.model)
    assert (prediction.top_ids, prediction.top_probabilities, prediction.logits) == ((), (), b"")


def test_many_canvases_are_asked_for_in_requests_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    canvases = [
        PredictCanvas(ids=(7, 8, *[MASK_ID] * n), answer_start=2, seed=n, stop_from=0)
        for n in (1, 5, 9, 3, 30, 2)
    ]
    whole = run_alone(predict(BASE, ADAPTER, canvases, predict_spec(draw=WARM)), BASE.model)[1]
    monkeypatch.setattr(predicting, "REQUEST_TOKENS", 16)
    logits = torch.zeros(1, VOCAB_SIZE)
    _, _, requests = run_work(
        predict(BASE, ADAPTER, canvases, predict_spec(draw=WARM)),
        lambda segment, rows: logits.expand(len(rows), -1),
    )
    assert [request.tokens for request in requests] == [10, 16, 32, 4]
    assert run_alone(predict(BASE, ADAPTER, canvases, predict_spec(draw=WARM)), BASE.model)[1] == whole


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: PredictCanvas(ids=(1, 2), answer_start=2, seed=0, stop_from=0), "answerStart"),
        (lambda: predict_spec(iteration=-1), "iteration"),
        (lambda: predict_spec(guidance_scale=-1), "guidanceScale"),
        (lambda: check_prediction(BASE, [], predict_spec(top=VOCAB_SIZE + 1)), "top"),
        (
            lambda: check_prediction(
                BASE, [PredictCanvas(ids=(99,), answer_start=0, seed=0, stop_from=0)], predict_spec()
            ),
            "ids",
        ),
        (
            lambda: check_prediction(
                BASE, [PredictCanvas(ids=(1,) * 97, answer_start=0, seed=0, stop_from=0)], predict_spec()
            ),
            "ids",
        ),
    ],
)
def test_bad_input_is_refused_by_name_before_any_work(make: Any, option: str) -> None:
    with pytest.raises(LadError) as raised:
        make()
    assert raised.value.option == option
