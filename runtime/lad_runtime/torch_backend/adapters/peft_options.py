"""What an `adapter_config.json` of `peft` asks for, where that is plain LoRA; and the errors of an adapter's files."""

import json
import math
from collections.abc import Mapping
from typing import Any

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.adapters import AdapterSpec

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"

# Keys that say nothing about what is computed, or that are read below. Any other key that is set is one more way of
# computing, and refused.
_UNDERSTOOD = {
    "alpha_pattern",
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "loftq_config",
    "lora_alpha",
    "lora_dropout",
    "lora_ga_config",
    "megatron_core",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "use_rslora",
}

# Ways of drawing the first A and B alone. `mica` also held B still in training; what is computed is the same.
_PLAIN_STARTS = ("gaussian", "orthogonal", "eva", "mica")

# These take what they put into A and B out of the base's weights; `pissa` and `corda` may have a suffix. `peft` can save the
# difference to their beginning, which is plain LoRA of twice the rank on the unchanged base.
_DECOMPOSING_STARTS = ("pissa", "olora", "corda", "lora_ga")


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
    _check_start(settings.get("init_lora_weights"))
    for name, value in settings.items():
        if name not in _UNDERSTOOD and value not in (None, False, "", [], {}):
            raise _unsupported(name, value, "only plain LoRA is computed here")


def _check_start(start: object) -> None:
    """A trained adapter's first A and B matter only where the base's weights were changed with them."""
    name = start.lower() if isinstance(start, str) else start
    if name is None or isinstance(name, bool) or name in _PLAIN_STARTS:
        return
    problem = "a way to begin that is not known here"
    remedy = "If it leaves the base's weights as they are, write true for it in adapter_config.json."
    if isinstance(name, str) and name.startswith(_DECOMPOSING_STARTS):
        problem = "it changed the weights of the base that the adapter was trained on"
        remedy = (
            "Save it as plain LoRA: peft's save_pretrained with path_initial_model_for_weight_conversion."
        )
    elif name == "loftq":
        problem = "it quantized the weights of the base that the adapter was trained on"
        remedy = (
            "Save that base as a model folder, load it as the base, and write true for init_lora_weights "
            "in adapter_config.json."
        )
    raise _unsupported("init_lora_weights", start, problem, remedy)


def adapter_spec(settings: Mapping[str, Any], targets: tuple[str, ...]) -> AdapterSpec:
    """Rank, alpha and dropout of the file, those of `peft` where it names none, and whether its scaling is rsLoRA's.

    The seed, which keys the dropout masks of further training, is 0: the file names none.
    """
    rank, alpha = settings.get("r", 8), settings.get("lora_alpha", 8)
    dropout = settings.get("lora_dropout", 0.0)
    check_rank("r", rank)
    check_finite("lora_alpha", alpha)
    check_finite("lora_dropout", dropout)
    return AdapterSpec(
        rank=rank,
        alpha=float(alpha),
        targets=targets,
        dropout=float(dropout),
        seed=0,
        use_rslora=bool(settings.get("use_rslora")),
    )


def check_rank(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise invalid_adapter(f"{name} is {value!r}, which is no rank")


def check_finite(name: str, value: object) -> None:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise invalid_adapter(f"{name} is {value!r}, which is no number")


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
