"""Memory of this process in bytes: what it holds now, and the most that it held. On an accelerator, of that alone."""

import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def resident_bytes() -> int:
    """What is held now; where the system does not tell, the most that was."""
    if cuda := _cuda():
        return int(cuda.memory_allocated())
    return _status("VmRSS") or peak_bytes()


def peak_bytes() -> int:
    """The most that was held since `forget_peak`; where the system cannot forget, since the process began."""
    if cuda := _cuda():
        return int(cuda.max_memory_allocated())
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def forget_peak() -> None:
    """Lets the peak begin again at what is held now, so that a model's loading is no part of it."""
    if cuda := _cuda():
        cuda.reset_peak_memory_stats()
    with suppress(OSError):
        _CLEAR.write_text("5")


def _cuda() -> Any:
    """`torch.cuda` of a process that computes there; None of any other, torch then not being imported for it."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch and torch.cuda.is_initialized() else None


def _status(name: str) -> int:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)
