"""What an `adapter_config.json` of `peft` asks for, where that is plain LoRA; and the errors of an adapter's files."""

import json
import math
from collections.abc import Mapping
from typing import Any

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.adapters import AdapterSpec

CONFIG_FILE = "adapter_config.json"

# Keys that say nothing about what is computed, or that are read below. Any other key that is set is one more way of
# computing, and refused.
_UNDERSTOOD = {
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    "ensure_weight_tying",
    "exclude_modules",
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "lora_dropout",
    "megatron_core",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "use_rslora",
}

# Ways of drawing the first A and B; all others of `init_lora_weights` change the base's weights too.
_PLAIN_STARTS = (None, True, False, "gaussian", "orthogonal", "eva")


def read_settings(content: bytes) -> dict[str, Any]:
    """The parsed file, with every option understood. Raises LadError naming the option that is not."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise invalid_adapter(f"{CONFIG_FILE} cannot be read ({error})") from error
    if not isinstance(value, dict):
        raise invalid_adapter(f"{CONFIG_FILE} is not a JSON object")
    _check_options(value)
    return value


def _check_options(settings: Mapping[str, Any]) -> None:
    if settings.get("peft_type") != "LORA":
        raise _unsupported("peft_type", settings.get("peft_type"), "only LORA is computed here")
    if settings.get("bias", "none") != "none":
        raise _unsupported("bias", settings["bias"], "only 'none' is computed here")
    if settings.get("init_lora_weights", True) not in _PLAIN_STARTS:
        value = settings["init_lora_weights"]
        raise _unsupported(
            "init_lora_weights", value, "it goes with a changed base", "Convert it to plain LoRA with peft."
        )
    for name, value in settings.items():
        if name not in _UNDERSTOOD and value not in (None, False, "", [], {}):
            raise _unsupported(name, value, "only plain LoRA is computed here")


def adapter_spec(settings: Mapping[str, Any], targets: tuple[str, ...]) -> AdapterSpec:
    """Rank, alpha and dropout of the file, those of `peft` where it names none, and whether its scaling is rsLoRA's.

    The seed, which keys the dropout masks of further training, is 0: the file names none.
    """
    rank, alpha = settings.get("r", 8), settings.get("lora_alpha", 8)
    dropout = settings.get("lora_dropout", 0.0)
    if not isinstance(rank, int) or isinstance(rank, bool) or rank < 1:
        raise invalid_adapter(f"r is {rank!r}, which is no rank")
    for name, value in (("lora_alpha", alpha), ("lora_dropout", dropout)):
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise invalid_adapter(f"{name} is {value!r}, which is no number")
    return AdapterSpec(
        rank=rank,
        alpha=float(alpha),
        targets=targets,
        dropout=float(dropout),
        seed=0,
        use_rslora=bool(settings.get("use_rslora")),
    )


def invalid_adapter(problem: str, remedy: str = "Get the adapter's files again.") -> LadError:
    """For files that are damaged, or of another base."""
    return LadError(
        ErrorCode.INVALID_FILE, f"The adapter cannot be loaded: {problem}.", option="adapter", remedy=remedy
    )


def _unsupported(
    option: str, value: object, problem: str, remedy: str = "Train it without this option."
) -> LadError:
    return not_computed(f"{option} is {str(value)[:80]!r}, and {problem}", remedy, option)


def not_computed(problem: str, remedy: str, value: object) -> LadError:
    """For what is intact, and not plain LoRA on whole projections of every layer."""
    return LadError(
        ErrorCode.UNSUPPORTED_MODEL,
        f"The adapter is not supported: {problem}.",
        option="adapter",
        value=value,
        remedy=remedy,
    )
