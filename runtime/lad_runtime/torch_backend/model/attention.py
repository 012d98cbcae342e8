"""Attention on flat batches. Each sequence attends to its cache or context, and to itself: in full, in two parts (`prefix`) or
causally."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from lad_runtime.torch_backend.kernels.rope import rotate_
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.flash_attention import variable_length
from lad_runtime.torch_backend.model.flat_batch import FlatBatch
from lad_runtime.torch_backend.model.layout import Block, Stack


def attend(
    qkv_NE: Tensor, batch: FlatBatch, layer: int, cos: Tensor, sin: Tensor, config: LlamaConfig
) -> Tensor:
    """Rotates queries and keys, and attends. Overwrites `qkv` [N, (heads + 2 kv_heads) · head_dim]; returns [N, heads · head_dim].

    On the CPU it makes one maskless SDPA call per stack of equal sequences (two in the mode `prefix`). On CUDA in half precision
    it makes one variable-length flash call per block of sequences of any length, with or without a past. Padding rows are
    undefined.
    """
    rotated = _rotated(qkv_NE, cos, sin, config)
    parts: Sequence[Block | Stack] = batch.blocks if _has_flash(qkv_NE, config) else batch.stacks
    sizes = [part.stop - part.start for part in parts]
    pieces = rotated.split_with_sizes(sizes) if len(parts) > 1 else (rotated,)
    outputs = [_part(piece, part, layer, config) for piece, part in zip(pieces, parts, strict=True)]
    return torch.cat(outputs) if len(outputs) > 1 else outputs[0]


def _has_flash(qkv: Tensor, config: LlamaConfig) -> bool:
    return qkv.is_cuda and qkv.dtype in (torch.float16, torch.bfloat16) and config.head_dim % 8 == 0


def _part(qkv: Tensor, part: Block | Stack, layer: int, config: LlamaConfig) -> Tensor:
    if isinstance(part, Stack) and part.count == 0:
        return qkv.new_zeros(part.stop - part.start, config.query_size)
    heads = qkv.view(qkv.shape[0], -1, config.head_dim)
    q, k, v = heads.split_with_sizes((config.num_heads, config.num_kv_heads, config.num_kv_heads), dim=-2)
    if isinstance(part, Block):
        attended = variable_length(q, *_seen(k, v, part, layer), part)
    elif part.cache is not None:
        seen = part.cache.write(layer, k, v)
        attended = _one_by_one(q, *seen) if part.one_by_one else _cached(q, *seen, part.causal)
    else:
        if part.contexts:
            k, v = _behind(part, k, v, layer)
        shape = (part.count, -1)
        q, k, v = (tensor.unflatten(0, shape).transpose(1, 2) for tensor in (q, k, v))
        attended = _split(q, k, v, part.split) if part.split else _whole(q, k, v, part.causal)
        attended = attended.transpose(1, 2)
    return attended.reshape(qkv.shape[0], config.query_size)


def _whole(q_BHLD: Tensor, k_BHLD: Tensor, v_BHLD: Tensor, causal: bool) -> Tensor:
    return F.scaled_dot_product_attention(q_BHLD, k_BHLD, v_BHLD, is_causal=causal, enable_gqa=True)


def _split(q_BHLD: Tensor, k_BHLD: Tensor, v_BHLD: Tensor, split: int) -> Tensor:
    """Lets the first `split` tokens see one another, and all others see everything."""
    prompt = _whole(q_BHLD[:, :, :split], k_BHLD[:, :, :split], v_BHLD[:, :, :split], causal=False)
    return torch.cat((prompt, _whole(q_BHLD[:, :, split:], k_BHLD, v_BHLD, causal=False)), dim=2)


def _cached(q_LHD: Tensor, k_THD: Tensor, v_THD: Tensor, causal: bool) -> Tensor:
    """New tokens attend to everything in the cache, which includes themselves; causal ones only up to their own position."""
    new, total = q_LHD.shape[0], k_THD.shape[0]
    mask = None
    if causal and 1 < new < total:
        mask = torch.ones(new, total, dtype=torch.bool, device=q_LHD.device).tril_(total - new)
    q, k, v = (tensor.transpose(0, 1).unsqueeze(0) for tensor in (q_LHD, k_THD, v_THD))
    from_start = causal and new == total and new > 1
    attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=from_start, enable_gqa=True)
    return attended.squeeze(0).transpose(0, 1)


def _one_by_one(q_LHD: Tensor, k_THD: Tensor, v_THD: Tensor) -> Tensor:
    """The same, a call for each token: several rows behind a mask are rounded otherwise than one row on its own past."""
    past = len(k_THD) - len(q_LHD) + 1
    k, v = (tensor.transpose(0, 1).unsqueeze(0) for tensor in (k_THD, v_THD))
    # Each row [1, H, 1, D]. To make a view takes as long as a fifth of one row's attention, so keys and values are turned once.
    rows = q_LHD[:, None, :, None].unbind()
    attended = [
        F.scaled_dot_product_attention(
            row, k.narrow(2, 0, past + i), v.narrow(2, 0, past + i), enable_gqa=True
        )
        for i, row in enumerate(rows)
    ]
    return torch.cat(attended).squeeze(2)


def _seen(k_NHD: Tensor, v_NHD: Tensor, block: Block, layer: int) -> tuple[Tensor, Tensor]:
    """Keys and values of a block's sequences, each preceded by those of its past."""
    if block.is_plain:
        return k_NHD, v_NHD
    sizes = [stack.stop - stack.start for stack in block.stacks]
    keys: list[Tensor] = []
    values: list[Tensor] = []
    # One split: with a slice for each stack, each gradient would be a tensor of the whole block.
    for stack, k, v in zip(block.stacks, k_NHD.split(sizes), v_NHD.split(sizes), strict=True):
        if stack.cache is not None:
            k, v = stack.cache.write(layer, k, v)
        elif stack.contexts:
            k, v = _behind(stack, k, v, layer)
        keys.append(k)
        values.append(v)
    return torch.cat(keys), torch.cat(values)


