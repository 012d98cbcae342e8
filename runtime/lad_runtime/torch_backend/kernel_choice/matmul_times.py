"""How long each way to multiply takes on this machine, as another process measures it (`matmul_trials`).

In another process, because how many threads MKL uses belongs to a whole one, and what a worker computes meanwhile must not change.
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
    seconds: float  # a row, forward of few rows, forward of many and backward of many summed
    keeps_rows_apart: bool


def times_of_this_machine(shapes: Mapping[str, Shape], threads: int) -> list[MatmulTime]:
    """Of every way to multiply with matrices of these shapes; none, and a warning in the log, where measuring fails."""
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
    """A thread that waits sleeps, so that its clock counts work alone."""
    source = str(Path(__file__).parents[3])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    waiting = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
    return {**os.environ, **waiting, "PYTHONPATH": os.pathsep.join(paths)}


def write_times(times: Sequence[MatmulTime]) -> Any:
    """As JSON holds them."""
    return [asdict(one) for one in times]


def read_times(written: Any) -> list[MatmulTime]:
    """Raises ValueError for what `write_times` has not written."""
    try:
        times = [MatmulTime(**{**one, "way": MatrixKernel(**one["way"])}) for one in written]
    except (TypeError, KeyError) as error:
        raise ValueError("these are no times of matmuls") from error
    if not times or not all(isinstance(one.seconds, float) and 0 < one.seconds < math.inf for one in times):
        raise ValueError("a time is no number of seconds")
    return times
