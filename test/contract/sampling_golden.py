"""Writes the golden files of what samplers draw, choose and commit; Python and TypeScript both read them.

    PYTHONPATH=runtime python test/contract/sampling_golden.py

64-bit integers are strings, −∞ is null, `masked` and `kept` list positions.
A change of a file is a change of every seeded run: it needs a reason and a line in the
CHANGELOG.
"""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lad_runtime.torch_backend.sampling.draw import draw, entropies
from lad_runtime.method.policies.llada import Llada
from lad_runtime.method.random import Purpose, uniforms
from lad_runtime.method.policies.policy import (
    AnswerState,
    Policy,
    Sampled,
    llada_budget,
    remask_share,
    share_count,
)
from lad_runtime.method.policies.refine import Refine
from lad_runtime.method.policies.remask import Remask
from lad_runtime.types.sampling import DrawSpec, LladaSpec, RemaskSpec

FOLDER = Path(__file__).parent
MASK_ID, EOS_ID, VOCAB_SIZE = 5, 2, 40
MAX_UINT64 = 2**64 - 1

REMASKS = {
    "paper": RemaskSpec(),
    "demo": RemaskSpec(sharpness=1.0, noise_start=0.5, positions="confidence"),
    "linear clusters": RemaskSpec(schedule="linear", positions="clustered", cluster_span=3),
    "editable": RemaskSpec(
        sharpness=2.0,
        positions="confidence",
        retention="editable",
        min_guidance_weight=0.3,
    ),
    "locked": RemaskSpec(schedule="linear", noise_start=0.7, positions="random", retention="locked"),
    "locked clusters": RemaskSpec(sharpness=0.001, positions="clustered", retention="locked"),
}
LLADAS = {
    "one block": (LladaSpec(), 6),
    "blocks": (LladaSpec(block_tokens=5), 8),
    "without EOS": (LladaSpec(block_tokens=7, eos_confidence_off=True), 40),
}
DRAWS = {
    "greedy": DrawSpec(),
    "greedy, filtered": DrawSpec(confidence="filtered"),
    "warm": DrawSpec(temperature=0.8),
    "top-k": DrawSpec(temperature=1.5, top_k=3),
    "top-p": DrawSpec(temperature=1.0, top_p=0.6),
    "both, filtered": DrawSpec(temperature=2.0, top_k=8, top_p=0.9, confidence="filtered"),
    "more EOS": DrawSpec(temperature=1.0, eos_bias=1.5),
    "no EOS": DrawSpec(temperature=1.0, eos_bias=-math.inf),
}


