"""Complete specifications with the values that the SDK gives where nothing is said, but for what a test says."""

from typing import Any

from lad_runtime.types.adapters import AdapterSpec, MergeSpec
from lad_runtime.types.bases import BaseSpec
from lad_runtime.types.primitives import ForwardSpec
from lad_runtime.types.training import OptimizerSpec, TrainingSpec, ValidationSpec
from method_specs import lad_noise, loss_spec, schedule_spec, window_spec

_BASE: dict[str, Any] = {
    "name": "stub",
    "revision": "",
    "dtype": "auto",
    "mask_token": "",
    "chat_template": "",
    "system_prompt": None,
    "hub_token": "",
    "seed": 0,
    "compile": False,
}
_OPTIMIZER: dict[str, Any] = {
    "kind": "adamw",
    "weight_decay": 0.01,
    "beta1": 0.9,
    "beta2": 0.999,
    "epsilon": 1e-8,
    "momentum": 0.95,
    "newton_schulz_steps": 5,
}
_VALIDATION: dict[str, Any] = {
    "dataset_id": "v",
    "max_examples": 0,
    "every_steps": 0,
    "seed": 0,
    "keep_best": "",
    "overwrite_best": False,
    "patience": 0,
    "min_delta": 0.0,
    "restore_best": False,
}
_FORWARD: dict[str, Any] = {
    "attention": "full",
    "micro_batch_tokens": 2048,
    "gradient_checkpointing": False,
    "cache_prompts": True,
}
_RUN: dict[str, Any] = {
    "attention": "full",
    "context": "prompt",
    "canvas_tokens": 0,
    "micro_batch_tokens": 2048,
    "gradient_checkpointing": False,
    "dataset_id": "d",
    "batch_size": 8,
    "max_gradient_norm": 0.5,
    "seed": 0,
    "validation": None,
    "checkpoint": "",
    "checkpoint_every_steps": 0,
    "resume": False,
    "overwrite": False,
    "share_weight": 1.0,
    "tensorboard": False,
}


def base_spec(**options: Any) -> BaseSpec:
    return BaseSpec(**{**_BASE, **options})


def adapter_spec(**options: Any) -> AdapterSpec:
    """Of the rank, alpha and targets that are given."""
    return AdapterSpec(**{"dropout": 0.0, "seed": 0, "use_rslora": False, **options})


def merge_spec(**options: Any) -> MergeSpec:
    return MergeSpec(**{"dtype": "auto", "shard_bytes": 5_000_000_000, **options})


def optimizer_spec(**options: Any) -> OptimizerSpec:
    return OptimizerSpec(**{**_OPTIMIZER, **options})


def validation_spec(**options: Any) -> ValidationSpec:
    return ValidationSpec(**{**_VALIDATION, **options})


def forward_spec(**options: Any) -> ForwardSpec:
    return ForwardSpec(**{**_FORWARD, **options})


def run_spec(**options: Any) -> TrainingSpec:
    """A run of the steps that are given."""
    parts = {
        "window": window_spec(),
        "noise": lad_noise(),
        "loss": loss_spec(),
        "optimizer": optimizer_spec(),
        "schedule": schedule_spec(),
    }
    return TrainingSpec(**{**_RUN, **parts, **options})
