"""A run's losses in files, as they come: `metrics.jsonl`, and TensorBoard's event files if it asked for them."""

import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lad_runtime.engine.store.appending import whole_or_nothing
from lad_runtime.engine.store.tensorboard import TensorBoardFile
from lad_runtime.types.runs import LoggedEvent
from lad_runtime.types.training_events import LossReport, StepEvent, ValidationEvent

FILE = "metrics.jsonl"


class Metrics:
    """The folder of one run. What is appended is a step or a validation: a line of JSON, and a record of TensorBoard's."""

    def __init__(self, folder: Path, *, tensorboard: bool) -> None:
        self._folder = folder
        self._file = folder / FILE
        self._tensorboard = TensorBoardFile(folder) if tensorboard else None
        self._last = -1  # number of the last event that was appended

    def append(self, logged: Sequence[LoggedEvent]) -> None:
        """Appends what has not been appended yet. Raises OSError, with none of them in `metrics.jsonl`."""
        told = [
            each
            for each in logged
            if each.seq > self._last and isinstance(each.event, StepEvent | ValidationEvent)
        ]
        if not told:
            return
        lines = [metrics_of(each) for each in told]
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
        with whole_or_nothing(self._file) as file:
            file.write(text.encode())
            if self._tensorboard is not None:
                file.flush()
                self._tensorboard.append(lines)
        self._last = told[-1].seq

    def rewind(self, step: int) -> None:
        """Takes back what was written of later steps; with step 0 everything, since the run then begins again."""
        if self._file.exists():
            os.truncate(self._file, _kept_bytes(self._file, step))
        if self._tensorboard is not None:
            self._tensorboard.rewind(step)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def metrics_of(logged: LoggedEvent) -> Mapping[str, Any]:
    """A step or validation as a flat object, in the SDK's names; a mean over no tokens is null."""
    event = logged.event
    assert isinstance(event, StepEvent | ValidationEvent)
    line: dict[str, Any] = {
        "type": "step" if isinstance(event, StepEvent) else "validation",
        "step": event.step,
    }
    line |= _losses(event.report)
    if isinstance(event, ValidationEvent) and event.best is not None:
        line |= {"bestStep": event.best.step, "bestCe": event.best.ce}
    if isinstance(event, StepEvent):
        line |= {
            "epoch": event.epoch,
            "gradientNorm": event.gradient_norm,
            "learningRate": event.learning_rate,
            "seconds": event.seconds,
            "tokensPerSecond": event.tokens_per_second,
        }
    return {name: _finite(value) for name, value in line.items()} | {"time": logged.time}


def _losses(report: LossReport) -> dict[str, Any]:
    return {_camel(name): value for name, value in asdict(report).items()}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _kept_bytes(file: Path, step: int) -> int:
    """The length of the lines up to that step. A line that a crash has cut off is not one of them."""
    kept = 0
    with file.open("rb") as lines:
        for line in lines:
            if step == 0 or not line.endswith(b"\n") or json.loads(line)["step"] > step:
                break
            kept += len(line)
    return kept
