"""Runs that keep the adapter of their best validation, end early, go back to it, and do all that when they are resumed too."""

import hashlib
from dataclasses import replace

import pytest

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.types.early_stopping import ValidationWatch, validation_ce
from lad_runtime.types.training import TrainingControl
from lad_runtime.types.training_events import CheckpointEvent, StepEvent, TrainingStarted, ValidationEvent
from method_specs import schedule_spec
from training_runs import BASE, begin_run, kill_after
from training_support import drive, new_adapter, same, training, weights_of
from type_specs import validation_spec

# So high that the validation is lowest within the run, neither at its start nor at its end.
RATE = schedule_spec(learning_rate=0.2, warmup_steps=0, decay="constant")


def watched(steps=12, patience=0, validation=None, **options):
    """A run that validates every other step and keeps its best."""
    asked = {"every_steps": 2, "seed": 9, "keep_best": "best", "patience": patience, **(validation or {})}
    return training(steps=steps, schedule=RATE, validation=validation_spec(**asked), **options)


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "store")


def run(store, spec, **options):
    """Returns (trained adapter, events, outcome)."""
    trained = new_adapter()
    events, outcome = drive(begin_run(store, spec, trained, **options), BASE.model)
    return trained, events, outcome


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def log(events):
    """Everything that events say but for the time that passed."""
    timeless = [
        replace(e, seconds=0.0, tokens_per_second=0.0) if isinstance(e, StepEvent) else e for e in events
    ]
    return [repr(event) for event in timeless if not isinstance(event, TrainingStarted)]


