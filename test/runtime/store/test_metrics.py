"""`metrics.jsonl` and TensorBoard's event files beside a run, before and after it was interrupted."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kept_runs import events_of, kept_run, logged, loss_report, training_recipe
from lad_runtime.engine.store.metrics import Metrics
from lad_runtime.engine.store.run_store import RunStore
from lad_runtime.engine.store.tensorboard import require_tensorboard
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.training_events import BestValidation, ValidationEvent

LOSSES = ("loss", "ce", "contentCe", "tailCe", "corruptedCe", "corruptedContentCe")


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def scalars_of(folder: Path) -> dict[str, list[tuple[int, float, float]]]:
    """What TensorBoard itself reads: by tag, each step with its value and its time."""
    module = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    accumulator = module.EventAccumulator(str(folder), size_guidance={module.SCALARS: 0})
    accumulator.Reload()
    return {
        tag: [(event.step, event.value, event.wall_time) for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }


def told_in(lines: list[dict[str, Any]]) -> dict[str, list[tuple[int, float, float]]]:
    """The same from `metrics.jsonl`, rounded to TensorBoard's 32 bits."""
    told: dict[str, list[tuple[int, float, float]]] = {}
    for line in lines:
        group = "train" if line["type"] == "step" else "validation"
        for name, value in line.items():
            if name not in ("type", "step", "time") and value is not None:
                told.setdefault(f"{group}/{name}", []).append(
                    (line["step"], float(np.float32(value)), line["time"])
                )
    return told


def test_a_line_has_a_step_or_a_validation_by_the_names_of_the_sdk(tmp_path: Path) -> None:
    kept_run(tmp_path, steps=2)
    first, second, *_ = lines_of(tmp_path / "runs/run-1")
    assert (first["type"], first["step"], first["loss"]) == ("validation", 0, 2.0)
    assert second == {
        "type": "step",
        "step": 1,
        **dict(zip(LOSSES, (1.0, 1 / 3, 1 / 7, None, 2.0, 2.0), strict=True)),
        "tokens": 8,
        "supervisedTokens": 8,
        "contentTokens": 8,
        "tailTokens": 0,
        "corruptedTokens": 4,
        "corruptedContentTokens": 4,
        "epoch": 1 / 3,
        "gradientNorm": 0.1,
        "learningRate": 1e-3,
        "seconds": 0.25,
        "tokensPerSecond": 32.0,
        "time": 1002.5,
    }


def test_a_validation_tells_of_the_best_so_far_in_both(tmp_path: Path) -> None:
    best = BestValidation(step=2, ce=0.75, checkpoint="best")
    told = logged([ValidationEvent(step=step, report=loss_report(1.0), best=best) for step in (2, 4)])
    Metrics(tmp_path, tensorboard=True).append(told)
    assert [(line["step"], line["bestStep"], line["bestCe"]) for line in lines_of(tmp_path)] == [
        (2, 2, 0.75),
        (4, 2, 0.75),
    ]
    scalars = scalars_of(tmp_path)
    assert scalars == told_in(lines_of(tmp_path))
    assert [value for _, value, _ in scalars["validation/bestCe"]] == [0.75, 0.75]


@pytest.mark.parametrize("step", [0, 2, 4, 5])
def test_a_resumed_run_goes_on_behind_its_checkpoint_in_both(tmp_path: Path, step: int) -> None:
    told = kept_run(tmp_path, steps=5, tensorboard=True)
    folder = tmp_path / "runs/run-1"
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"type": "step", "st')  # what a crash has cut off
    store, recipe = RunStore(tmp_path), training_recipe(tensorboard=True)
    store.rewind("run-1", step, "base-2", recipe)
    whole = logged(events_of(8))
    rest = whole[len(events_of(step)) if step else 0 :]
    for number, each in enumerate(rest):
        store.keep("run-1", type(each)(seq=len(told) + number, time=each.time, event=each.event))
    store.close()
    uninterrupted = kept_run(tmp_path / "other", steps=8, tensorboard=True)
    assert len(uninterrupted) == len(whole)
    lines = lines_of(folder)
    assert lines == lines_of(tmp_path / "other/runs/run-1")
    assert scalars_of(folder) == told_in(lines) == scalars_of(tmp_path / "other/runs/run-1")


def test_a_failed_write_leaves_the_lines_whole_and_is_made_up_for(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    metrics = Metrics(folder, tensorboard=True)
    events = logged(events_of(4))
    metrics.append(events[:4])
    before = lines_of(folder)
    (folder / "events").mkdir()
    metrics._tensorboard._path = folder / "events"  # a folder cannot be written
    with pytest.raises(OSError):
        metrics.append(events)
    assert lines_of(folder) == before
    metrics._tensorboard._path = None
    metrics.append(events)
    metrics.append(events)
    assert [line["step"] for line in lines_of(folder)] == [0, 1, 2, 2, 3, 4, 4]


def test_without_the_package_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    require_tensorboard()
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.record_writer", None)
    with pytest.raises(LadError, match="npm run setup -- --with tensorboard") as refused:
        require_tensorboard()
    assert (refused.value.code, refused.value.option) == (ErrorCode.UNAVAILABLE, "tensorboard")
