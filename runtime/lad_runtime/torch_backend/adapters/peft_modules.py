"""Which projections an adapter's tensors adapt, by the names that `peft` gives tensors and modules."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from lad_runtime.torch_backend.adapters.peft_options import WEIGHTS_FILE, invalid_adapter, not_computed
from lad_runtime.torch_backend.model.config import PROJECTIONS, LlamaConfig
from lad_runtime.torch_backend.model.lora import parameter_name

# `save_pretrained` leaves the adapter's name out; a model's own `state_dict` has it before `weight`.
_TENSOR = re.compile(
    r"base_model\.model\.(?:model\.)?(layers\.(\d{1,6})\.(?:self_attn|mlp)\.(\w{1,40})\.(lora_[AB]))"
    r"(?:\.([^.]{1,80}))?\.weight"
)

T = TypeVar("T")

Module = tuple[int, str]
"""A layer and a projection of it."""


def modules_of(tensors: Mapping[str, T]) -> dict[Module, dict[str, T]]:
    """The factors `lora_A` and `lora_B` of each module. Raises UNSUPPORTED_MODEL, naming it, for any other tensor."""
    modules: dict[Module, dict[str, T]] = {}
    adapters: set[str | None] = set()
    for name, tensor in tensors.items():
        match = _TENSOR.fullmatch(name)
        if (
            match is None
            or match[1] != parameter_name(int(match[2]), match[3], match[4])
            or match[3] not in PROJECTIONS
        ):
            problem = f"{WEIGHTS_FILE} holds {name[:120]!r}"
            raise not_computed(problem, f"Adapt some of {', '.join(PROJECTIONS)} only.", name)
        modules.setdefault((int(match[2]), match[3]), {})[match[4]] = tensor
        adapters.add(match[5])
    if len(adapters) > 1:
        raise _several(adapters)
    return modules


def targets_of(modules: Mapping[Module, Any], config: LlamaConfig) -> tuple[str, ...]:
    """The adapted projections. Raises INVALID_FILE for another base's, UNSUPPORTED_MODEL for those of some layers only."""
    if not modules:
        raise invalid_adapter(f"{WEIGHTS_FILE} holds no LoRA weights")
    deepest = max(layer for layer, _ in modules)
    if deepest >= config.num_layers:
        raise invalid_adapter(
            f"it adapts layer {deepest}, and this base has {config.num_layers} layers",
            "Load it onto the base that it was trained on.",
        )
    targets = tuple(name for name in PROJECTIONS if any(projection == name for _, projection in modules))
    for target in targets:
        layers = sum(projection == target for _, projection in modules)
        if layers != config.num_layers:
            problem = f"it adapts {target} in {layers} of this base's {config.num_layers} layers"
            remedy = "Load it onto the base that it was trained on; adapters of some layers only are not computed here."
            raise not_computed(problem, remedy, target)
    return targets


def check_named(settings: Mapping[str, Any], modules: Iterable[Module], config: LlamaConfig) -> None:
    """A list of `target_modules` must match the tensors, but for what `exclude_modules` takes out of it.

    An entry of either list names a module, or the end of its path. A regular expression is not run.
    """
    named = settings.get("target_modules")
    if not isinstance(named, list):
        return
    paths = {module_path(layer, target) for layer, target in modules}
    unmatched = [path for path in paths if not any(_names(entry, path) for entry in named)]
    unused = [
        entry
        for entry in named
        if not any(_names(entry, path) for path in paths)
        and not _is_excluded(entry, settings.get("exclude_modules"), config)
    ]
    if unmatched or unused:
        wrong = unused[0] if unused else min(unmatched)
        raise invalid_adapter(f"target_modules and the weights disagree about {str(wrong)[:80]}")


def module_path(layer: int, target: str) -> str:
    """`model.layers.0.self_attn.q_proj`."""
    return "model." + parameter_name(layer, target, "").removesuffix(".")


def _names(entry: object, path: str) -> bool:
    return f".{path}".endswith(f".{entry}")


def _is_excluded(entry: object, excluded: object, config: LlamaConfig) -> bool:
    """Whether all that an entry of `target_modules` names may be taken out again."""
    if isinstance(excluded, str) and excluded:
        return True
    if not isinstance(excluded, Sequence):
        return False
    every = (module_path(layer, target) for layer in range(config.num_layers) for target in PROJECTIONS)
    named = [path for path in every if _names(entry, path)] or [str(entry)]
    return all(any(_names(each, path) for each in excluded) for path in named)


def _several(adapters: Iterable[str | None]) -> Exception:
    names = ", ".join(sorted(repr(name) for name in adapters))
    return not_computed(
        f"{WEIGHTS_FILE} holds several adapters ({names[:120]})",
        "Save one of them alone: peft's save_pretrained with selected_adapters.",
        "adapters",
    )
