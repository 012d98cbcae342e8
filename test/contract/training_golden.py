"""Writes the golden files of the random numbers and of what training makes of them; Python and TypeScript both read them.

    PYTHONPATH=runtime:test/runtime/support python test/contract/training_golden.py

64-bit integers are strings. A change of a file is a change of every seeded run: it needs a reason and a line in the CHANGELOG.
"""

import json
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from lad_runtime.method.data_order import batch, permutation
from lad_runtime.method.noises.draft import draft_seed, drafted
from lad_runtime.method.learning_rate import learning_rate
from lad_runtime.method.loss_targets import supervised_positions, targeted
from lad_runtime.method.noise import apply_noise
from lad_runtime.method.noises.drawing import Noise
from lad_runtime.torch_backend.scoring.likelihood_masks import likelihood_masks
from lad_runtime.method.random import Purpose, uniforms
from lad_runtime.method.random_split import seen_in
from lad_runtime.types.data import PreparedExample
from lad_runtime.types.early_stopping import ValidationWatch
from lad_runtime.types.training import LossSpec
from method_specs import (
    NoNoise,
    cover_noise,
    fixed_noise,
    lad_noise,
    loss_spec,
    mask_only_noise,
    own_draft_noise,
    schedule_spec,
    uniform_noise,
)

FOLDER = Path(__file__).parent
MASK_ID, EOS_ID, VOCAB_SIZE = 5, 2, 400
MAX_UINT64 = 2**64 - 1

