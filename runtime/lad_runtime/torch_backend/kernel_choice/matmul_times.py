"""Measures each way to multiply on this machine, in another process (`matmul_trials`).

MKL's number of threads is set for a whole process, and the worker's own computations must not change meanwhile.
"""

import json
import logging
import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lad_runtime.types.bases import MatrixKernel

Shape = tuple[int, int]  # outputs, inputs

_TRIALS = "lad_runtime.torch_backend.kernel_choice.matmul_trials"
_PATIENCE_SECONDS = 600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MatmulTime:
    way: MatrixKernel
    seconds: float  # per row: the sum of the forward with few rows, the forward with many and the backward with many
    keeps_rows_apart: bool


def times_of_this_machine(shapes: Mapping[str, Shape], threads: int) -> list[MatmulTime]:
    """The times of all ways to multiply with matrices of these shapes; empty, with a warning, if measuring fails."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", _TRIALS],
            input=json.dumps({"shapes": shapes, "threads": threads}),
            env=_environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE_SECONDS,
        )
        return read_times(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _log.warning("the matmuls of this machine could not be measured: %s", error)
        return []


def _environment() -> dict[str, str]:
    """Makes waiting threads sleep, so that their clocks count only work."""
    source = str(Path(__file__).parents[3])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    waiting = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
    return {**os.environ, **waiting, "PYTHONPATH": os.pathsep.join(paths)}


def write_times(times: Sequence[MatmulTime]) -> Any:
    """Times as plain data for JSON."""
    return [asdict(one) for one in times]


def read_times(written: Any) -> list[MatmulTime]:
    """Reads the data of `write_times`. Raises ValueError for anything else."""
    try:
        times = [MatmulTime(**{**one, "way": MatrixKernel(**one["way"])}) for one in written]
    except (TypeError, KeyError) as error:
        raise ValueError("these are no times of matmuls") from error
    if not times or not all(isinstance(one.seconds, float) and 0 < one.seconds < math.inf for one in times):
        raise ValueError("a time is no number of seconds")
    return times
