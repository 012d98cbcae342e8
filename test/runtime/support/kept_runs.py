"""Runs to keep: what they are told to do, and events that they tell."""

import math
from pathlib import Path
from typing import Any

from lad_runtime.engine.store.run_store import RunStore
from lad_runtime.types.data import WindowReport
from lad_runtime.types.runs import LoggedEvent, RunInfo, RunRecipe
from lad_runtime.types.training_events import (
    CheckpointEvent,
    LossReport,
    StepEvent,
    TrainingStarted,
    ValidationEvent,
)
from method_specs import schedule_spec, window_spec
from type_specs import adapter_spec, base_spec, run_spec

STARTED = TrainingStarted(
    report=WindowReport(
        examples=1, kept=1, dropped=0, truncated=0, prompt_tokens=2, answer_tokens=3, tail_tokens=0
    ),
    validation_report=None,
    trainable_parameters=8,
    accounted_bytes=64,
    from_step=0,
    warnings=("Grüße.",),
)


def loss_report(loss: float) -> LossReport:
    """Without a tail, whose mean is over no tokens."""
    return LossReport(
        loss=loss,
        ce=loss / 3,
        content_ce=loss / 7,
        tail_ce=math.nan,
        corrupted_ce=loss * 2,
        corrupted_content_ce=loss * 2,
        tokens=8,
        supervised_tokens=8,
        content_tokens=8,
        tail_tokens=0,
        corrupted_tokens=4,
        corrupted_content_tokens=4,
    )


def step_event(step: int) -> StepEvent:
    return StepEvent(
        step=step,
        epoch=step / 3,
        report=loss_report(1 / step),
        gradient_norm=0.1 * step,
        learning_rate=1e-3 / step,
        seconds=0.25,
        tokens_per_second=32.0,
    )


def events_of(steps: int, every: int = 2) -> list[Any]:
    """A run's events: it validates before its first step, and validates and saves every few steps."""
    told: list[Any] = [STARTED, ValidationEvent(step=0, report=loss_report(2.0))]
    for step in range(1, steps + 1):
        told.append(step_event(step))
        if step % every == 0:
            told += [
                ValidationEvent(step=step, report=loss_report(2 / step)),
                CheckpointEvent(step=step, name="best"),
            ]
    return told


def logged(events: list[Any], first: int = 0) -> list[LoggedEvent]:
    return [LoggedEvent(seq=first + n, time=1000.5 + n, event=event) for n, event in enumerate(events)]


def training_recipe(**options: Any) -> RunRecipe:
    spec = run_spec(
        **{
            "steps": 10,
            "window": window_spec(window=40),
            "schedule": schedule_spec(learning_rate=1e-3),
            **options,
        }
    )
    return RunRecipe(
        base=base_spec(),
        base_revision="r1",
        adapter=adapter_spec(rank=4, alpha=4.0, targets=("q_proj", "v_proj")),
        is_fresh=True,
        training=spec,
        sampling=None,
    )


def run_info(run_id: str, **changes: Any) -> RunInfo:
    fields = {"kind": "training", "state": "queued", "base_id": "b", "adapter_id": "a", "next_seq": 0}
    fields |= {"error": None, "base_name": "stub", "checkpoint": "best", "created": 1.5, "total_steps": 10}
    return RunInfo(**{"id": run_id, **fields, **changes})


def kept_run(state: Path, run_id: str = "run-1", steps: int = 5, **options: Any) -> list[LoggedEvent]:
    """Keeps a run of so many steps, as a worker that is then gone has left it."""
    store = RunStore(state)
    store.add(run_info(run_id), training_recipe(**options))
    told = logged(events_of(steps))
    for each in told:
        store.keep(run_id, each)
    store.close()
    return told
