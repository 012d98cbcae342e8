"""A record of the machine's matmul times in the user's cache, so that a run that is resumed later rounds as before."""

import json
import logging
import os
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import torch

from lad_runtime.torch_backend.files.user_cache import user_cache
from lad_runtime.torch_backend.kernel_choice.matmul_times import (
    MatmulTime,
    Shape,
    read_times,
    times_of_this_machine,
    write_times,
)
from lad_runtime.torch_backend.kernels.cpu import processor_features, processor_name

_FORM = 1  # the version of the file and of the measurement; files of other versions are ignored

_log = logging.getLogger(__name__)
_recorded: dict[str, list[MatmulTime]] = {}
_recording = threading.Lock()


def recorded_times(shapes: Mapping[str, Shape], threads: int) -> list[MatmulTime]:
    """The times for float32 matrices of these shapes with so many threads: read from the record, or measured and recorded.

    They stay the same while the process lives, whatever happens to the file. A damaged file is replaced; a failed write is
    logged. Empty if the measurement fails.
    """
    machine = json.dumps(_machine(shapes, threads), sort_keys=True)
    with _recording:
        if machine not in _recorded:
            _recorded[machine] = _read_or_measured(machine, shapes, threads)
        return _recorded[machine]


def _machine(shapes: Mapping[str, Shape], threads: int) -> dict[str, object]:
    """Everything that the times depend on."""
    return {
        "form": _FORM,
        "processor": processor_name(),
        "features": processor_features(),
        "torch": torch.__version__,
        "mklMode": os.environ.get("MKL_CBWR", ""),
        "threads": threads,
        "dtype": "float32",
        "shapes": {matrix: list(shape) for matrix, shape in shapes.items()},
    }


def _read_or_measured(machine: str, shapes: Mapping[str, Shape], threads: int) -> list[MatmulTime]:
    folder = user_cache()
    path = folder and folder / "matmuls" / f"{sha256(machine.encode()).hexdigest()[:16]}.json"
    recorded = path and _read(path, machine)
    if recorded:
        return recorded
    _log.info("measuring this machine's matmuls, once: %s, %d threads", dict(shapes), threads)
    measured = times_of_this_machine(shapes, threads)
    if measured and path:
        measured = _write(path, machine, measured)
    return measured


def _read(path: Path, machine: str) -> list[MatmulTime] | None:
    """The recorded times; None if the file is missing, damaged or of another machine."""
    try:
        recorded = json.loads(path.read_text())
        if json.dumps(recorded["machine"], sort_keys=True) == machine:
            return read_times(recorded["times"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("the record of this machine's matmuls cannot be read: %s: %s", path, error)
    return None


def _write(path: Path, machine: str, measured: list[MatmulTime]) -> list[MatmulTime]:
    """Writes the file atomically. If another process has just written it, returns that process's times."""
    content = json.dumps({"machine": json.loads(machine), "times": write_times(measured)}, indent=1)
    scratch = path.with_name(f".{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(content)
        try:
            os.link(scratch, path)
        except FileExistsError:
            others = _read(path, machine)
            if others:
                return others
            scratch.replace(path)
        except OSError:  # a file system without links
            scratch.replace(path)
    except OSError as error:
        _log.warning(
            "the times of this machine's matmuls cannot be kept, so a run resumed later may round otherwise: %s",
            error,
        )
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
    return measured
