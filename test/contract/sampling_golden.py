"""Writes the golden files of what samplers draw, choose and commit; Python and TypeScript both read them.

    PYTHONPATH=runtime:test/runtime/support python test/contract/sampling_golden.py

64-bit integers are strings, −∞ is null, `masked` and `kept` list positions.
A change of a file is a change of every seeded run: it needs a reason and a line in the
CHANGELOG.
"""

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.open_positions import open_positions, sampled_at, state_at, with_open
from lad_runtime.method.policies.llada import LladaPolicy, llada_budget
from lad_runtime.method.policies.policy import AnswerCanvas, DenoisingPolicy
from lad_runtime.method.policies.refine import RefinePolicy
from lad_runtime.method.policies.remask import RemaskPolicy, remask_share, share_count
from lad_runtime.method.random import CanvasKey, Purpose, uniforms
from lad_runtime.torch_backend.sampling.draw import draw, entropies
from lad_runtime.types.sampling import DrawSpec
from sampling_specs import (
    answer_canvas,
    draw_spec,
    editing_policy,
    entropy_bound_policy,
    llada_policy,
    refine_policy,
    remask_policy,
    revoking_policy,
    threshold_policy,
)

FOLDER = Path(__file__).parent
MASK_ID, EOS_ID, VOCAB_SIZE = 5, 2, 40
MAX_UINT64 = 2**64 - 1

REMASKS: dict[str, dict[str, Any]] = {
    "paper": {},
    "demo": {"sharpness": 1.0, "noise_start": 0.5, "positions": "confidence"},
    "linear clusters": {"schedule": "linear", "positions": "clustered", "cluster_span": 3},
    "editable": {
        "sharpness": 2.0,
        "positions": "confidence",
        "retention": "editable",
        "min_guidance_weight": 0.3,
    },
    "locked": {"schedule": "linear", "noise_start": 0.7, "positions": "random", "retention": "locked"},
    "locked clusters": {"sharpness": 0.001, "positions": "clustered", "retention": "locked"},
}
LLADAS = {
    "one block": llada_policy(iterations=6),
    "blocks": llada_policy(block_tokens=5, iterations=8),
    "without EOS": llada_policy(block_tokens=7, eos_confidence_off=True, iterations=40),
}
OTHERS: dict[str, DenoisingPolicy] = {
    "threshold": threshold_policy(iterations=12, confidence=0.8),
    "threshold, blocks": threshold_policy(iterations=9, confidence=0.5, block_tokens=4),
    "threshold, cut off": threshold_policy(iterations=3, confidence=1.0),
    "threshold, factor": threshold_policy(iterations=20, factor=1.2),
    "editing": editing_policy(iterations=9, confidence=0.7, edit_confidence=0.6),
    "editing, twice a position": editing_policy(iterations=20, confidence=0.9, edit_confidence=0.2, edits=2),
    "editing, once or never": editing_policy(iterations=6, confidence=0.0, edit_confidence=0.9, edits=1),
    "revoking": revoking_policy(iterations=24, confidence=0.4, keep_confidence=0.7),
    "entropy-bound": entropy_bound_policy(iterations=6),
    "entropy-bound, wide": entropy_bound_policy(iterations=7, bound=0.9, anneal=False),
    "entropy-bound, stable": entropy_bound_policy(iterations=9, stable_forwards=1, stable_entropy=0.12),
    "revoking, cut off": revoking_policy(iterations=4, confidence=0.6, keep_confidence=1.0),
}
INFILLINGS: dict[str, DenoisingPolicy] = {
    **{
        name: remask_policy(iterations=6, **REMASKS[name])
        for name in ("paper", "demo", "editable", "locked clusters")
    },
    "refine": refine_policy(iterations=3),
    "blocks": LLADAS["blocks"],
    **{
        name: OTHERS[name]
        for name in (
            "threshold",
            "threshold, blocks",
            "editing",
            "revoking",
            "entropy-bound",
            "entropy-bound, stable",
        )
    },
}
DRAWS = {
    "greedy": draw_spec(allow_mask=True),
    "greedy, filtered": draw_spec(confidence="filtered", allow_mask=True),
    "warm": draw_spec(temperature=0.8, allow_mask=True),
    "top-k": draw_spec(temperature=1.5, top_k=3, allow_mask=True),
    "top-p": draw_spec(temperature=1.0, top_p=0.6, allow_mask=True),
    "both, filtered": draw_spec(temperature=2.0, top_k=8, top_p=0.9, confidence="filtered", allow_mask=True),
    "more EOS": draw_spec(temperature=1.0, eos_bias=1.5, allow_mask=True),
    "no EOS": draw_spec(temperature=1.0, eos_bias=-math.inf, allow_mask=True),
    "no MASK": draw_spec(temperature=1.0),
    "no MASK, greedy": draw_spec(),
}


