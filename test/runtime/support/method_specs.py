"""Complete specifications with the method's values, but for what a test says."""

from typing import Any

from lad_runtime.method.learning_rate import ScheduleSpec
from lad_runtime.method.loss_targets import LossSpec
from lad_runtime.method.noises.cover import CoverNoise
from lad_runtime.method.noises.fixed import FixedNoise
from lad_runtime.method.noises.lad import LadNoise
from lad_runtime.method.noises.mask_only import MaskOnlyNoise
from lad_runtime.method.noises.none import NoNoise
from lad_runtime.method.noises.own_draft import OwnDraftNoise
from lad_runtime.method.noises.uniform import UniformNoise
from lad_runtime.method.targeted_sequence import TargetedSequence
from lad_runtime.method.window_spec import WindowSpec

_STRUCTURAL: dict[str, Any] = {
    "tail_noise": True,
    "full_mask_probability": 0.1,
    "mask_probability": 0.5,
    "max_mask_fraction": 0.5,
    "swap_scale": 0.25,
    "duplicate_scale": 0.25,
    "shift_scale": 0.25,
    "max_span": 3,
    "max_shift": 4,
}
_TIMED: dict[str, Any] = {"tail_noise": True, "min_time": 1e-3}
_LOSS: dict[str, Any] = {
    "supervise": "all-tokens",
    "tail": True,
    "tail_weight": 1.0,
    "weighting": "uniform",
    "soft": None,
}
_WINDOW: dict[str, Any] = {
    "window": 256,
    "pad_to_window": True,
    "too_long": "drop",
    "max_prompt_tokens": 0,
    "supervise": "last",
    "allow_special": False,
    "pad_tokens": (),
}
_SCHEDULE: dict[str, Any] = {
    "learning_rate": 1e-5,
    "warmup_steps": 100,
    "decay": "cosine",
    "final_fraction": 0.0,
}


def lad_noise(**options: Any) -> LadNoise:
    return LadNoise(**{**_STRUCTURAL, **options})


def mask_only_noise(**options: Any) -> MaskOnlyNoise:
    return MaskOnlyNoise(**{**_TIMED, **options})


def cover_noise(**options: Any) -> CoverNoise:
    return CoverNoise(**{**_STRUCTURAL, **options})


def uniform_noise(**options: Any) -> UniformNoise:
    return UniformNoise(**{**_TIMED, **options})


def fixed_noise(**options: Any) -> FixedNoise:
    levels = dict.fromkeys(("masked", "swapped", "duplicated", "shifted"), 0.0)
    return FixedNoise(**{"tail_noise": True, **levels, "max_span": 3, "max_shift": 4, **options})


def own_draft_noise(**options: Any) -> OwnDraftNoise:
    return OwnDraftNoise(**{"share": 0.5, "temperature": 1.0, "noise": lad_noise(), "after": 0.0, **options})


NOISE_BUILDERS = {
    "lad": lad_noise,
    "mask-only": mask_only_noise,
    "cover": cover_noise,
    "uniform": uniform_noise,
    "none": NoNoise,
    "fixed": fixed_noise,
    "own-draft": own_draft_noise,
}


def loss_spec(**options: Any) -> LossSpec:
    return LossSpec(**{**_LOSS, **options})


def window_spec(**options: Any) -> WindowSpec:
    return WindowSpec(**{**_WINDOW, **options})


def schedule_spec(**options: Any) -> ScheduleSpec:
    return ScheduleSpec(**{**_SCHEDULE, **options})


def targeted_sequence(**options: Any) -> TargetedSequence:
    """Without a prompt, where none is said."""
    return TargetedSequence(**{"prompt_tokens": 0, **options})
