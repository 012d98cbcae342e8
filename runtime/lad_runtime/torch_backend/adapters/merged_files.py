"""The files of a checkpoint that has an adapter in its weights, W + scaling · B A, as transformers loads it."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lad_runtime.errors import invalid_option
from lad_runtime.torch_backend.adapters.card import CARD_FILE
from lad_runtime.torch_backend.adapters.claims import CLAIMS_FILE, claims_file
from lad_runtime.torch_backend.adapters.merged_card import merged_card_of
from lad_runtime.torch_backend.adapters.peft_format import load_claims, stored_factors, stored_spec
from lad_runtime.torch_backend.files.model_files import INDEX, WHOLE
from lad_runtime.torch_backend.files.safetensors_header import safetensors_header
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.model.config import ATTENTION_KEY, PROJECTIONS, LlamaConfig
from lad_runtime.torch_backend.model.layers import projection_name, tensor_shapes
from lad_runtime.types.adapters import AdapterSpec, MergeSpec
from lad_runtime.types.attention import AttentionMode

_PIECE = 1 << 20
_ROWS_BYTES = 16 << 20
"""Of a matrix in float32 that are computed at once: many pieces, and rows enough for a fast product."""

_NAMED_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")

Pieces = Iterator[tuple[str, bytes]]


def merged_files(base: Base, exported: Path, spec: MergeSpec) -> Pieces:
    """Pieces of at most 1 MiB with their file's name, a file after another, of the adapter that `write_adapter` wrote.

    Sums are of float32, rounded once. Raises INVALID_OPTION (`dataType`) for a sum that the dtype cannot hold.
    """
    dtype = base.model.dtype if spec.dtype == "auto" else getattr(torch, spec.dtype)
    claims = load_claims(exported)
    small = dict(_small_files(base, dtype, base.info.attention if claims is None else claims.attention))
    small[CARD_FILE] = merged_card_of(stored_spec(exported), claims, base.info, base.source).encode()
    if claims is not None:
        small[CLAIMS_FILE] = claims_file(claims)
    for name, content in small.items():
        yield from _cut(name, content)
    yield from _weight_files(base, exported, dtype, spec.shard_bytes)


def merge_bytes(config: LlamaConfig, spec: AdapterSpec) -> int:
    """The most bytes held at once: the factors of one projection, and four copies of the rows that are computed."""
    sides = [sum(config.projection_shape(target)) for target in spec.targets]
    return 4 * spec.rank * max(sides) + 4 * _ROWS_BYTES + _PIECE


def _small_files(
    base: Base, dtype: torch.dtype, attention: AttentionMode | None
) -> Iterator[tuple[str, bytes]]:
    """As the base was loaded from, but for what tells transformers how to read them."""
    config = json.loads(base.files["config.json"])
    ids = {key: config[key] for key in _NAMED_IDS if key in config} | {
        "mask_token_id": base.info.mask_token_id
    }
    llama = base.model.config.to_hf(str(dtype).removeprefix("torch."))
    if attention is not None:
        llama[ATTENTION_KEY] = attention
    settings = json.loads(base.files.get("tokenizer_config.json", b"{}"))
    settings.pop("auto_map", None)  # code that is published with a model is not what reads these files
    # Without a class, transformers makes a Llama's usual tokenizer of the vocabulary, whatever tokenizer.json says.
    settings.setdefault("tokenizer_class", "PreTrainedTokenizerFast")
    yield from (
        base.files | {"config.json": _json(llama | ids), "tokenizer_config.json": _json(settings)}
    ).items()


def _weight_files(base: Base, exported: Path, dtype: torch.dtype, most: int) -> Pieces:
    config = base.model.config
    shapes = tensor_shapes(config)
    shards = _shards({name: dtype.itemsize * math.prod(shape) for name, shape in shapes.items()}, most)
    names = {shard: _shard_name(shard, len(shards)) for shard in range(len(shards))}
    if len(shards) > 1:
        total = sum(dtype.itemsize * math.prod(shape) for shape in shapes.values())
        where = {name: names[shard] for shard, tensors in enumerate(shards) for name in tensors}
        yield from _cut(INDEX, _json({"metadata": {"total_size": total}, "weight_map": where}))
    projections = {
        projection_name(layer, projection): (layer, projection)
        for layer in range(config.num_layers)
        for projection in PROJECTIONS
    }
    weights = base.model.weights
    scaling = stored_spec(exported).scaling
    with stored_factors(exported) as factors_of:
        for shard, tensors in enumerate(shards):
            yield from _cut(names[shard], safetensors_header({name: shapes[name] for name in tensors}, dtype))
            for name in tensors:
                factors = factors_of(*projections[name]) if name in projections else None
                for rows in _merged(weights[name], factors, scaling):
                    yield from _cut(names[shard], _bytes(name, rows, dtype))


def _shards(sizes: Mapping[str, int], most: int) -> list[list[str]]:
    """The tensors of each file, in order: as many as fit."""
    shards: list[list[str]] = [[]]
    filled = 0
    for name, size in sizes.items():
        if shards[-1] and filled + size > most:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += size
    return shards


def _shard_name(shard: int, shards: int) -> str:
    return WHOLE if shards == 1 else f"model-{shard + 1:05}-of-{shards:05}.safetensors"


def _merged(weight: Tensor, factors: tuple[Tensor, Tensor] | None, scaling: float) -> Iterator[Tensor]:
    """W + scaling · B A in float32, some rows after others; W alone without factors."""
    rows = max(1, _ROWS_BYTES // (4 * math.prod(weight.shape[1:])))
    for start in range(0, weight.shape[0], rows):
        part = weight[start : start + rows].to("cpu", torch.float32)
        if factors is not None:
            lora_a, lora_b = factors
            part = torch.addmm(part, lora_b[start : start + rows], lora_a, alpha=scaling)
        yield part


def _bytes(name: str, rows: Tensor, dtype: torch.dtype) -> bytes:
    rounded = rows.to(dtype).contiguous()
    if not bool(torch.isfinite(rounded).all()):
        raise invalid_option(
            "dataType",
            str(dtype).removeprefix("torch."),
            f"the merged {name} has values beyond its range",
            "Use bfloat16 or float32.",
        )
    return rounded.view(-1).view(torch.uint8).numpy().tobytes()


def _cut(name: str, content: bytes) -> Pieces:
    for start in range(0, len(content), _PIECE):
        yield name, content[start : start + _PIECE]


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
