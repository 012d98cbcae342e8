"""TensorBoard's event files, written with its own package, which is imported when a run asks for them."""

import importlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lad_runtime.engine.store.appending import whole_or_nothing
from lad_runtime.errors import ErrorCode, LadError

_NAME = "events.out.tfevents"
_UNPLOTTED = ("type", "step", "time")


def require_tensorboard() -> None:
    """Raises LadError(UNAVAILABLE) without the package."""
    try:
        for name in ("record_writer", "event_pb2"):
            _part(name)
    except ImportError as error:
        raise LadError(
            ErrorCode.UNAVAILABLE,
            "TensorBoard's event files need the Python package tensorboard, which the worker does not have.",
            option="tensorboard",
            value=True,
            remedy="Run `npx lad setup --with tensorboard` (in a checkout: `npm run setup -- --with tensorboard`), or read the "
            "run's metrics.jsonl.",
        ) from error


class TensorBoardFile:
    """Scalars in a file of the run's folder. The tags are `train/ce` and `validation/ce`, with the names of `metrics.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None  # of this worker's life

    def append(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Raises OSError."""
        self._write([_scalars(line) for line in lines])

    def rewind(self, step: int) -> None:
        """Begins a file that says that the run has started anew behind `step`: TensorBoard drops what others say of later steps."""
        self._path = None
        if not list(self._folder.glob(f"{_NAME}.*")):
            return
        session = _part("event_pb2").SessionLog
        purged = {"step": step + 1 if step else 0, "session_log": session(status=session.START)}
        self._write([{"wall_time": time.time(), **purged}])

    def _write(self, events: Sequence[Mapping[str, Any]]) -> None:
        event = _part("event_pb2").Event
        first: list[Mapping[str, Any]] = []
        path = self._path or self._next_path()
        if self._path is None:
            first = [{"wall_time": time.time(), "file_version": "brain.Event:2"}]
        with whole_or_nothing(path) as file:
            writer = _part("record_writer").RecordWriter(file)
            for fields in (*first, *events):
                writer.write(event(**fields).SerializeToString())
        self._path = path

    def _next_path(self) -> Path:
        """A name that sorts behind the others: TensorBoard reads files in that order."""
        taken = [int(path.name.split(".")[3]) for path in self._folder.glob(f"{_NAME}.*")]
        return self._folder / f"{_NAME}.{max(int(time.time()), *taken, 0) + 1:010d}.lad"


def _scalars(line: Mapping[str, Any]) -> Mapping[str, Any]:
    summary = _part("summary_pb2").Summary
    group = "train" if line["type"] == "step" else "validation"
    values = [
        summary.Value(tag=f"{group}/{name}", simple_value=value)
        for name, value in line.items()
        if name not in _UNPLOTTED and value is not None
    ]
    return {"wall_time": line["time"], "step": line["step"], "summary": summary(value=values)}


def _part(name: str) -> Any:
    package = "tensorboard.summary.writer" if name == "record_writer" else "tensorboard.compat.proto"
    return importlib.import_module(f"{package}.{name}")
