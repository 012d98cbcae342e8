"""The weights of a model folder: safetensors in one file or shards, or a file of torch.save; checked before they are read."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.torch_backend.files.model_files import GET_AGAIN, bad_file, weight_files
from lad_runtime.torch_backend.files.torch_archive import SUFFIXES, TorchArchive
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.layers import tensor_shapes
from lad_runtime.types.bases import LoadProgress

_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_EMBEDDING, _HEAD = "model.embed_tokens.weight", "lm_head.weight"
_COMPARED_ROWS = 4096  # of two matrices at a time


class StoredWeights(Mapping[str, Tensor]):
    """All weights of a Llama of `config` by their Hugging Face names; a look-up maps one tensor of the file, in the file's dtype.

    The constructor checks names, shapes and types against `config`. A look-up checks the values, which must fit `dtype`, to which
    they will be converted; copy its result, since it changes with the file. If `config` ties the head to the embeddings, but the
    files have a head with other values, the files' head is used: `config` then becomes untied, with a warning in `warnings`.

    Each look-up reports the phase `read` in bytes of the files. Raises INVALID_FILE for damaged, missing, unsafe or infinite
    data, UNSUPPORTED_MODEL for tensors that a Llama does not have, INVALID_OPTION for a dtype too narrow for the values. Use it
    as a context manager, which closes the files. `archive` is a file of torch.save in place of the folder's own weights, and
    `renamed` gives the Hugging Face names of stored tensors (None: no part of the base).
    """

    def __init__(
        self,
        folder: Path,
        config: LlamaConfig,
        *,
        dtype: torch.dtype,
        progress: Callable[[LoadProgress], None],
        archive: Path | None = None,
        renamed: Callable[[str], str | None] = lambda name: name,
    ) -> None:
        self._dtype = dtype
        self._progress = progress
        self.warnings: tuple[str, ...] = ()
        with ExitStack() as stack:
            files = {path: _opened(stack, path) for path in ([archive] if archive else weight_files(folder))}
            self._located, passed_over = _located(files, renamed)
            if passed_over:
                self.warnings += (_WITH_AN_ADAPTER,)
            if config.tied and _holds_another_head(self._located, dtype):
                config = replace(config, tied=False)
                self.warnings += (_ANOTHER_HEAD,)
            self.config = config
            if config.num_layers > len(self._located):
                raise bad_file(
                    "config.json", f"it has {config.num_layers} layers, more than the weights", GET_AGAIN
                )
            self._shapes = tensor_shapes(config)
            _check_names(self._located, self._shapes)
            for name, shape in self._shapes.items():
                _check_tensor(name, self._located[name], shape)
            self._files = stack.pop_all()
        self._done, self._total = 0, sum(self._nbytes(name) for name in self._shapes)
        self._report(0)

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._shapes:
            raise KeyError(name)
        tensor = _read(self._located[name], name, self._dtype)
        self._report(self._nbytes(name))
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def __enter__(self) -> "StoredWeights":
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def _nbytes(self, name: str) -> int:
        view = self._located[name].view
        return int(torch.Size(self._shapes[name]).numel()) * _BYTES[view.get_dtype()]

    def _report(self, more: int) -> None:
        self._done += more
        self._progress(LoadProgress(phase="read", done=self._done, total=self._total))


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a tensor is: its file, and its name there."""

    path: Path
    file: Any
    name: str

    @property
    def view(self) -> Any:
        return self.file.get_slice(self.name)


def _opened(stack: ExitStack, path: Path) -> Any:
    if path.suffix in SUFFIXES:
        return stack.enter_context(TorchArchive(path))
    try:
        return stack.enter_context(safe_open(str(path), framework="pt", device="cpu"))
    except (SafetensorError, OSError) as error:
        raise bad_file(path.name, str(error), GET_AGAIN) from error


def _located(
    files: Mapping[Path, Any], renamed: Callable[[str], str | None]
) -> tuple[dict[str, _Place], list[str]]:
    """The places of tensors by their names in a Llama, and the names of those that are no part of it."""
    located: dict[str, _Place] = {}
    passed_over: list[str] = []
    for path, file in files.items():
        for stored in file.keys():  # noqa: SIM118 (safe_open is no mapping)
            name = renamed(stored)
            if name is None:
                passed_over.append(stored)
                continue
            if name in located:
                first = located[name].path.name
                raise bad_file(path.name, f"it holds {name}, which {first} holds already", GET_AGAIN)
            located[name] = _Place(path=path, file=file, name=stored)
    return located, passed_over