def _behind(stack: Stack, k_NHD: Tensor, v_NHD: Tensor, layer: int) -> tuple[Tensor, Tensor]:
    """Keys and values of a stack's sequences, each preceded by those of its context."""
    pasts = [context.read(layer) for context in stack.contexts]
    tokens = (stack.stop - stack.start) // stack.count
    new = zip(k_NHD.split(tokens), v_NHD.split(tokens), strict=True)
    keys, values = zip(*(pair for both in zip(pasts, new, strict=True) for pair in both), strict=True)
    return torch.cat(keys), torch.cat(values)


def _rotated(qkv: Tensor, cos: Tensor, sin: Tensor, config: LlamaConfig) -> Tensor:
    turning = config.num_heads + config.num_kv_heads
    if torch.is_grad_enabled():
        return _Rotation.apply(qkv, cos, sin, turning, config.head_dim)
    rotate_(qkv.view(qkv.shape[0], -1, config.head_dim)[:, :turning], cos, sin)
    return qkv


class _Rotation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, qkv: Tensor, cos: Tensor, sin: Tensor, turning: int, head_dim: int) -> Tensor:
        ctx.mark_dirty(qkv)
        ctx.save_for_backward(cos, sin)
        ctx.sizes = turning, head_dim
        rotate_(qkv.unflatten(-1, (-1, head_dim))[:, :turning], cos, sin)
        return qkv

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        cos, sin = ctx.saved_tensors
        turning, head_dim = ctx.sizes
        # In place: the gradient comes from the split into heads as a new tensor, which nothing else reads.
        rotate_(gradient.unflatten(-1, (-1, head_dim))[:, :turning], cos, -sin)
        return gradient, None, None, None, None
