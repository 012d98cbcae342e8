"""What a client may hold the engine for is one micro-step: whatever it asks for is made between others' turns."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.row import NoisedRow
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.forward.requests import HostRequest
from lad_runtime.torch_backend.training import primitives, rows
from lad_runtime.torch_backend.training.trainer import train
from lad_runtime.torch_backend.training.validate import validate
from lad_runtime.types.primitives import NoisedExamples
from lad_runtime.types.training_events import StepEvent
from method_specs import NOISE_BUILDERS, loss_spec, targeted_sequence, window_spec
from training_support import EXAMPLES, REPORT, drive, new_adapter, same, tiny_base, training, weights_of
from type_specs import forward_spec
from worker_support import SEQUENCE, Bench

BASE = tiny_base()
SLICE_TOKENS = 512
MANY = 375  # examples of 6 to 16 tokens: a dozen slices
MICRO = 256
CORRUPTED = loss_spec(supervise="corrupted-answer-tokens")


@pytest.fixture
def short_slices(monkeypatch):
    """Slices of an eighth of their length, so that as many are made of an eighth of the work."""
    monkeypatch.setattr("lad_runtime.torch_backend.forward.host_time.SLICE_TOKENS", SLICE_TOKENS)


@pytest.fixture
def stretches(monkeypatch):
    """Tokens that were noised or targeted since the last request, and the most that ever were."""
    stretches = {"now": 0, "most": 0, "all": 0}

    def counted(function):
        def count(example, *values, **options):
            stretches["all"] += len(example.ids)
            if threading.current_thread() is threading.main_thread():  # which drives the work
                stretches["now"] += len(example.ids)
                stretches["most"] = max(stretches["most"], stretches["now"])
            return function(example, *values, **options)

        return count

    for name in ("apply_noise", "targeted", "supervised_positions"):
        monkeypatch.setattr(rows, name, counted(getattr(rows, name)))
    return stretches


def drive_in_stretches(work, stretches):
    """Drives a work, and counts its stretches anew from request to request."""

    def begin(_):
        stretches["now"] = 0

    return drive(work, BASE.model, on_request=begin)


def run(store, spec, trained):
    return train(BASE, trained, EXAMPLES, REPORT, spec, None, checkpoints=store, offloads=None)


def noised(loss=CORRUPTED, noise="lad", count=MANY):
    return NoisedExamples(
        dataset_id="d",
        window=window_spec(window=16),
        noise=NOISE_BUILDERS[noise](),
        loss=loss,
        context="prompt",
        canvas_tokens=0,
        seed=1,
        epoch=0,
        rows=tuple(row % len(EXAMPLES) for row in range(count)),
    )


@pytest.mark.usefixtures("short_slices")
@pytest.mark.parametrize("loss", [loss_spec(), CORRUPTED], ids=["all tokens", "corrupted tokens"])
@pytest.mark.parametrize("noise", ["lad", "none", "own-draft"])
@pytest.mark.parametrize("what", ["a step", "forwardBackward", "validation"])
def test_what_is_made_between_two_requests_does_not_grow_with_the_request(
    what, noise, loss, stretches, tmp_path
):
    if what == "a step":
        spec = training(
            steps=1, batch_size=MANY, micro_batch_tokens=MICRO, noise=NOISE_BUILDERS[noise](), loss=loss
        )
        work = run(CheckpointStore(tmp_path), spec, new_adapter())
    elif what == "forwardBackward":
        forward = forward_spec(micro_batch_tokens=MICRO)
        work = primitives.forward_backward_noised(BASE, new_adapter(), EXAMPLES, noised(loss, noise), forward)
    else:
        examples = EXAMPLES * (MANY // len(EXAMPLES))
        options = {"attention": "full", "micro_batch_tokens": MICRO}
        work = validate(BASE, None, examples, NOISE_BUILDERS[noise](), loss, 1, **options)
    drive_in_stretches(work, stretches)
    assert stretches["all"] > 10 * SLICE_TOKENS
    assert stretches["most"] <= 3 * (SLICE_TOKENS + 16)  # each token is noised, looked at and targeted


@pytest.mark.usefixtures("short_slices")
def test_sequences_of_which_nothing_is_supervised_are_passed_over_between_others_turns():
    empty = targeted_sequence(ids=(1,) * 16, targets=(-1,) * 16, weights=(0.0,) * 16)
    work = primitives.forward_backward(BASE, new_adapter(), (empty,) * MANY, forward_spec())
    requests = []
    _, result = drive(work, BASE.model, on_request=requests.append)
    assert len(requests) == MANY * 16 // SLICE_TOKENS
    assert all(isinstance(request, HostRequest) for request in requests)
    assert (result.loss, result.tokens, len(result.ce)) == (0.0, MANY * 16, MANY)


def test_a_batch_holds_no_more_rows_at_once_than_a_micro_batch_and_the_noise_that_it_keeps(monkeypatch):
    living, most = 0, 0
    made = rows.Noising.row

    class Counted(NoisedRow):
        def __del__(self):
            nonlocal living
            living -= 1

    def count(self, *given):
        nonlocal living, most
        row = made(self, *given)
        living += 1
        most = max(most, living)
        return Counted(sequence=row.sequence, example=row.example, noised=row.noised, soft=row.soft)

    monkeypatch.setattr(rows.Noising, "row", count)
    work = primitives.forward_backward_noised(
        BASE, new_adapter(), EXAMPLES, noised(), forward_spec(micro_batch_tokens=MICRO)
    )
    drive(work, BASE.model)
    assert 10 < most <= MICRO // 6 + 2
    assert living == 0


@pytest.mark.parametrize("loss", [loss_spec(), loss_spec(tail=False), CORRUPTED])
@pytest.mark.parametrize("kept", [0, 30, 10_000])
def test_slices_and_noise_that_is_drawn_again_change_no_bit(loss, kept, monkeypatch, tmp_path):
    spec = training(steps=3, batch_size=25, loss=loss, micro_batch_tokens=50)
    whole, sliced = new_adapter(), new_adapter()
    events, _ = drive(run(CheckpointStore(tmp_path), spec, whole), BASE.model)
    monkeypatch.setattr("lad_runtime.torch_backend.forward.host_time.SLICE_TOKENS", 20)
    monkeypatch.setattr("lad_runtime.torch_backend.training.rows._KEPT_TOKENS", kept)
    same_events, _ = drive(run(CheckpointStore(tmp_path), spec, sliced), BASE.model)
    assert same(weights_of(whole), weights_of(sliced))
    reports = [[e.report for e in each if isinstance(e, StepEvent)] for each in (events, same_events)]
    assert repr(reports[0]) == repr(reports[1])  # NaN where nothing is of a kind


def test_a_step_of_usual_size_asks_for_no_turn_of_the_hosts(tmp_path, monkeypatch):
    monkeypatch.setattr("lad_runtime.torch_backend.forward.prefetch._WAIT_SECONDS", 60)
    spec = training(steps=2, batch_size=8 * 32, micro_batch_tokens=2048, window=window_spec(window=16))
    requests = []
    drive(run(CheckpointStore(tmp_path), spec, new_adapter()), BASE.model, on_request=requests.append)
    assert requests and not any(isinstance(request, HostRequest) for request in requests)


# --- calls ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "state")
    yield bench
    bench.worker.drain(30)


@pytest.mark.parametrize("option", ["sequences", "rows"])
def test_a_call_holds_at_most_4096_sequences_or_rows(bench: Bench, option: str) -> None:
    adapter = bench.adapter(bench.base())
    given = (SEQUENCE,) * 4097 if option == "sequences" else noised(count=4097)
    with pytest.raises(LadError, match=r"from 1 to 4096.*gradients add up") as refused:
        bench.worker.primitives.forward_backward(adapter.id, 1, given, forward_spec())
    assert (refused.value.option, refused.value.value) == (option, "4097")
    assert adapter.calls.last == 0


def test_dropping_an_adapter_cancels_its_calls_and_leaves_nothing_of_them(bench: Bench) -> None:
    base = bench.base()
    before = bench.accounted
    adapter = bench.adapter(base)
    long = (SEQUENCE,) * 4096
    calls = [
        bench.worker.primitives.forward_backward(adapter.id, number, long, forward_spec(micro_batch_tokens=8))
        for number in (1, 2, 0)
    ]
    bench.worker.adapters.drop(adapter.id)
    for call in calls:
        error = call.future.exception(30)
        assert isinstance(error, LadError) and error.code is ErrorCode.CANCELLED
    del adapter, calls, call
    assert bench.accounted == before
    assert not bench.worker.memory._reservations
