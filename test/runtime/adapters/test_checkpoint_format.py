"""Runs go on from checkpoints of every format: what an older one does not say has one meaning."""

from dataclasses import replace

import pytest

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.loss_targets import SoftTargets
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore, RunPosition
from lad_runtime.torch_backend.adapters.resume import resume
from method_specs import schedule_spec, window_spec
from training_support import new_adapter, tiny_base, training

INFO = tiny_base().info
FIRST = {  # a run's options as the first checkpoints held them
    "dataset_id": "d",
    "window": {
        "window": 16,
        "pad_to_window": False,
        "too_long": "drop",
        "max_prompt_tokens": 0,
        "supervise": "last",
    },
    "noise": {
        "kind": "lad",
        "tail_noise": True,
        "full_mask_probability": 0.1,
        "mask_probability": 0.5,
        "max_mask_fraction": 0.5,
        "swap_scale": 0.25,
        "duplicate_scale": 0.25,
        "shift_scale": 0.25,
        "max_span": 3,
        "max_shift": 4,
        "min_time": 0.001,
    },
    "loss": {"supervise": "all-tokens", "tail": True, "weighting": "uniform"},
    "optimizer": {
        "kind": "adamw",
        "weight_decay": 0.01,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-08,
        "momentum": 0.95,
        "newton_schulz_steps": 5,
    },
    "schedule": {"learning_rate": 0.01, "warmup_steps": 2, "decay": "cosine", "final_fraction": 0.0},
    "steps": 6,
    "batch_size": 4,
    "micro_batch_tokens": 24,
    "max_gradient_norm": 0.5,
    "seed": 5,
    "validation": None,
    "checkpoint_every_steps": 0,
    "checkpoint": "run-1",
    "resume": False,
    "mode": "full",
}
SAME = training(checkpoint="run-1", resume=True)


@pytest.fixture
def first(tmp_path):
    """The checkpoint of such a run after two steps."""
    store = CheckpointStore(tmp_path)
    store.write("run-1", new_adapter(), INFO, RunPosition(spec=FIRST, step=2, report=None, validation=None))
    return store.read("run-1")


def test_a_run_of_the_first_format_goes_on_where_every_option_is_what_it_was_or_did(first):
    assert resume(new_adapter(), first, INFO, SAME).step == 2


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"attention": "prefix"}, "attention is prefix: the run of this checkpoint began with full"),
        (
            {"loss": replace(SAME.loss, soft=SoftTargets(top_k=4, share=1.0))},
            "loss.soft is {'top_k': 4, 'share': 1.0}: the run of this checkpoint began with None",
        ),
        (
            {"loss": replace(SAME.loss, tail_weight=0.5)},
            r"loss\.tailWeight is 0\.5: the run of this checkpoint began with 1\.0",
        ),
        (
            {"window": replace(SAME.window, allow_special=True)},
            "allowSpecial is True: the run of this checkpoint began with False",
        ),
        (
            {"window": replace(SAME.window, pad_tokens=("[USER]",))},
            r"padTokens is \['\[USER\]'\]: the run of this checkpoint began with \[\]",
        ),
    ],
)
def test_an_option_that_the_first_format_did_not_have_is_told_with_what_its_absence_meant(
    first, change, text
):
    with pytest.raises(LadError, match=text) as caught:
        resume(new_adapter(), first, INFO, replace(SAME, **change))
    assert caught.value.code is ErrorCode.INVALID_OPTION


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"window": window_spec(window=100)}, "windowTokens"),
        ({"schedule": schedule_spec(learning_rate=0.5)}, "learningRate"),
    ],
)
def test_an_option_that_it_had_is_compared(first, change, option):
    with pytest.raises(LadError) as caught:
        resume(new_adapter(), first, INFO, replace(SAME, **change))
    assert caught.value.option == option