# (counter, key, words) of the generator's published known-answer tests
KNOWN_ANSWERS = [
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def window(id: int, prompt: int, answer: int, tail: int) -> PreparedExample:
    """A window of distinct answer tokens that end with EOS; one of them is the mask token as ordinary text."""
    ids = (
        [10 + i for i in range(prompt)]
        + [100 + i for i in range(answer)]
        + [EOS_ID] * tail
    )
    ids[prompt + answer - 1] = EOS_ID
    if answer > 4:
        ids[prompt + 2] = MASK_ID
    return PreparedExample(
        id=id,
        ids=tuple(ids),
        answer=(False,) * prompt + (True,) * (answer + tail),
        tail=(False,) * (prompt + answer) + (True,) * tail,
    )


def turns() -> PreparedExample:
    """Two answers in one window."""
    first, second = window(77, 3, 5, 0), window(77, 4, 6, 3)
    return PreparedExample(
        id=77,
        ids=first.ids + second.ids,
        answer=first.answer + second.answer,
        tail=first.tail + second.tail,
    )


EXAMPLES = [
    window(0, 4, 12, 8),
    window(3, 0, 1, 0),
    window(MAX_UINT64, 2, 3, 0),
    turns(),
    window(41, 5, 40, 19),
    window(2**32 + 1, 1, 2, 0),
]


def philox() -> Any:
    sequences = [
        (seed, purpose, subject, round, lane)
        for seed in (0, 7, MAX_UINT64, 2**63 + 5)
        for purpose in (Purpose.NOISE, Purpose.DRAW)
        for subject, round, lane in (
            (0, 0, 0),
            (1, 0, 0),
            (2**40 + 3, 9, 2),
            (MAX_UINT64, 2**32 - 1, 2**32 - 1),
        )
    ]
    return {
        "knownAnswers": [
            {"counter": c, "key": k, "words": w} for c, k, w in KNOWN_ANSWERS
        ],
        "purposes": {purpose.name: purpose.value for purpose in Purpose},
        "sequences": [
            {
                "seed": str(seed),
                "purpose": purpose.value,
                "subject": str(subject),
                "round": round,
                "lane": lane,
                "words": [
                    int(u * 2**32)
                    for u in uniforms(seed, purpose, subject, round, 6, lane).tolist()
                ],
            }
            for seed, purpose, subject, round, lane in sequences
        ],
    }


LAD_OPTIONS = [
    {},
    {"tail_noise": False},
    {"full_mask_probability": 0.0, "mask_probability": 1.0, "max_mask_fraction": 1.0},
    {
        "full_mask_probability": 0.0,
        "swap_scale": 1.0,
        "duplicate_scale": 1.0,
        "shift_scale": 1.0,
        "max_span": 9,
    },
    {
        "full_mask_probability": 0.0,
        "mask_probability": 0.0,
        "shift_scale": 1.0,
        "max_shift": 30,
    },
]
SPECS = [
    *(
        build(**options)
        for build in (lad_noise, cover_noise)
        for options in LAD_OPTIONS
    ),
    *(
        build(**options)
        for build in (mask_only_noise, uniform_noise)
        for options in ({}, {"min_time": 0.4, "tail_noise": False})
    ),
    NoNoise(),
]
FIXED = [
    fixed_noise(masked=0.35),
    fixed_noise(
        masked=0.2,
        swapped=0.5,
        duplicated=0.3,
        shifted=1.0,
        tail_noise=False,
        max_span=5,
    ),
]


def noise() -> Any:
    return {
        "maskId": MASK_ID,
        "vocabSize": VOCAB_SIZE,
        "examples": [example_json(example) for example in EXAMPLES],
        "cases": [
            noise_case(index, spec, seed, epoch, Purpose.NOISE)
            for spec in SPECS
            for index in range(len(EXAMPLES))
            for seed, epoch in ((0, 0), (11, 1), (MAX_UINT64, 3), (5, 70))
        ]
        + [
            noise_case(index, lad_noise(), 3, 0, Purpose.VALIDATION_NOISE)
            for index in range(len(EXAMPLES))
        ]
        + [
            noise_case(index, spec, seed, 2, Purpose.NOISE)
            for spec in FIXED
            for index in range(len(EXAMPLES))
            for seed in (1, MAX_UINT64)
        ],
    }


def noise_case(index: int, spec: Noise, seed: int, epoch: int, purpose: Purpose) -> Any:
    noised = apply_noise(
        EXAMPLES[index],
        spec,
        seed=seed,
        epoch=epoch,
        mask_id=MASK_ID,
        vocab_size=VOCAB_SIZE,
        purpose=purpose,
    )
    return {
        "example": index,
        "noise": every_option(spec),
        "seed": str(seed),
        "epoch": epoch,
        "purpose": purpose.value,
        "ids": noised.ids,
        "masked": [i for i, masked in enumerate(noised.masked) if masked],
        "corrupted": [i for i, corrupted in enumerate(noised.corrupted) if corrupted],
        "time": None if math.isnan(noised.time) else noised.time,
    }


def split() -> Any:
    return {
        "examples": [example_json(example) for example in EXAMPLES],
        "cases": [
            split_case(index, seed, epoch, purpose, canvas_tokens)
            for canvas_tokens in (0, 1, 5)
            for index in range(len(EXAMPLES))
            for seed, epoch in ((0, 0), (0, 1), (11, 2), (MAX_UINT64, 3), (5, 70))
            for purpose in (Purpose.NOISE, Purpose.VALIDATION_NOISE)
        ],
    }


def split_case(
    index: int, seed: int, epoch: int, purpose: Purpose, canvas_tokens: int
) -> Any:
    seen = seen_in(
        EXAMPLES[index],
        "random-split",
        seed=seed,
        epoch=epoch,
        purpose=purpose,
        canvas_tokens=canvas_tokens,
    )
    return {
        "example": index,
        "seed": str(seed),
        "epoch": epoch,
        "purpose": purpose.value,
        "canvasTokens": canvas_tokens,
        "answer": [int(answer) for answer in seen.answer],
        "pastTokens": seen.past_tokens,
    }


def draft() -> Any:
    return {
        "maskId": MASK_ID,
        "vocabSize": VOCAB_SIZE,
        "examples": [example_json(example) for example in EXAMPLES],
        "cases": [
            draft_case(index, tail_noise, share, seed, epoch)
            for index in range(len(EXAMPLES))
            for tail_noise in (True, False)
            for share in (0.0, 0.5, 1.0)
            for seed, epoch in ((0, 0), (11, 1), (MAX_UINT64, 3), (5, 2**32 - 1))
        ],
    }


def draft_case(
    index: int, tail_noise: bool, share: float, seed: int, epoch: int
) -> Any:
    """What is shown where the model writes the token 300 at the canvas's first position, and so on."""
    noise, example = (
        own_draft_noise(share=share, noise=lad_noise(tail_noise=tail_noise)),
        EXAMPLES[index],
    )
    noised = apply_noise(
        example,
        noise,
        seed=seed,
        epoch=epoch,
        mask_id=MASK_ID,
        vocab_size=VOCAB_SIZE,
        purpose=Purpose.NOISE,
    )
    draws = draft_seed(example, noise, seed=seed, epoch=epoch)
    if draws is not None:
        canvas = len(example.ids) - example.past_tokens
        noised = drafted(example, noised, noise, range(300, 300 + canvas))
    return {
        "example": index,
        "tailNoise": tail_noise,
        "share": share,
        "seed": str(seed),
        "epoch": epoch,
        "draftSeed": None if draws is None else str(draws),
        "ids": noised.ids,
        "masked": [i for i, masked in enumerate(noised.masked) if masked],
        "corrupted": [i for i, corrupted in enumerate(noised.corrupted) if corrupted],
    }


def order() -> Any:
    return {
        "permutations": [
            {
                "seed": str(seed),
                "epoch": epoch,
                "examples": n,
                "rows": permutation(seed, epoch, n).tolist(),
            }
            for seed, epoch, n in (
                (0, 0, 1),
                (0, 0, 10),
                (0, 1, 10),
                (MAX_UINT64, 4, 33),
            )
        ],
        "batches": [
            {
                "seed": str(seed),
                "examples": n,
                "batchSize": size,
                "step": step,
                "draws": [
                    [draw.epoch, draw.row] for draw in batch(seed, n, size, step)
                ],
            }
            for seed, n, size, step in (
                (0, 10, 4, 0),
                (0, 10, 4, 2),
                (9, 3, 8, 1),
                (9, 64, 8, 1000),
            )
        ],
    }


def schedule() -> Any:
    cases = [
        (schedule_spec(), 300),
        (schedule_spec(learning_rate=1e-2, warmup_steps=0, final_fraction=0.1), 7),
        (schedule_spec(learning_rate=5e-4, warmup_steps=3, decay="linear"), 50),
        (schedule_spec(learning_rate=3e-3, warmup_steps=10, decay="constant"), 20),
        (schedule_spec(learning_rate=0.3, warmup_steps=10), 5),
    ]
    return [
        {
            "schedule": camel(spec),
            "steps": steps,
            "rates": [learning_rate(spec, k, steps) for k in range(steps)],
        }
        for spec, steps in cases
    ]


def loss() -> Any:
    noises = [lad_noise(), mask_only_noise(), uniform_noise(tail_noise=False)]
    losses = [
        loss_spec(supervise=supervise, tail=tail, weighting=weighting)
        for supervise in ("all-tokens", "all-answer-tokens", "corrupted-answer-tokens")
        for tail in (True, False)
        for weighting in ("uniform", "inverse-time")
    ]
    light = [
        loss_spec(supervise="all-tokens", tail_weight=0.3),
        loss_spec(supervise="all-answer-tokens", tail_weight=0.125),
        loss_spec(supervise="corrupted-answer-tokens", tail_weight=0.3, weighting="inverse-time"),
        loss_spec(supervise="corrupted-answer-tokens", tail_weight=0.3, tail=False),
    ]
    return [
        loss_case(noise_spec, loss_spec, epoch)
        for some in (losses, light)
        for noise_spec in noises
        for loss_spec in some
        if loss_spec.weighting == "uniform" or noise_spec.kind != "lad"
        for epoch in (0, 1)
    ]


def loss_case(noise_spec: Noise, loss_spec: LossSpec, epoch: int) -> Any:
    noised = [
        apply_noise(
            example,
            noise_spec,
            seed=2,
            epoch=epoch,
            mask_id=MASK_ID,
            vocab_size=VOCAB_SIZE,
        )
        for example in EXAMPLES
    ]
    pairs = list(zip(EXAMPLES, noised, strict=True))
    counted = sum(any(supervised_positions(*pair, loss_spec)) for pair in pairs)
    is_light = loss_spec.tail_weight != 1
    return {
        "noise": every_option(noise_spec),
        "loss": {
            name: value
            for name, value in camel(loss_spec).items()
            if value is not None and (is_light or name != "tailWeight")
        },
        "seed": "2",
        "epoch": epoch,
        "sequences": [
            {
                "supervised": [
                    i for i, target in enumerate(sequence.targets) if target >= 0
                ],
                **({"weights": list(sequence.weights)} if is_light else {"weight": max(sequence.weights)}),
            }
            for sequence in (targeted(*pair, loss_spec, counted) for pair in pairs)
        ],
    }


def example_json(example: PreparedExample) -> Any:
    return {
        "id": str(example.id),
        "ids": example.ids,
        "answer": [int(answer) for answer in example.answer],
        "tail": [int(tail) for tail in example.tail],
    }


def every_option(noise: Noise) -> dict[str, Any]:
    """A noise's options among those of all noises, which have the method's values."""
    all_options = {**camel(lad_noise()), "minTime": mask_only_noise().min_time}
    return {**all_options, **camel(noise)}


def camel(spec: Any) -> dict[str, Any]:
    words = {field.name: field.name.split("_") for field in fields(spec)}
    return {
        first + "".join(word.capitalize() for word in rest): getattr(spec, name)
        for name, (first, *rest) in words.items()
    }


def likelihood() -> Any:
    cases = [
        (seed, key, length, samples, stratified)
        for seed, key in ((0, 0), (7, MAX_UINT64))
        for length, samples in ((1, 3), (5, 4), (12, 5))
        for stratified in (False, True)
    ]
    return [
        {
            "seed": str(seed),
            "key": str(key),
            "length": length,
            "samples": samples,
            "stratified": stratified,
            "masks": likelihood_masks(
                seed=seed,
                key=key,
                length=length,
                samples=samples,
                stratified=stratified,
            ),
        }
        for seed, key, length, samples, stratified in cases
    ]


def watch() -> Any:
    """Validations one after another; JSON has neither NaN nor ∞, for which null stands."""
    nan = math.nan
    cases = [
        (0.0, (2.0, 1.5, 1.5, 1.25, 1.75, 1.25, 1.0)),
        (0.25, (2.0, 1.9, 1.8, 1.7, 1.5, 1.45, 1.3)),
        (0.1, (nan, 3.0, nan, 2.95, 2.5, 2.45, 2.4)),
        (0.5, (nan, nan)),
    ]
    return [
        {"minDelta": delta, "ces": [known(ce) for ce in ces], "watched": watched(ces, delta)}
        for delta, ces in cases
    ]


def watched(ces: tuple[float, ...], min_delta: float) -> list[dict[str, Any]]:
    so_far, states = ValidationWatch(), []
    for number, ce in enumerate(ces):
        so_far = so_far.after(10 * number, ce, min_delta)
        states.append({name: known(value) for name, value in camel(so_far).items()})
    return states


def known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


FILES: dict[str, Callable[[], Any]] = {
    "philox.json": philox,
    "noise.json": noise,
    "split.json": split,
    "draft.json": draft,
    "order.json": order,
    "schedule.json": schedule,
    "loss.json": loss,
    "likelihood.json": likelihood,
    "watch.json": watch,
}


def text(value: Any) -> str:
    """JSON with one line for each entry of a list, so that a difference is readable."""
    if isinstance(value, dict):
        return (
            "{"
            + ",\n".join(
                f"{json.dumps(key)}: {text(item)}" for key, item in value.items()
            )
            + "}"
        )
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(json.dumps(item) for item in value) + "\n]"
    return json.dumps(value)


if __name__ == "__main__":
    for name, make in FILES.items():
        (FOLDER / name).write_text(text(make()) + "\n")