def made_up(seed: int, iteration: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Token ids (EOS and the mask token among them) and float32 confidences (equal ones among them) of one prediction."""
    numbers = uniforms(seed, Purpose.NOISE, 0, iteration, 2 * count)
    ids = np.floor(numbers[:count] * 12).astype(np.int64)
    confidences = (np.floor(numbers[count:] * 20) / 19).astype(np.float32).astype(np.float64)
    return ids, confidences


def also_made_up(seed: int, iteration: int, policy: DenoisingPolicy, count: int) -> dict[str, np.ndarray]:
    """The entropies (equal ones and a zero among them) and standing probabilities that the policy uses, float32."""
    numbers = np.floor(uniforms(seed, Purpose.NOISE, 1, iteration, 2 * count) * 16) / 15
    values = numbers.astype(np.float32).astype(np.float64)
    used = {
        "entropies": (values[:count] / 4, policy.uses_entropies),
        "standing": (values[count:], policy.uses_standing),
    }
    return {name: found for name, (found, is_used) in used.items() if is_used}


def canvas_of(tokens: int, seed: int = 0, canvas: int = 0, pads: tuple[int, ...] = ()) -> AnswerCanvas:
    return answer_canvas(
        tokens,
        seed=seed,
        canvas=canvas,
        mask_token_id=MASK_ID,
        stop_token_ids=(EOS_ID,),
        pad_token_ids=pads,
    )


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Text that an answer begins with, by position: it stays where it is pinned, and may change where it is drafted."""

    pinned: dict[int, int]
    drafted: dict[int, int]

    def state(self, count: int) -> AnswerState:
        state = AnswerState.all_masked(count, MASK_ID)
        for position, token in {**self.pinned, **self.drafted}.items():
            state.ids_N[position], state.masked_N[position], state.confidences_N[position] = token, False, 1.0
        return state

    def written(self, count: int) -> dict[str, Any]:
        state = self.state(count)
        return {
            "ids": state.ids_N.tolist(),
            "masked": np.flatnonzero(state.masked_N).tolist(),
            "pinned": sorted(self.pinned),
        }


EMPTY = Beginning(pinned={}, drafted={})
INFILLING = Beginning(
    pinned={0: 7, 1: MASK_ID, 2: 9, 9: 8, 10: EOS_ID, 20: EOS_ID}, drafted={5: 6, 6: 11, 14: 4}
)
"""Among its pins are the mask token as text and stop tokens."""


def run(
    policy: DenoisingPolicy,
    seed: int,
    count: int,
    canvas: int = 0,
    begin: Beginning = EMPTY,
    pads: tuple[int, ...] = (),
) -> dict[str, Any]:
    """Every step of a policy over made-up predictions."""
    state = begin.state(count)
    pinned_N = np.isin(np.arange(count), list(begin.pinned))
    open_N = open_positions(state, pinned_N, changes_visible=policy.changes_visible)
    acts = policy.denoising(canvas_of(int(open_N.sum()), seed, canvas, pads))
    steps = []
    for iteration in range(acts.iterations):
        opened = state_at(state, open_N)
        ids, confidences = made_up(seed, iteration, count)
        predicted = np.zeros(count, dtype=np.bool_)
        predicted[open_N] = acts.predicted(opened, iteration)
        if not predicted.any():
            break
        more = also_made_up(seed, iteration, policy, count)
        sampled = replace(
            Sampled.nothing(state),
            ids_N=np.where(predicted, ids, state.ids_N),
            confidences_N=np.where(predicted, confidences, state.confidences_N),
            **{f"{name}_N": values for name, values in more.items()},
        )
        seen = sampled_at(sampled, open_N)
        done = acts.finished(opened, seen, iteration)
        last = done or iteration == acts.iterations - 1
        chosen = acts.choose(opened, seen, acts.schedule(opened, seen, iteration, last), iteration)
        state = with_open(state, open_N, acts.commit(opened, seen, chosen))
        answer = np.where(state.masked_N, sampled.ids_N, state.ids_N)
        steps.append(
            {
                "prediction": {
                    "ids": ids.tolist(),
                    "confidences": confidences.tolist(),
                    **{name: values.tolist() for name, values in more.items()},
                },
                "sampled": answer.tolist(),
                "next": {
                    "ids": state.ids_N.tolist(),
                    "masked": np.flatnonzero(state.masked_N).tolist(),
                    "kept": np.flatnonzero(state.kept_N).tolist(),
                    "confidences": state.confidences_N.tolist(),
                    **({"memory": list(state.memory)} if state.memory else {}),
                },
            }
        )
        if done:
            break
        open_N = open_positions(state, pinned_N, changes_visible=policy.changes_visible)
    return {
        "seed": str(seed),
        **({"canvas": canvas} if canvas else {}),
        **({"padTokenIds": list(pads)} if pads else {}),
        "iterations": acts.iterations,
        "positions": count,
        **({} if begin is EMPTY else {"begin": begin.written(count)}),
        "steps": steps,
    }


def remask_settings(spec: RemaskPolicy) -> dict[str, Any]:
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


def named(name: str, policy: DenoisingPolicy) -> dict[str, Any]:
    """What says which policy a run is of."""
    head = {"name": name, "mode": policy.kind}
    if isinstance(policy, RefinePolicy):
        return head
    if isinstance(policy, RemaskPolicy):
        return {**head, "policy": remask_settings(policy)}
    if isinstance(policy, LladaPolicy):
        settings = {
            "blockTokens": policy.block_tokens,
            "maxIterations": policy.iterations,
            "eosConfidenceOff": policy.eos_confidence_off,
            "eosTokenId": EOS_ID,
        }
        return {**head, "policy": settings}
    options = {camel_case(key): value for key, value in asdict(policy).items() if key != "kind"}
    return {**head, "policy": options}


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def remask_golden() -> dict[str, Any]:
    schedules = [
        {
            "policy": remask_settings(spec),
            "iterations": iterations,
            "positions": positions,
            "shares": [remask_share(spec, i) for i in range(iterations)],
            "counts": [share_count(remask_share(spec, i), positions) for i in range(iterations)],
        }
        for options in REMASKS.values()
        for iterations, positions in ((1, 8), (10, 10), (32, 256), (49, 49))
        for spec in (remask_policy(iterations=iterations, **options),)
    ]
    runs: list[dict[str, Any]] = []
    for index, (name, options) in enumerate(REMASKS.items()):
        spec = remask_policy(iterations=6, **options)
        runs.append({**named(name, spec), **run(spec, MAX_UINT64 - index, 23)})
    runs.append({**named("refine", refine_policy(iterations=3)), **run(refine_policy(iterations=3), 11, 9)})
    for name, llada in LLADAS.items():
        runs.append({**named(name, llada), **run(llada, 3, 17)})
    for name, other in OTHERS.items():
        runs.append({**named(name, other), **run(other, 5, 19)})
    numbered = remask_policy(iterations=6)
    runs.append({**named("a numbered canvas", numbered), **run(numbered, 0, 23, canvas=4095)})
    for name, infilling in INFILLINGS.items():
        runs.append({**named(f"{name}, pinned", infilling), **run(infilling, 7, 23, begin=INFILLING)})
    guided = remask_policy(iterations=6, positions="confidence")
    runs.append({**named("by confidence, pad tokens", guided), **run(guided, 8, 23, pads=(7, 9))})
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
    logits_RV = torch.from_numpy(np.floor(numbers * 64) / 8 - 4).float()
    cases = []
    for index, (name, spec) in enumerate(DRAWS.items()):
        drawn = draw(
            logits_RV,
            spec,
            tokens=canvas_of(rows),
            key=CanvasKey(seed=index, canvas=0),
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
            **({} if spec.allow_mask else {"maskTokenId": MASK_ID}),
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
    return draw_spec(
        temperature=settings["temperature"],
        top_k=settings["topK"],
        top_p=settings["topP"],
        confidence=settings["confidence"],
        eos_bias=bias,
        allow_mask="maskTokenId" not in settings,
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
