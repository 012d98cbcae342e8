"""Kernels that torch.compile fuses: the numbers of the others, for any number of rows, in both directions."""

import shutil

import pytest
import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import GradientRequest, LogitsRequest
from lad_runtime.torch_backend.model import compiled_elementwise as compiled
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment

CPU = torch.device("cpu")


@pytest.mark.skipif(
    shutil.which("g++") is None, reason="torch.compile needs a C++ compiler, and there is no g++"
)
def test_compiled_kernels_compute_what_the_others_do(model: Llama, make_adapter) -> None:
    kernels, seconds = compiled.compiled_kernels(model.config, CPU, torch.float32)
    assert seconds > 0
    fused = Llama(model.config, model.weights, kernels=kernels)
    adapter = make_adapter(targets=("q_proj", "v_proj", "up_proj", "down_proj"))
    for length in (1, 33, 200):
        tokens = torch.arange(length) % 60
        (one,), (other,) = (logits_of(llama, tokens, adapter) for llama in (model, fused))
        assert (one - other).abs().max() <= 1e-5 * one.abs().max()
        gradients, fused_gradients = (gradients_of(llama, tokens, adapter) for llama in (model, fused))
        rounding = 1e-6 * max(
            gradient.abs().max() for gradient in gradients.values()
        )  # all that one token's query has
        for name, gradient in gradients.items():
            difference = fused_gradients[name] - gradient
            assert difference.abs().max() <= 1e-4 * gradient.abs().max() + rounding, name


def test_a_machine_that_cannot_compile_says_what_it_lacks(config: LlamaConfig, monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(compiled.torch, "compile", lambda function, **_: broken)
    with pytest.raises(LadError, match=r"compile is true.*g\+\+") as caught:
        compiled.compiled_kernels(config, CPU, torch.float32)
    assert (caught.value.code, caught.value.option) == (ErrorCode.INVALID_OPTION, "compile")


def logits_of(model: Llama, tokens: Tensor, adapter: LoraAdapter) -> tuple[Tensor, ...]:
    request = LogitsRequest(
        segments=(Segment(ids=tokens, adapter=adapter),), rows=(torch.arange(len(tokens)),)
    )
    return compute(model, [request])[0]


def gradients_of(model: Llama, tokens: Tensor, adapter: LoraAdapter) -> dict[str, Tensor]:
    for parameter in adapter.parameters.values():
        parameter.grad = None
    segment = Segment(ids=tokens, adapter=adapter)
    compute(
        model, [GradientRequest(segments=(segment,), targets=(tokens,), weights=(torch.ones(len(tokens)),))]
    )
    return {
        name: parameter.grad.clone()
        for name, parameter in adapter.parameters.items()
        if parameter.grad is not None
    }
