"""The device and its machine: threads, memory, and out-of-memory errors."""

import os
import platform
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.torch_backend.kernels.cpu import processor_name

T = TypeVar("T")

_CGROUP = Path("/sys/fs/cgroup")
_ONE_THREAD_PARAMETERS = 1_000_000
"""A model with fewer parameters computes faster on one thread: its matrices are too small to divide.

A model of 2 M parameters trained 1.7 times as fast on two threads as on one.
"""


def open_device(name: str) -> torch.device:
    """Raises LadError(INVALID_OPTION) when the machine has no such device."""
    if name == "cuda" and not torch.cuda.is_available():
        raise invalid_option(
            "device",
            name,
            "torch finds no CUDA device",
            "Use cpu, or install a CUDA build of torch and a driver.",
        )
    return torch.device(name)


def on_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copies a host tensor to the device. A copy to CUDA uses pinned memory, and the host does not wait for it."""
    if tensor.is_cuda:
        return tensor.to(device)
    return pinned(tensor, device).to(device, non_blocking=True)


def pinned(tensor: Tensor, device: torch.device) -> Tensor:
    """A host tensor in memory from which a copy to `device` need not wait for it."""
    return tensor.pin_memory() if device.type == "cuda" else tensor


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return processor_name() or platform.machine()


def memory_bytes(device: torch.device) -> int:
    """The accelerator's memory; for the CPU the machine's, or the container's limit if that is less."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _cgroup("memory.max")
    return min(machine, int(limit)) if limit.isdecimal() else machine


def cores() -> int:
    """The number of cores that this process may use, limited by its CPU affinity and its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _cgroup("cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal():
        allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


def threads_for(parameter_count: int) -> int:
    return 1 if parameter_count < _ONE_THREAD_PARAMETERS else cores()


def in_passing_thread(function: Callable[[], T]) -> T:
    """Runs a computation outside the engine's thread, in a thread that ends with it.

    Any thread that has computed in parallel keeps a team of OpenMP threads while it lives. With more such threads than cores,
    libgomp lets none of them spin while it waits, which halves the speed of a small model.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="lad-passing") as thread:
        return thread.submit(function).result()


def memory_error(error: BaseException) -> LadError | None:
    """LadError(OUT_OF_MEMORY) for torch's several out-of-memory errors; None for any other error."""
    said_so = isinstance(error, RuntimeError) and re.search("out of memory|can't allocate memory", str(error))
    if not (isinstance(error, torch.OutOfMemoryError) or said_so):
        return None
    return LadError(
        ErrorCode.OUT_OF_MEMORY,
        "The computation does not fit into the device's memory.",
        remedy="Use smaller micro-batches (microBatchTokens), fewer canvases or a lower rank, or drop adapters.",
    )


def _cgroup(name: str) -> str:
    try:
        return (_CGROUP / name).read_text().strip()
    except OSError:
        return ""
