"""The golden files that both languages read are what the worker draws, chooses and commits."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lad_runtime.method.policies.policy import DenoisingPolicy
from lad_runtime.method.policy import POLICIES
from lad_runtime.method.random import CanvasKey
from lad_runtime.torch_backend.sampling.draw import draw

CONTRACT = Path(__file__).parents[2] / "contract"
sys.path.insert(0, str(CONTRACT))

import sampling_golden  # noqa: E402

DRAWS = json.loads((CONTRACT / "draw.json").read_text(encoding="utf-8"))


def test_remask_json_is_what_the_policies_do() -> None:
    written = json.loads((CONTRACT / "remask.json").read_text(encoding="utf-8"))
    made = json.loads(json.dumps(sampling_golden.remask_golden()))
    for golden, ours in zip(written.pop("schedules"), made.pop("schedules"), strict=True):
        assert ours.pop("shares") == pytest.approx(golden.pop("shares"), rel=1e-14)  # libm's last bit
        assert ours == golden
    assert made == written


def test_every_denoising_policy_has_a_golden_run_from_nothing_and_one_around_pins() -> None:
    denoising = {kind for kind, policy in POLICIES.items() if issubclass(policy, DenoisingPolicy)}
    runs = json.loads((CONTRACT / "remask.json").read_text(encoding="utf-8"))["runs"]
    assert {run["mode"] for run in runs if "begin" not in run} == denoising
    assert {run["mode"] for run in runs if "begin" in run} == denoising


@pytest.mark.parametrize("case", DRAWS["cases"], ids=lambda case: case["name"])
def test_draw_json_is_what_is_drawn(case: dict) -> None:  # type: ignore[type-arg]
    logits_RV = torch.tensor(DRAWS["logits"])
    drawn = draw(
        logits_RV,
        sampling_golden.restored(case["draw"]),
        tokens=sampling_golden.canvas_of(len(logits_RV)),
        key=CanvasKey(seed=int(case["seed"]), canvas=0),
        iteration=case["iteration"],
        positions_R=np.arange(len(logits_RV)),
    )
    assert drawn.ids_R.tolist() == case["ids"]
    assert drawn.confidences_R.tolist() == pytest.approx(case["confidences"], rel=1e-6)
