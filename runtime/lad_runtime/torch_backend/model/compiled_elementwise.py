"""The elementwise kernels fused by torch.compile: each reads and writes its memory once."""

import os
import time

import torch
import torch.nn.functional as F
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.kernels.elementwise import Kernels
from lad_runtime.torch_backend.model.config import LlamaConfig

_ROWS = 136  # of the inputs for compilation; the compiled kernels take any number


def compiled_kernels(config: LlamaConfig, device: torch.device, dtype: torch.dtype) -> tuple[Kernels, float]:
    """Kernels for a model of this shape, and the seconds that they took to compile.

    They differ from the eager ones in the last bits, which may also depend on the batch's other rows. Raises
    LadError(INVALID_OPTION) if the machine lacks what torch.compile needs (on the CPU a C++ compiler).
    """
    # The compiler's pool of processes would outlive a killed worker.
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    started = time.perf_counter()
    kernels = Kernels(
        normalise=torch.compile(_normalise, dynamic=True),
        norm_gradient=torch.compile(_norm_gradient, dynamic=True),
        gate=torch.compile(_gate, dynamic=True),
        gate_gradient=torch.compile(_gate_gradient, dynamic=True),
    )
    try:
        with torch.no_grad():
            _run_once(kernels, config, device, dtype)
    except Exception as error:  # the compiler's own errors have no common class
        raise LadError(
            ErrorCode.INVALID_OPTION,
            f"compile is true: torch.compile does not work on this machine ({type(error).__name__}).",
            option="compile",
            value=True,
            remedy="Install a C++ compiler such as g++, or leave compile out.",
        ) from error
    return kernels, time.perf_counter() - started


def _run_once(kernels: Kernels, config: LlamaConfig, device: torch.device, dtype: torch.dtype) -> None:
    x_ND = torch.ones(_ROWS, config.hidden_size, device=device, dtype=dtype)
    gate_up_NF = torch.ones(_ROWS, 2 * config.intermediate_size, device=device, dtype=dtype)
    _, scale = kernels.normalise(x_ND, x_ND[0], config.rms_norm_eps)
    kernels.norm_gradient(x_ND, x_ND, x_ND[0], scale)
    kernels.gate_gradient(kernels.gate(gate_up_NF), gate_up_NF)


def _normalise(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    x32 = x.float()
    scale = torch.rsqrt(x32.square().mean(dim=-1, keepdim=True) + eps)
    return (x32 * scale).to(x.dtype) * weight, scale


def _norm_gradient(dy: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    x32 = x.float()
    dx = dy.float() * weight
    along = (dx * x32).sum(dim=-1, keepdim=True) * (scale.square() / x.shape[-1])
    return ((dx - x32 * along) * scale).to(x.dtype)


def _gate(gate_up: Tensor) -> Tensor:
    gate, up = gate_up.chunk(2, dim=-1)
    return F.silu(gate) * up


def _gate_gradient(dy: Tensor, gate_up: Tensor) -> Tensor:
    gate, up = (half.float() for half in gate_up.chunk(2, dim=-1))
    dy32, sigmoid = dy.float(), torch.sigmoid(gate)
    silu = gate * sigmoid
    d_gate = dy32 * up * (sigmoid + silu * (1.0 - sigmoid))
    return torch.cat((d_gate, silu * dy32), dim=-1).to(gate_up.dtype)
