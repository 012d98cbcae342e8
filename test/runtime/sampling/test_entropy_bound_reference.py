"""`entropy-bound` against the diffusers library: its `EntropyBoundScheduler`, and the stop of the pipeline that samples with it.

The scheduler takes entropies at the temperature of its draws and replaces rejected positions by random tokens; `entropy-bound`
takes them at temperature 1 and masks those positions again. So positions are compared where both temperatures are 1.
"""

from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.policies.entropy_bound import annealed_temperature
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.draw import entropies, filtered_probabilities
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.types.sampling import Canvas
from sampling_helpers import MASK_ID, VOCAB_SIZE, answered, run_work, small_base
from sampling_specs import answer_canvas, draw_spec, entropy_bound_policy, sampling_spec

POSITIONS = 24


@pytest.fixture(scope="module")
def diffusers() -> ModuleType:
    return pytest.importorskip(
        "diffusers", reason="diffusers, of the requirements for development, is not installed"
    )


def logits(seed: int) -> Tensor:
    """Of positions between sure and unsure: [N, V]."""
    generator = torch.Generator().manual_seed(seed)
    sharpness_N1 = torch.rand((POSITIONS, 1), generator=generator) * 12
    return torch.randn((POSITIONS, VOCAB_SIZE), generator=generator) * sharpness_N1


def bounds_between(entropies_N: np.ndarray) -> list[float]:
    """Bounds that accept 1, 2, … of the positions: each half way between two sums, where float32 cannot decide otherwise."""
    rising_N = np.sort(entropies_N)
    sums_N = np.cumsum(rising_N) - rising_N
    return ((sums_N[1:] + sums_N[:-1]) / 2)[np.diff(sums_N) > 1e-3].tolist()


@pytest.mark.parametrize("seed", range(8))
def test_it_accepts_the_positions_that_the_scheduler_accepts(diffusers: ModuleType, seed: int) -> None:
    logits_NV = logits(seed)
    state = AnswerState.all_masked(POSITIONS, MASK_ID)
    entropies_N = entropies(logits_NV).numpy().astype(np.float64)
    sampled = Sampled(
        ids_N=logits_NV.argmax(-1).numpy(),
        confidences_N=np.zeros(POSITIONS),
        entropies_N=entropies_N,
        standing_N=np.zeros(POSITIONS),
    )
    bounds = bounds_between(entropies_N)
    assert len(bounds) > 12
    counts = []
    for bound in bounds:
        acts = entropy_bound_policy(bound=bound).denoising(answer_canvas(POSITIONS))
        count = acts.schedule(state, sampled, 0, False)
        after = acts.commit(state, sampled, acts.choose(state, sampled, count, 0))
        scheduler = diffusers.EntropyBoundScheduler(entropy_bound=bound, t_max=1.0, t_min=1.0)
        step = scheduler.step(logits_NV[None], 0, torch.from_numpy(state.ids_N)[None])
        assert (~after.masked_N).tolist() == step.accepted_index[0].tolist()
        counts.append(count)
    assert counts == sorted(set(counts))


@pytest.mark.parametrize(("start", "end"), [(0.8, 0.4), (1.0, 0.1), (0.3, 0.9)])
def test_it_draws_from_the_schedulers_distribution_in_every_iteration(
    diffusers: ModuleType, start: float, end: float
) -> None:
    logits_NV = logits(0)
    policy = entropy_bound_policy(iterations=7, temperature_start=start, temperature_end=end)
    scheduler = diffusers.EntropyBoundScheduler(t_max=start, t_min=end, num_inference_steps=7)
    for iteration in range(7):
        step = scheduler.step(logits_NV[None], iteration, torch.zeros((1, POSITIONS), dtype=torch.long))
        spec = draw_spec(temperature=annealed_temperature(policy, iteration))
        torch.testing.assert_close(
            filtered_probabilities(logits_NV, spec).float(), step.pred_logits[0].softmax(-1)
        )


class ScriptedModel(torch.nn.Module):
    """What the pipeline asks of its model; the i-th forward has the logits forwards[i]."""

    device = torch.device("cpu")

    def __init__(self, forwards: list[Tensor]) -> None:
        from transformers import LlamaConfig

        super().__init__()
        self.calls = 0
        self.forwards = forwards
        self.config = LlamaConfig(vocab_size=VOCAB_SIZE, num_hidden_layers=1, canvas_length=len(forwards[0]))
        self.model = SimpleNamespace(
            encoder=lambda **_: None,
            decoder=SimpleNamespace(create_diffusion_decoder_attention_mask=lambda **_: None),
        )

    def forward(self, **_: Any) -> SimpleNamespace:
        self.calls += 1
        return SimpleNamespace(logits=self.forwards[self.calls - 1][None])


class TwoTokenPrompt:
    def apply_chat_template(self, *_: Any, **__: Any) -> dict[str, Tensor]:
        return {"input_ids": torch.zeros((1, 2), dtype=torch.long)}


def forwards_of_the_pipeline(diffusers: ModuleType, forwards: list[Tensor], stable: int, sure: float) -> int:
    model = ScriptedModel(forwards)
    pipeline = diffusers.DiffusionGemmaPipeline(
        model=model,
        scheduler=diffusers.EntropyBoundScheduler(t_max=1.0, t_min=1.0),
        processor=TwoTokenPrompt(),
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline(
        prompt="",
        gen_length=len(forwards[0]),
        num_inference_steps=len(forwards),
        stability_threshold=stable,
        confidence_threshold=sure,
        output_type="seq",
    )
    return model.calls


def forwards_of_ours(forwards: list[Tensor], stable: int, sure: float) -> int:
    calls = iter(forwards)

    def model(segment: Segment, rows_R: Tensor) -> Tensor:
        return next(calls)

    policy = entropy_bound_policy(
        iterations=len(forwards), anneal=False, stable_forwards=stable + 1, stable_entropy=sure
    )
    spec = sampling_spec(policy=policy, answer_tokens=len(forwards[0]), draw=draw_spec(allow_mask=True))
    canvas = Canvas(prompt=(7, 8), seed=0, begin=None, size=None)
    _, outcome, _ = run_work(sample_canvas(small_base(), None, canvas, 0, spec), model)
    return answered(outcome).iterations


def forwards_with(answers: list[int], heights: list[float]) -> list[Tensor]:
    """Forwards that find one of two answers most probable, and are the surer of it the greater their height."""
    found = []
    for answer, height in zip(answers, heights, strict=True):
        logits_NV = torch.zeros((5, VOCAB_SIZE))
        logits_NV[:, 20] = height
        if answer == 1:
            logits_NV[3, 30] = 2 * height
        found.append(logits_NV)
    return found


def test_it_stops_after_as_many_forwards_as_the_pipeline(diffusers: ModuleType) -> None:
    """One forward in a row that is like the one before is two with the same answer."""
    numbers = np.random.default_rng(0)
    seen = set()
    for _ in range(12):
        forwards = forwards_with(
            numbers.integers(0, 2, 9).tolist(), numbers.choice([5.0, 9.0, 12.0], 9).tolist()
        )
        for stable in (1, 2):
            for sure in (0.005, 0.1):
                ours = forwards_of_ours(forwards, stable, sure)
                assert ours == forwards_of_the_pipeline(diffusers, forwards, stable, sure)
                seen.add(ours)
    assert {2, 3, 4, 5, 9} <= seen
