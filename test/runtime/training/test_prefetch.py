"""Noise that is drawn on a thread of its own, a step ahead: to the same bits, and with nothing left behind."""

import itertools
import threading
import time

import pytest

from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import GradientRequest, HostRequest
from lad_runtime.torch_backend.training import rows
from lad_runtime.torch_backend.training.training_run import TrainingRun
from lad_runtime.types.runs import RunPaused
from lad_runtime.types.training import TrainingControl
from lad_runtime.types.work import Park
from training_runs import BASE, begin_run
from training_support import drive, new_adapter, same, training, weights_of


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path)


def drawing():
    """The threads on which noise is drawn now."""
    return [thread for thread in threading.enumerate() if thread.name == "lad-prefetch"]


@pytest.fixture
def endless(monkeypatch):
    """Has every drawing go on until nobody wants it any more, from the second one on."""
    drawn, number = rows.NoisedBatch.drawn, itertools.count()

    def draw(noising, examples, draws, unwanted):
        if next(number) > 0:
            while not unwanted():
                time.sleep(0.001)
        return drawn(noising, examples, draws, unwanted)

    monkeypatch.setattr(rows.NoisedBatch, "drawn", draw)


@pytest.mark.parametrize("how", ["closed", "failed"])
def test_a_run_that_ends_early_leaves_no_thread_behind(store, endless, how):
    running = begin_run(store, training(steps=3), new_adapter())
    reply = None
    while not isinstance(item := running.send(reply), GradientRequest):
        reply = compute(BASE.model, [item])[0] if isinstance(item, HostRequest) else None
    assert len(drawing()) == 1
    if how == "closed":
        running.close()
    else:
        with pytest.raises(MemoryError):
            running.throw(MemoryError())
    assert not drawing()


def test_a_step_is_computed_while_the_noise_of_the_next_is_drawn(store, monkeypatch):
    drawing, begun, computing = TrainingRun._drawing, [], []

    def begin(run, step):
        begun.append(step)
        return drawing(run, step)

    def see(item):
        if isinstance(item, GradientRequest):
            computing.append(list(begun))

    monkeypatch.setattr(TrainingRun, "_drawing", begin)
    spec = training(steps=3, micro_batch_tokens=1000)
    drive(begin_run(store, spec, new_adapter()), BASE.model, on_request=see)
    assert computing == [[0, 1], [0, 1, 2], [0, 1, 2]]


def test_a_parked_run_draws_nothing_and_goes_on_to_the_same_bits(store):
    spec, pausing = training(steps=4), iter([False, False, True, True, False, *[False] * 9])
    seen = []

    def see(event):
        if isinstance(event, RunPaused | Park):
            seen.append((type(event), drawing()))

    whole, paused_run = new_adapter(), new_adapter()
    drive(begin_run(store, spec, whole), BASE.model)
    control = TrainingControl(pausing=lambda: next(pausing))
    drive(begin_run(store, spec, paused_run, control=control), BASE.model, on_event=see)
    assert seen == [(RunPaused, []), (Park, [])]
    assert same(weights_of(whole), weights_of(paused_run))
    assert not drawing()


def test_what_goes_wrong_as_noise_is_drawn_is_the_runs_error(store, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(rows, "apply_noise", fail)
    with pytest.raises(MemoryError):
        drive(begin_run(store, training(steps=2), new_adapter()), BASE.model)
    assert not drawing()
