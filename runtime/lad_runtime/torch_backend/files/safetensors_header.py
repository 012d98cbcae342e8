"""The beginning of a safetensors file, for files that are written tensor after tensor."""

import json
import math
from collections.abc import Mapping
from typing import Any

import torch

KINDS = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}


def safetensors_header(shapes: Mapping[str, tuple[int, ...]], dtype: torch.dtype) -> bytes:
    """The header's length and the header, filled up to 8 bytes; the tensors follow in this order, without gaps."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + dtype.itemsize * math.prod(shape)
        header[name] = {"dtype": KINDS[dtype], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
