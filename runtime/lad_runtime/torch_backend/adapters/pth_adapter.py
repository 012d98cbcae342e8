"""The LoRA adapter in a file of `torch.save`: a model that LAD's authors published, whole or as a state dict."""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from lad_runtime.checks import MAX_FLOAT32
from lad_runtime.torch_backend.adapters.peft_format import checked_factor
from lad_runtime.torch_backend.adapters.peft_modules import Module, modules_of, targets_of
from lad_runtime.torch_backend.adapters.peft_options import invalid_adapter, not_computed
from lad_runtime.torch_backend.files.inert_pickle import Made
from lad_runtime.torch_backend.files.torch_archive import TorchArchive
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.lora import LoraAdapter, parameter_name
from lad_runtime.types.adapters import AdapterSpec

PTH_FILE = "adapter_model.pth"
"""What such a file is called in a folder that is imported."""

_MOST_SCALINGS = 100  # of one module, by the names of adapters
_WRAPPER = re.compile(
    r"^.*?(?=base_model\.model\.)"
)  # `llama.`, the name of the model within the authors' own module


def load_pth_adapter(path: Path, config: LlamaConfig, device: torch.device | str = "cpu") -> LoraAdapter:
    """The LoRA factors in a file, for a base of `config`; the base's weights that the file may have as well are not read.

    The scaling is the file's where a whole module was saved; a state dict has none, and gets alpha = rank, the method's. Raises
    INVALID_FILE for a file that is damaged, has no adapter, or one of another base; UNSUPPORTED_MODEL for what is not plain LoRA,
    and for a model that masks attention in another way than the method.
    """
    with TorchArchive(path) as archive:
        _check_masking(archive.modules)
        names = {_WRAPPER.sub("", name): name for name in _factors(archive)}
        modules = modules_of(names)
        if not modules:
            raise invalid_adapter(
                "it holds no LoRA weights", "Load it as a base: its path in place of a base's name."
            )
        targets = targets_of(modules, config)
        rank, scaling = _rank(archive, modules), _scaling(archive.modules, modules)
        parameters: dict[str, Tensor] = {}
        for layer in range(config.num_layers):
            for target in targets:
                outputs, inputs = config.projection_shape(target)
                for factor, shape in (("lora_A", (rank, inputs)), ("lora_B", (outputs, rank))):
                    name = parameter_name(layer, target, factor)
                    stored = modules[layer, target].get(factor)
                    given = None if stored is None else archive.get_tensor(stored)
                    parameters[name] = checked_factor(name, given, shape).to(device).requires_grad_()
    spec = AdapterSpec(
        rank=rank, alpha=scaling * rank, targets=targets, dropout=0.0, seed=0, use_rslora=False
    )
    return LoraAdapter(spec=spec, parameters=parameters)


def pth_bytes(path: Path) -> int:
    """What the adapter in a file takes once it is loaded, in float32. Raises as `load_pth_adapter`."""
    with TorchArchive(path) as archive:
        return sum(4 * math.prod(archive.get_slice(name).get_shape()) for name in _factors(archive))


def _factors(archive: TorchArchive) -> list[str]:
    names = archive.keys()
    return [name for name in names if ".lora_" in name]


def _check_masking(modules: Mapping[str, Mapping[str, object]]) -> None:
    """Of the authors' own module, whose configuration says how it attends."""
    config = modules.get("", {}).get("config")
    state = config.state if isinstance(config, Made) else None
    masking = state.get("masking_type", "bidirectional") if isinstance(state, dict) else "bidirectional"
    if masking != "bidirectional":
        problem = f"its masking_type is {_shown(masking)}, and only 'bidirectional' is computed here"
        raise not_computed(problem, "Use a model that was trained with 'bidirectional'.", "masking_type")


def _rank(archive: TorchArchive, modules: Mapping[Module, Mapping[str, str]]) -> int:
    shapes = [
        archive.get_slice(factors["lora_A"]).get_shape()
        for factors in modules.values()
        if "lora_A" in factors
    ]
    ranks = {shape[0] for shape in shapes if len(shape) == 2}
    if len(ranks) != 1 or 0 in ranks:
        raise invalid_adapter(
            f"its factors have the ranks {sorted(ranks)[:8]}, and one rank for all is read here"
        )
    return int(ranks.pop())


def _scaling(
    attributes: Mapping[str, Mapping[str, object]], modules: Mapping[Module, Mapping[str, str]]
) -> float:
    """B A is scaled by this: PEFT's layers have a dict of it by the adapter's name."""
    scalings = set(_scalings(attributes, modules))
    if len(scalings) > 1:
        raise not_computed(
            f"its modules are scaled by {sorted(scalings)[:8]}", "Save it with peft.", "scaling"
        )
    return scalings.pop() if scalings else 1.0


def _scalings(
    attributes: Mapping[str, Mapping[str, object]], modules: Mapping[Module, Mapping[str, str]]
) -> Iterator[float]:
    for factors in modules.values():
        for name in factors.values():
            given = attributes.get(name.split(".lora_", 1)[0], {}).get("scaling")
            if isinstance(given, dict) and len(given) > _MOST_SCALINGS:
                raise invalid_adapter(f"a module of it has {len(given)} scalings")
            for value in given.values() if isinstance(given, dict) else ():
                if not isinstance(value, int | float) or not 0 < value <= MAX_FLOAT32:
                    raise invalid_adapter(f"its scaling is {_shown(value)}, which is no number above 0")
                yield float(value)


def _shown(value: object) -> str:
    """In a message. Lists of a file can hold one another many times over, and whole numbers have any length."""
    if isinstance(value, str):
        return repr(value[:40])
    short = isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**64)
    return repr(value) if short else f"something else ({type(value).__name__})"