_WITH_AN_ADAPTER = "The file holds a LoRA adapter too, which is no part of the base: load it with loadAdapter, from the same file."

_ANOTHER_HEAD = (
    "config.json ties the head to the embeddings (tie_word_embeddings), and the weights hold an lm_head.weight with other "
    "values, which is the one that is used, as transformers does."
)


def _holds_another_head(located: Mapping[str, _Place], dtype: torch.dtype) -> bool:
    """Whether there is a head that differs from the embeddings after conversion to `dtype`; compares some rows at a time."""
    if _HEAD not in located or _EMBEDDING not in located:
        return False
    head, embedding = (_mapped(located[name]) for name in (_HEAD, _EMBEDDING))
    if head.shape != embedding.shape or head.ndim != 2:
        return True
    blocks = zip(head.split(_COMPARED_ROWS), embedding.split(_COMPARED_ROWS), strict=True)
    return any(not torch.equal(ours.to(dtype), theirs.to(dtype)) for ours, theirs in blocks)


def _check_names(located: Mapping[str, Any], shapes: Mapping[str, Any]) -> None:
    missing = [name for name in shapes if name not in located]
    if missing == [_HEAD]:
        raise LadError(
            ErrorCode.INVALID_FILE,
            "The weights hold no lm_head.weight, and config.json does not tie the head to the embeddings.",
            value=_HEAD,
            remedy="Set tie_word_embeddings to true in config.json where they are the same, else get all files again.",
        )
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise LadError(
            ErrorCode.INVALID_FILE,
            f"The weights lack the tensor {missing[0]}{more}, which config.json calls for.",
            value=missing[0],
            remedy="Get all files of the model again, config.json included.",
        )
    extra = [name for name in located if name not in shapes and not _is_needless(name)]
    if extra:
        raise LadError(
            ErrorCode.UNSUPPORTED_MODEL,
            f"The weights hold {extra[0][:120]}, which a Llama has no place for.",
            value=extra[0],
            remedy="Use a plain Llama checkpoint: no biases, no quantisation, no adapters inside.",
        )


def _is_needless(name: str) -> bool:
    """Whether a tensor is a tied head's copy of the embeddings, or the rotary frequencies of old files."""
    return name == _HEAD or name.endswith("rotary_emb.inv_freq")


def _check_tensor(name: str, place: _Place, shape: tuple[int, ...]) -> None:
    path, view = place.path, place.view
    if tuple(view.get_shape()) != shape:
        raise bad_file(
            path.name,
            f"{name} has shape {tuple(view.get_shape())}, and config.json calls for {shape}",
            "Get config.json and the weights from the same revision.",
        )
    if view.get_dtype() not in _BYTES:
        raise LadError(
            ErrorCode.UNSUPPORTED_MODEL,
            f"{name} in {path.name} is of kind {view.get_dtype()}.",
            value=view.get_dtype(),
            remedy="Use a checkpoint in bfloat16, float16 or float32.",
        )


def _read(place: _Place, name: str, dtype: torch.dtype) -> Tensor:
    tensor, path = _mapped(place), place.path
    low, high = tensor.aminmax()
    if not (torch.isfinite(low) and torch.isfinite(high)):
        raise bad_file(path.name, f"{name} holds values that are not finite numbers", GET_AGAIN)
    if max(-float(low), float(high)) > torch.finfo(dtype).max:
        raise invalid_option(
            "dataType",
            str(dtype).removeprefix("torch."),
            f"{name} has values beyond its range",
            "Use bfloat16 or float32.",
        )
    return tensor


def _mapped(place: _Place) -> Tensor:
    """A tensor of the file: memory-mapped, or a copy out of a file of torch.save."""
    try:
        tensor: Tensor = place.file.get_tensor(place.name)
    except (SafetensorError, OSError) as error:
        raise bad_file(place.path.name, str(error), GET_AGAIN) from error
    return tensor
