"""A recorder for the CPU that freezes what a CUDA graph does: the operations, their shapes, and every address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map


@dataclass(frozen=True, kw_only=True)
class Step:
    operation: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    fresh: tuple[Tensor | None, ...]  # the outputs with memory of their own, which a replay writes again


class Trace(TorchDispatchMode):
    """Notes every operation on the memory that it had."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        held = tree_map(at_this_address, (args, kwargs))
        known = {tensor.untyped_storage().data_ptr() for tensor in tree_leaves(held) if is_tensor(tensor)}
        out = operation(*args, **kwargs)
        fresh = tuple(
            at_this_address(leaf)
            if is_tensor(leaf) and leaf.untyped_storage().data_ptr() not in known
            else None
            for leaf in tree_leaves(out)
        )
        self.steps.append(Step(operation=operation, args=held[0], kwargs=held[1], fresh=fresh))
        return out


class TracedRecording:
    def __init__(self, steps: list[Step], result: Tensor) -> None:
        self.steps = steps
        self._result = result

    @torch.inference_mode()
    def replay(self) -> Tensor:
        for step in self.steps:
            again = tree_leaves(step.operation(*step.args, **step.kwargs))
            for memory, value in zip(step.fresh, again, strict=True):
                if memory is not None:
                    memory.copy_(value)
        return self._result


class TracedRecorder:
    def record(self, compute: Callable[[], Tensor]) -> TracedRecording:
        with Trace() as trace:
            result = compute()
        result.fill_(torch.nan)  # a recording has computed nothing yet
        return TracedRecording(trace.steps, result)


def is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def at_this_address(value: Any) -> Any:
    """A tensor that stays where this one is now, also if this one's memory is exchanged."""
    return value.detach() if is_tensor(value) else value
