"""Flash attention over sequences of any length side by side, on CUDA in half precision."""

import inspect
from functools import cache
from typing import Any

from torch import Tensor

from lad_runtime.torch_backend.model.layout import Block


def variable_length(q_NHD: Tensor, k_THD: Tensor, v_THD: Tensor, block: Block) -> Tensor:
    """Every new token of a block to all that its sequence has seen (a causal one to what is not behind it): [N, heads, head_dim].

    Fewer new tokens than seen ones are the last of them.
    """
    # Imported only here: it loads torch's compiler, which takes seconds that the CPU need not spend.
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
    """What this build of PyTorch has to be told: that key heads are shared, and that no sequence is to be summed in parts whose
    number depends on its company. PyTorch 2.11 has neither option, and its kernel does the first by itself."""
    from torch.nn.attention.varlen import varlen_attn

    known = inspect.signature(varlen_attn).parameters
    return {name: value for name, value in {"enable_gqa": True, "num_splits": 1}.items() if name in known}
