"""LoRA adapters as `peft` stores them: `adapter_config.json` and `adapter_model.safetensors`."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lad_runtime.errors import LadError
from lad_runtime.torch_backend.adapters.claims import CLAIMS_FILE, claims_file, read_claims_file
from lad_runtime.torch_backend.adapters.peft_modules import check_named, modules_of, targets_of
from lad_runtime.torch_backend.adapters.peft_options import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    adapter_spec,
    invalid_adapter,
    read_settings,
)
from lad_runtime.torch_backend.adapters.peft_ranks import ranks_of
from lad_runtime.torch_backend.files.model_files import file_in
from lad_runtime.torch_backend.files.safetensors_header import safetensors_header
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.lora import LoraAdapter, parameter_name
from lad_runtime.types.adapters import AdapterClaims, AdapterSpec

_MOST_SETTINGS_BYTES = 1 << 20
_MOST_HEADER_BYTES = 4 << 20  # 150 bytes a tensor: the 1,764 of a Llama of 126 layers take 260 KiB

_PREFIX = "base_model.model.model."


def write_adapter(
    folder: Path,
    adapter: LoraAdapter,
    base_name: str = "",
    claims: AdapterClaims | None = None,
    *,
    base_revision: str = "",
) -> None:
    """The two files, weights in float32, with no more in memory at once than a tensor. `peft` loads them onto the base of
    `base_name`, a hub's at `base_revision`. Claims are a third file, which `peft` does not read.
    """
    contents = _contents(adapter, base_name, base_revision)
    if claims is not None:
        contents[CLAIMS_FILE] = iter([claims_file(claims)])
    for name, pieces in contents.items():
        with (folder / name).open("wb") as file:
            file.writelines(pieces)


def _contents(adapter: LoraAdapter, base_name: str, base_revision: str) -> dict[str, Iterator[bytes]]:
    spec = adapter.spec
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_name or None,
        **({"revision": base_revision} if base_revision else {}),
        "r": spec.rank,
        "lora_alpha": int(spec.alpha) if spec.alpha == int(spec.alpha) else spec.alpha,
        "lora_dropout": spec.dropout,
        "use_rslora": spec.use_rslora,
        "target_modules": list(spec.targets),
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
    }
    tensors = {
        f"{_PREFIX}{name}.weight": parameter.detach() for name, parameter in adapter.parameters.items()
    }
    return {
        CONFIG_FILE: iter([(json.dumps(settings, indent=2) + "\n").encode()]),
        WEIGHTS_FILE: _safetensors(dict(sorted(tensors.items()))),
    }


def _safetensors(tensors: Mapping[str, Tensor]) -> Iterator[bytes]:
    """The file as `safetensors` writes it.

    The library's `save_file` wants all tensors at once, which of an adapter on an accelerator is a second copy in this machine's
    memory, and tells a full disk without the system's error number.
    """
    yield safetensors_header({name: tuple(tensor.shape) for name, tensor in tensors.items()}, torch.float32)
    for tensor in tensors.values():
        yield tensor.to("cpu", torch.float32).contiguous().numpy().tobytes()


@contextmanager
def stored_factors(folder: Path) -> Iterator[Callable[[int, str], tuple[Tensor, Tensor] | None]]:
    """(A, B) of a layer's projection, read as they are asked for, of an adapter that `write_adapter` wrote; None: it has none."""
    with _opened(_path_of(folder, WEIGHTS_FILE)) as file:
        names = set(file.keys())

        def factors(layer: int, projection: str) -> tuple[Tensor, Tensor] | None:
            a, b = (
                f"{_PREFIX}{parameter_name(layer, projection, factor)}.weight"
                for factor in ("lora_A", "lora_B")
            )
            return (file.get_tensor(a), file.get_tensor(b)) if a in names else None

        yield factors


def stored_spec(folder: Path) -> AdapterSpec:
    """Of an adapter that `write_adapter` wrote."""
    settings = read_settings(_content_of(folder, CONFIG_FILE, _MOST_SETTINGS_BYTES))
    return adapter_spec(settings, tuple(settings["target_modules"]))


