"""What requests are said to need is what they come to hold."""

from dataclasses import replace
from typing import Any

import pytest

from lad_runtime.torch_backend.memory.needs import cache_bytes
from lad_runtime.torch_backend.model.kv_cache import LivingCaches
from lad_runtime.torch_backend.sampling.needs import sampling_bytes
from lad_runtime.torch_backend.sampling.predict import predict, prediction_bytes
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.types.sampling import Canvas, PredictCanvas, SamplingSpec
from sampling_helpers import run_together, small_base, trained_adapter
from sampling_specs import ar_policy, draw_spec, llada_policy, predict_spec, refine_policy, sampling_spec

NO_EOS = draw_spec(eos_bias=-float("inf"))
SPECS = {
    "full": sampling_spec(policy=refine_policy(iterations=2), answer_tokens=6),
    "ar": sampling_spec(policy=ar_policy(), answer_tokens=6, draw=NO_EOS),
    "prefix": sampling_spec(policy=refine_policy(iterations=2), answer_tokens=6, attention="prefix"),
    "two canvases": sampling_spec(
        policy=refine_policy(iterations=2), answer_tokens=6, canvas_tokens=4, attention="prefix", draw=NO_EOS
    ),
    "four canvases": sampling_spec(
        policy=refine_policy(iterations=2),
        answer_tokens=7,
        canvas_tokens=2,
        attention="causal-prefix",
        draw=NO_EOS,
    ),
    "guided": sampling_spec(
        policy=llada_policy(iterations=2, guidance_scale=1.0, block_tokens=3),
        answer_tokens=6,
        canvas_tokens=3,
        attention="causal-prefix",
        draw=NO_EOS,
    ),
}


@pytest.fixture
def peak(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The most bytes of caches that lived at once, in its only element."""
    most, add = [0], LivingCaches._add

    def added(self: LivingCaches, nbytes: int) -> None:
        add(self, nbytes)
        most[0] = max(most[0], self.nbytes)

    monkeypatch.setattr(LivingCaches, "_add", added)
    return most


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
@pytest.mark.parametrize("adapted", [False, True])
def test_a_requests_canvases_hold_as_many_keys_and_values_as_they_need(
    spec: SamplingSpec, adapted: bool, peak: list[int]
) -> None:
    base, adapter = small_base(), trained_adapter() if adapted else None
    prompts = [(7, 8, 9), (7, 8, 9), (8, 9), (9, 10, 11, 12)]
    canvases = [
        Canvas(prompt=prompt, seed=seed, begin=None, size=None) for seed, prompt in enumerate(prompts)
    ]
    run_together([sample_canvas(base, adapter, c, i, spec) for i, c in enumerate(canvases)], base.model)
    needed = sampling_bytes(base.model, canvases, spec)
    assert needed * 3 // 4 <= peak[0] <= needed


def test_a_prediction_holds_no_more_keys_and_values_than_it_needs(peak: list[int]) -> None:
    base = small_base()
    canvases = [PredictCanvas(ids=(7, 8, 9 + n, 10), answer_start=3, seed=0, stop_from=0) for n in range(4)]
    spec = predict_spec(mode="causal-prefix")
    run_together([predict(base, None, canvases, spec)], base.model)
    assert peak[0] == prediction_bytes(base.model, canvases, spec) == cache_bytes(base.model, 12)
    assert prediction_bytes(base.model, canvases, replace(spec, mode="full")) == 0


def test_caches_are_counted_while_they_live() -> None:
    model = small_base().model
    held: Any = [model.cache(3), model.cache(5)]
    assert model.caches.nbytes == cache_bytes(model, 8)
    held.pop()
    assert model.caches.nbytes == cache_bytes(model, 3)