def files(store):
    """The digests of the tensors of every checkpoint."""
    paths = list(store._root.rglob("*.safetensors"))
    return {
        str(path.relative_to(store._root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def ces(events):
    return {event.step: validation_ce(event.report) for event in of_kind(events, ValidationEvent)}


# --- the best -------------------------------------------------------------------------------------------------------------


def test_the_adapter_of_the_lowest_validation_is_kept_as_it_was_then(store, tmp_path):
    trained, events, outcome = run(store, watched())
    by_step = ces(events)
    best = min(by_step, key=lambda step: by_step[step])
    assert 0 < best < 12, by_step
    assert (outcome.best.step, outcome.best.ce, outcome.best.checkpoint) == (best, by_step[best], "best")
    assert (outcome.steps, outcome.stopped) == (12, "steps")

    kept = store.read("best")
    there, _, _ = run(CheckpointStore(tmp_path / "other"), watched(steps=best))
    assert kept.run.step == kept.steps == best
    assert same(kept.parameters, weights_of(there))
    assert not same(kept.parameters, weights_of(trained))


def test_events_tell_of_the_best_so_far_and_of_each_that_is_kept(store):
    _, events, _ = run(store, watched())
    by_step, lowest, kept = ces(events), None, []
    for event in of_kind(events, ValidationEvent):
        if lowest is None or by_step[event.step] < by_step[lowest]:
            lowest = event.step
            kept.append(CheckpointEvent(step=lowest, name="best"))
        assert (event.best.step, event.best.ce) == (lowest, by_step[lowest])
    assert of_kind(events, CheckpointEvent) == kept
    assert kept[0].step == 0


def test_a_run_that_keeps_nothing_tells_of_its_best_and_computes_the_same(store):
    kept, _, outcome = run(store, watched())
    plain, events, told = run(store, watched(validation={"keep_best": ""}))
    assert told.best == replace(outcome.best, checkpoint="")
    assert of_kind(events, CheckpointEvent) == []
    assert same(weights_of(plain), weights_of(kept))


def test_a_run_that_keeps_its_best_fails_before_its_first_step_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    told = []
    with pytest.raises(LadError) as refused:
        drive(
            begin_run(CheckpointStore(tmp_path / "file"), watched(), new_adapter()), BASE.model, told.append
        )
    assert refused.value.code is ErrorCode.STORAGE
    assert of_kind(told, StepEvent) == []


# --- the end --------------------------------------------------------------------------------------------------------------


def stops_after(by_step, patience, min_delta=0.0):
    """The step after which a run of these validations ends."""
    watch = ValidationWatch()
    for step, ce in by_step.items():
        watch = watch.after(step, ce, min_delta)
        if watch.is_exhausted(patience):
            return step
    return max(by_step)


@pytest.mark.parametrize("patience", [1, 2])
def test_a_run_ends_after_as_many_validations_without_an_improvement(store, tmp_path, patience):
    _, all_events, _ = run(CheckpointStore(tmp_path / "whole"), watched(steps=20))
    end = stops_after(ces(all_events), patience)
    assert end < 20
    trained, events, outcome = run(store, watched(steps=20, patience=patience, checkpoint="run-1"))
    assert (outcome.steps, outcome.stopped, trained.steps) == (end, "early", end)
    assert ces(events) == {step: ce for step, ce in ces(all_events).items() if step <= end}
    assert events[-1] == CheckpointEvent(step=end, name="run-1")
    assert store.read("run-1").run.step == end


def test_a_run_that_is_set_back_has_weights_optimizer_and_steps_of_its_best(store):
    plain, _, _ = run(store, watched(patience=1))
    spec = watched(patience=1, validation={"restore_best": True, "overwrite_best": True})
    trained, _, outcome = run(store, spec)
    best = store.read("best")
    assert trained.steps == outcome.best.step < outcome.steps
    assert same(weights_of(trained), best.parameters)
    assert same(trained.optimizer.state(), best.optimizer_state)
    assert trained.claims == best.claims
    assert not same(weights_of(trained), weights_of(plain))


def test_a_stopping_worker_does_not_interrupt_a_run_whose_patience_is_over(store):
    end = run(store, watched(patience=1))[2].steps
    taken = []
    control = TrainingControl(stopping=lambda: len(taken) == end)
    spec = watched(patience=1, validation={"overwrite_best": True})
    work = begin_run(store, spec, new_adapter(), control=control)
    see = lambda event: taken.append(event) if isinstance(event, StepEvent) else None  # noqa: E731
    assert drive(work, BASE.model, see)[1].stopped == "early"


# --- resumed --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("killed_after", [5, 6, 7, 9])
def test_a_resumed_run_ends_at_the_same_step_with_the_same_best_to_the_bit(store, tmp_path, killed_after):
    options = {"checkpoint": "run-1", "checkpoint_every_steps": 3, "validation": {"restore_best": True}}
    spec = watched(steps=20, patience=2, **options)
    uninterrupted = CheckpointStore(tmp_path / "whole")
    whole, all_events, outcome = run(uninterrupted, spec)
    assert killed_after < outcome.steps < 20 and outcome.stopped == "early"

    before = kill_after(begin_run(store, spec, new_adapter()), killed_after)
    resumed, after, again = run(store, replace(spec, resume=True))
    from_step = after[0].from_step
    assert from_step == killed_after // 3 * 3
    kept = [event for event in before if isinstance(event, TrainingStarted) or event.step <= from_step]
    assert log(kept) + log(after) == log(all_events)
    assert (again.best, again.stopped, again.steps) == (outcome.best, "early", outcome.steps)
    assert same(weights_of(resumed), weights_of(whole))
    assert files(store) == files(uninterrupted)


def test_a_run_that_ended_early_is_over_when_it_is_resumed_and_goes_on_with_more_patience(store):
    spec = watched(steps=20, patience=1, checkpoint="run-1", validation={"restore_best": True})
    trained, _, outcome = run(store, spec)
    again, events, same_outcome = run(store, replace(spec, resume=True))
    assert [type(event) for event in events] == [TrainingStarted]
    assert same_outcome == replace(outcome, seconds=0.0, tokens_per_second=0.0)
    assert same(weights_of(again), weights_of(trained))
    patient = replace(spec, resume=True, validation=replace(spec.validation, patience=2))
    assert run(store, patient)[2].steps > outcome.steps


def test_a_best_behind_the_resumed_checkpoint_is_taken_back(store):
    spec = watched(steps=6, checkpoint="run-1", checkpoint_every_steps=3)
    kill_after(begin_run(store, spec, new_adapter()), 5)
    assert (
        store.read("best").run.step == 4
    )  # better than that of step 2, which the checkpoint of step 3 knows
    _, _, outcome = run(store, replace(spec, steps=3, resume=True))
    assert outcome.best.step == store.read("best").run.step == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seed": 10}, "other examples are validated now"),
        ({"max_examples": 2}, "other examples are validated now"),
        ({"keep_best": "other"}, "other does not keep it"),
    ],
)
def test_a_best_that_is_not_comparable_or_not_kept_is_told_of_and_found_anew(store, change, why):
    spec = watched(steps=2, checkpoint="run-1")
    run(store, spec)
    spec = replace(spec, steps=4, resume=True, validation=replace(spec.validation, **change))
    _, events, outcome = run(store, spec)
    (warning,) = events[0].warnings
    assert warning == (
        f"The best validation before, of step 2, is not gone on from, since {why}: the best is found anew among those after step 2."
    )
    assert outcome.best.step == 4


@pytest.mark.parametrize(
    ("change", "text"),
    [({"seed": 7}, "of a run whose seed is 5"), ({"batch_size": 2}, "of a run whose batchSize is 4")],
)
def test_the_best_of_another_run_is_not_written_over_unasked(store, change, text):
    run(store, watched(steps=2))
    before = files(store)
    with pytest.raises(LadError, match=text) as refused:
        run(store, watched(steps=2, **change))
    assert (refused.value.code, refused.value.option) == (ErrorCode.ALREADY_EXISTS, "validation.keepBest")
    assert files(store) == before
    run(store, watched(steps=2, validation={"overwrite_best": True}, **change))
    assert store.read("best").run.spec[next(iter(change))] == next(iter(change.values()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"restore_best": True, "keep_best": ""},
            "validation.restoreBest is True: no checkpoint keeps the best",
        ),
        ({"patience": 2, "every_steps": 0}, "validation.patience is 2: the run validates only before"),
        ({"keep_best": "run-1"}, "validation.keepBest is run-1: the run's own checkpoint has that name"),
        ({"min_delta": -1.0}, "validation.minDelta is -1.0"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, message):
    with pytest.raises(LadError, match=message):
        watched(checkpoint="run-1", validation=options)