def made_up(seed: int, iteration: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Token ids (EOS and the mask token among them) and float32 confidences (equal ones among them) of one prediction."""
    numbers = uniforms(seed, Purpose.NOISE, 0, iteration, 2 * count)
    ids = np.floor(numbers[:count] * 12).astype(np.int64)
    confidences = (np.floor(numbers[count:] * 20) / 19).astype(np.float32).astype(np.float64)
    return ids, confidences


def run(policy: Policy, seed: int, count: int) -> dict[str, Any]:
    """Every step of a policy over made-up predictions."""
    state = AnswerState.all_masked(count, MASK_ID)
    steps = []
    for iteration in range(policy.iterations):
        ids, confidences = made_up(seed, iteration, count)
        predicted = policy.predicted(state, iteration)
        sampled = Sampled(
            ids_N=np.where(predicted, ids, state.ids_N),
            confidences_N=np.where(predicted, confidences, state.confidences_N),
        )
        chosen = policy.choose(
            state,
            sampled,
            policy.schedule(state, iteration, iteration == policy.iterations - 1),
            iteration,
        )
        state = policy.commit(state, sampled, chosen)
        steps.append(
            {
                "prediction": {
                    "ids": ids.tolist(),
                    "confidences": confidences.tolist(),
                },
                "sampled": sampled.ids_N.tolist(),
                "next": {
                    "ids": state.ids_N.tolist(),
                    "masked": np.flatnonzero(state.masked_N).tolist(),
                    "kept": np.flatnonzero(state.kept_N).tolist(),
                    "confidences": state.confidences_N.tolist(),
                },
            }
        )
    return {
        "seed": str(seed),
        "iterations": policy.iterations,
        "positions": count,
        "steps": steps,
    }


def remask_policy(spec: RemaskSpec) -> dict[str, Any]:
    return {
        "schedule": spec.schedule,
        "sharpness": spec.sharpness,
        "noiseStart": spec.noise_start,
        "positions": spec.positions,
        "minGuidanceWeight": spec.min_guidance_weight,
        "clusterSpan": spec.cluster_span,
        "retention": spec.retention,
        "maskTokenId": MASK_ID,
        "eosTokenId": EOS_ID,
    }


def remask_golden() -> dict[str, Any]:
    schedules = [
        {
            "policy": remask_policy(spec),
            "iterations": iterations,
            "positions": positions,
            "shares": [remask_share(spec, i, iterations) for i in range(iterations)],
            "counts": [share_count(remask_share(spec, i, iterations), positions) for i in range(iterations)],
        }
        for spec in REMASKS.values()
        for iterations, positions in ((1, 8), (10, 10), (32, 256), (49, 49))
    ]
    runs: list[dict[str, Any]] = []
    for index, (name, spec) in enumerate(REMASKS.items()):
        seed = MAX_UINT64 - index
        policy = Remask(
            spec=spec,
            iterations=6,
            seed=seed,
            stop_token_ids=(EOS_ID,),
            mask_token_id=MASK_ID,
        )
        runs.append(
            {
                "name": name,
                "mode": "remask",
                "policy": remask_policy(spec),
                **run(policy, seed, 23),
            }
        )
    runs.append({"name": "refine", "mode": "refine", **run(Refine(iterations=3), 11, 9)})
    for name, (llada, iterations) in LLADAS.items():
        fixed = Llada(spec=llada, answer_tokens=17, max_iterations=iterations, stop_token_ids=(EOS_ID,))
        settings = {
            "blockTokens": llada.block_tokens,
            "maxIterations": iterations,
            "eosConfidenceOff": llada.eos_confidence_off,
            "eosTokenId": EOS_ID,
        }
        runs.append({"name": name, "mode": "llada", "policy": settings, **run(fixed, 3, 17)})
    budgets = [
        {
            "answerTokens": tokens,
            "blockTokens": block,
            "iterations": iterations,
            "steps": [
                {"start": step.start, "stop": step.stop, "count": step.count}
                for step in llada_budget(tokens, block, iterations)
            ],
        }
        for tokens, block, iterations in (
            (3, 0, 3),
            (512, 32, 256),
            (10, 4, 7),
            (10, 4, 99),
            (5, 5, 1),
            (7, 100, 2),
        )
    ]
    return {
        "maskTokenId": MASK_ID,
        "schedules": schedules,
        "budgets": budgets,
        "runs": runs,
    }


def draw_golden() -> dict[str, Any]:
    rows = 12
    # Multiples of ⅛: exact in both languages, with ties at the top and everywhere else.
    numbers = uniforms(1, Purpose.NOISE, 0, 0, rows * VOCAB_SIZE, lane=9).reshape(rows, VOCAB_SIZE)
    logits_RV = (torch.floor(numbers * 64) / 8 - 4).float()
    cases = []
    for index, (name, spec) in enumerate(DRAWS.items()):
        drawn = draw(
            logits_RV,
            spec,
            stop_token_ids=(EOS_ID,),
            seed=index,
            iteration=index,
            positions_R=np.arange(rows),
        )
        settings = {
            "temperature": spec.temperature,
            "topK": spec.top_k,
            "topP": spec.top_p,
            "confidence": spec.confidence,
            "eosBias": None if spec.eos_bias == -math.inf else spec.eos_bias,
            "eosTokenId": EOS_ID,
        }
        cases.append(
            {
                "name": name,
                "seed": str(index),
                "iteration": index,
                "draw": settings,
                "ids": drawn.ids_R.tolist(),
                "confidences": drawn.confidences_R.tolist(),
            }
        )
    return {
        "logits": logits_RV.tolist(),
        "entropies": entropies(logits_RV).tolist(),
        "cases": cases,
    }


def restored(settings: dict[str, Any]) -> DrawSpec:
    """The specification that a case of draw.json was made with."""
    bias = -math.inf if settings["eosBias"] is None else settings["eosBias"]
    return replace(
        DrawSpec(),
        temperature=settings["temperature"],
        top_k=settings["topK"],
        top_p=settings["topP"],
        confidence=settings["confidence"],
        eos_bias=bias,
    )


def written(golden: dict[str, Any]) -> str:
    """One line for each entry of each list, so that a change shows where it is."""
    parts = []
    for key, value in golden.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(entry) for entry in value)
            parts.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    (FOLDER / "remask.json").write_text(written(remask_golden()), encoding="utf-8")
    (FOLDER / "draw.json").write_text(written(draw_golden()), encoding="utf-8")
