"""Flash attention over a row of sequences of any length, on CUDA in half precision."""

import inspect
from functools import cache
from typing import Any

from torch import Tensor

from lad_runtime.torch_backend.model.layout import Block


def variable_length(q_NHD: Tensor, k_THD: Tensor, v_THD: Tensor, block: Block) -> Tensor:
    """Lets every new token of a block attend to its sequence's seen tokens (a causal one up to itself): [N, heads, head_dim].

    If a sequence has fewer new tokens than seen ones, the new ones are the last.
    """
    # Imported here alone: it loads torch's compiler, which takes seconds and which the CPU does not need.
    from torch.nn.attention.varlen import varlen_attn

    attended = varlen_attn(
        q_NHD,
        k_THD,
        v_THD,
        block.new.boundaries,
        block.seen.boundaries,
        block.new.longest,
        block.seen.longest,
        window_size=(-1, 0) if block.causal else (-1, -1),
        **_options(),
    )
    assert isinstance(attended, Tensor)
    return attended


@cache
def _options() -> dict[str, Any]:
    """The options that this PyTorch build knows, of two: key heads are shared, and a sequence is not summed in parts, whose number
    would depend on the other sequences. PyTorch 2.11 has neither option, and its kernel shares key heads without one."""
    from torch.nn.attention.varlen import varlen_attn

    known = inspect.signature(varlen_attn).parameters
    return {name: value for name, value in {"enable_gqa": True, "num_splits": 1}.items() if name in known}