def load_adapter(folder: Path, config: LlamaConfig, device: torch.device | str = "cpu") -> LoraAdapter:
    """The adapter in a folder, for a base of `config`.

    The tensors say which projections are adapted; a `target_modules` that is a regular expression is not run. Raises
    INVALID_FILE for files that are missing, damaged, or of another base; UNSUPPORTED_MODEL, naming the option, for what is
    not plain LoRA on whole projections of every layer.
    """
    settings = read_settings(_content_of(folder, CONFIG_FILE, _MOST_SETTINGS_BYTES))
    tensors = _tensors(folder)
    modules = modules_of(tensors)
    targets = targets_of(modules, config)
    check_named(settings, modules, config)
    ranks = ranks_of(settings, adapter_spec(settings, targets), modules)
    parameters: dict[str, Tensor] = {}
    for layer in range(config.num_layers):
        for target in targets:
            outputs, inputs = config.projection_shape(target)
            module = layer, target
            rank = ranks.ranks[module]
            for factor, shape in (("lora_A", (rank, inputs)), ("lora_B", (outputs, rank))):
                name = parameter_name(layer, target, factor)
                values = ranks.widened(
                    module, factor, checked_factor(name, modules[module].get(factor), shape)
                )
                parameters[name] = values.to(device).requires_grad_()
    return LoraAdapter(spec=ranks.spec, parameters=parameters)


def load_claims(folder: Path) -> AdapterClaims | None:
    """What an adapter's files say of its training; None where they have no claims.

    Raises INVALID_FILE, naming the field, for claims that are damaged, and VERSION_MISMATCH for those of a newer format.
    """
    if CLAIMS_FILE not in {path.name for path in folder.iterdir()}:
        return None
    return read_claims_file(_content_of(folder, CLAIMS_FILE, _MOST_SETTINGS_BYTES))


def weight_bytes(folder: Path) -> int:
    """What the weights in a folder take once they are loaded, in float32, all at the highest rank. Raises INVALID_FILE."""
    with _opened(_path_of(folder, WEIGHTS_FILE)) as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    ranks = {name: shape[0 if "lora_A" in name else -1] for name, shape in shapes.items() if shape}
    highest = max(ranks.values(), default=0)
    return sum(4 * math.prod(shapes[name]) // max(rank, 1) * highest for name, rank in ranks.items())


def _content_of(folder: Path, name: str, most_bytes: int) -> bytes:
    path = _path_of(folder, name)
    try:
        if path.stat().st_size > most_bytes:
            raise invalid_adapter(f"{name} is longer than {most_bytes >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(name, error) from error


def _tensors(folder: Path) -> dict[str, Tensor]:
    """They lie in the file: they are read as they are used, and not held in memory beside it."""
    with _opened(_path_of(folder, WEIGHTS_FILE)) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The header is parsed whole: what its length may be is checked before."""
    try:
        with path.open("rb") as file:
            if int.from_bytes(file.read(8), "little") > _MOST_HEADER_BYTES:
                raise ValueError(f"its header would be longer than {_MOST_HEADER_BYTES >> 20} MiB")
        with safe_open(path, framework="pt") as opened:
            yield opened
    except (SafetensorError, ValueError) as error:
        raise _damaged(error) from error
    except OSError as error:
        raise _unreadable(WEIGHTS_FILE, error) from error


def _path_of(folder: Path, name: str) -> Path:
    path = file_in(folder, name)
    if not path.is_file():
        raise _missing(name, {path.name for path in folder.iterdir()} if folder.is_dir() else ())
    return path


def _missing(name: str, names: Iterable[str]) -> LadError:
    if name == WEIGHTS_FILE and "adapter_model.bin" in names:
        return invalid_adapter(
            "its weights are a pickle (adapter_model.bin), which can run code when it is opened",
            "Save it again with peft's safe_serialization.",
        )
    return invalid_adapter(f"{name} is missing", f"Give {CONFIG_FILE} and {WEIGHTS_FILE}.")


def _unreadable(name: str, error: OSError) -> LadError:
    return invalid_adapter(f"{name} cannot be read ({error.strerror or error})")


def _damaged(error: Exception) -> LadError:
    return invalid_adapter(f"{WEIGHTS_FILE} is damaged ({error})")


def checked_factor(name: str, tensor: Tensor | None, shape: tuple[int, int]) -> Tensor:
    """A copy in float32. Raises INVALID_FILE for one that is missing, of another shape, or not finite."""
    if tensor is None:
        raise invalid_adapter(f"it lacks {name}")
    if tuple(tensor.shape) != shape:
        raise invalid_adapter(
            f"{name} has shape {tuple(tensor.shape)}, and {shape} fits this base and r",
            "Load it onto the base that it was trained on.",
        )
    values = tensor.to(torch.float32, copy=True)
    if not tensor.dtype.is_floating_point or not bool(torch.isfinite(values).all()):
        raise invalid_adapter(f"{name} holds values that are not finite numbers")
    return values
