"""Complete specifications: what the SDK gives where nothing is said, but for what a figure says."""

from typing import Any

from lad_runtime.method.noises.lad import LadNoise
from lad_runtime.types.adapters import AdapterSpec
from lad_runtime.types.attention import DenoisingAttention
from lad_runtime.types.bases import BaseSpec
from lad_runtime.types.data import WindowSpec
from lad_runtime.types.training import LossSpec, OptimizerSpec, ScheduleSpec, TrainingSpec

NOISE = LadNoise(
    tail_noise=True,
    full_mask_probability=0.1,
    mask_probability=0.5,
    max_mask_fraction=0.5,
    swap_scale=0.25,
    duplicate_scale=0.25,
    shift_scale=0.25,
    max_span=3,
    max_shift=4,
)
OPTIMIZER = OptimizerSpec(
    kind="adamw",
    weight_decay=0.01,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    momentum=0.95,
    newton_schulz_steps=5,
)


def base_spec(name: str, *, compile: bool = False) -> BaseSpec:
    return BaseSpec(
        name=name,
        revision="",
        dtype="auto",
        mask_token="",
        chat_template="",
        system_prompt=None,
        hub_token="",
        seed=0,
        compile=compile,
    )


def adapter_spec(rank: int, targets: tuple[str, ...], seed: int) -> AdapterSpec:
    """With alpha = rank."""
    return AdapterSpec(
        rank=rank, alpha=float(rank), targets=targets, dropout=0.0, seed=seed, use_rslora=False
    )


def window_spec(tokens: int) -> WindowSpec:
    return WindowSpec(
        window=tokens,
        pad_to_window=True,
        too_long="drop",
        max_prompt_tokens=0,
        supervise="last",
        allow_special=False,
        pad_tokens=(),
    )


def training_spec(
    request: dict[str, Any], loss: LossSpec, batch_size: int, attention: DenoisingAttention
) -> TrainingSpec:
    """Of the window, learning rate, steps and seed of a side's request. The learning rate is the same in every step."""
    return TrainingSpec(
        dataset_id="bench",
        window=window_spec(request["window"]),
        noise=NOISE,
        loss=loss,
        optimizer=OPTIMIZER,
        schedule=ScheduleSpec(
            learning_rate=request["learningRate"], warmup_steps=0, decay="constant", final_fraction=0.0
        ),
        steps=request["steps"],
        batch_size=batch_size,
        micro_batch_tokens=2048,
        max_gradient_norm=0.5,
        seed=request["seed"],
        validation=None,
        checkpoint_every_steps=0,
        checkpoint="",
        resume=False,
        overwrite=False,
        attention=attention,
        context="prompt",
        canvas_tokens=0,
        gradient_checkpointing=False,
        share_weight=1.0,
        tensorboard=False,
    )
