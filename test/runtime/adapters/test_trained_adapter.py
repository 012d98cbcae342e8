"""Snapshots that share storage until a step, optimizers that wait on the disk, runs that pause: none of it changes a bit."""

import errno
import gc

import pytest
import torch

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters import offload
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.files.offload_folder import emptied_folder
from lad_runtime.torch_backend.memory.held_memory import Held
from lad_runtime.torch_backend.memory.needs import adapter_bytes
from lad_runtime.torch_backend.training import primitives
from lad_runtime.torch_backend.training.needs import training_needs
from lad_runtime.torch_backend.training.trainer import train
from lad_runtime.types.runs import RunPaused, RunResumed
from lad_runtime.types.training import TrainingControl
from lad_runtime.types.work import Park
from method_specs import lad_noise, loss_spec
from training_support import (
    CONFIG,
    EXAMPLES,
    REPORT,
    drive,
    new_adapter,
    noised_batch,
    same,
    tiny_base,
    training,
    weights_of,
)
from type_specs import forward_spec, optimizer_spec

BASE = tiny_base()


def step(trained: TrainedAdapter, kind: str = "adamw") -> None:
    sequences = noised_batch(BASE, EXAMPLES, lad_noise(), loss_spec(), trained.steps, 0)
    drive(primitives.forward_backward(BASE, trained, sequences, forward_spec()), BASE.model)
    drive(primitives.optim_step(trained, optimizer_spec(kind=kind), 1e-2, 0.5), BASE.model)


def storages(trained: TrainedAdapter) -> set[int]:
    return {parameter.untyped_storage().data_ptr() for parameter in trained.parameters.values()}


def test_a_snapshot_shares_the_weights_until_the_next_step_and_keeps_what_they_were():
    trained = new_adapter()
    step(trained)
    snapshots = [trained.snapshot(), trained.snapshot()]
    before = weights_of(trained)
    assert storages(trained) == storages(snapshots[0]) == storages(snapshots[1])
    step(trained)
    assert not same(weights_of(trained), before)
    assert storages(snapshots[0]) == storages(snapshots[1]) and not storages(trained) & storages(snapshots[0])
    assert all(same(weights_of(snapshot), before) for snapshot in snapshots)
    later = trained.snapshot()
    trained.load_parameters(before)
    assert not same(weights_of(later), before) and same(weights_of(trained), before)


def test_snapshots_between_two_steps_are_of_the_same_weights_to_be_computed_in_one_batch():
    trained = new_adapter()
    first, second = trained.snapshot(), trained.snapshot()
    assert first.adapter is second.adapter
    step(trained)
    assert trained.snapshot().adapter is not first.adapter


def test_a_step_without_living_snapshots_moves_nothing():
    trained = new_adapter()
    trained.snapshot()
    gc.collect()
    before = storages(trained)
    step(trained)
    assert storages(trained) == before


def test_snapshots_change_nothing_of_the_training():
    watched, alone = new_adapter(), new_adapter()
    kept = []
    for _ in range(4):
        kept.append(watched.snapshot())
        step(watched)
        step(alone)
    assert same(weights_of(watched), weights_of(alone))


def test_what_is_held_is_counted_on_the_tensors_and_shared_storage_once():
    held = Held()
    trained = held.adapter(new_adapter())
    weights = adapter_bytes(CONFIG, trained.spec)
    assert held.nbytes == weights == sum(p.nbytes for p in trained.parameters.values())
    snapshots = [held.adapter(trained.snapshot()) for _ in range(3)]
    assert held.nbytes == weights
    step(trained)
    assert held.nbytes == 2 * weights + trained.optimizer_nbytes == 4 * weights
    del snapshots
    gc.collect()
    assert held.nbytes == 3 * weights


def test_weights_that_somebody_still_reads_are_held_though_their_snapshot_is_gone():
    held, trained = Held(), new_adapter()
    held.adapter(trained)
    weights = adapter_bytes(CONFIG, trained.spec)
    read = []
    for taken in range(1, 4):
        read.append(held.adapter(trained.snapshot()).adapter)
        step(trained)
        assert held.memory.snapshots == taken * weights
    assert held.memory.lasting == weights + trained.optimizer_nbytes
    read.clear()
    gc.collect()
    assert held.memory.snapshots == 0


def test_what_a_step_will_copy_for_snapshots_is_reserved_once_for_all_that_share_the_weights():
    held, trained = Held(), new_adapter()
    held.adapter(trained)
    weights = adapter_bytes(CONFIG, trained.spec)
    assert (trained.snapshot_nbytes, held.memory.reserved) == (weights, 0)
    snapshots = [held.adapter(trained.snapshot())]
    snapshots.append(held.adapter(snapshots[0].snapshot()))
    assert (trained.snapshot_nbytes, snapshots[0].snapshot_nbytes) == (0, 0)
    assert (held.memory.lasting, held.memory.reserved) == (weights, weights)
    step(trained)
    assert (held.memory.snapshots, held.memory.reserved) == (weights, 0)


def test_a_snapshot_of_a_snapshot_keeps_the_weights_when_the_first_is_gone():
    trained = new_adapter()
    first = trained.snapshot()
    second, before = first.snapshot(), weights_of(first)
    del first
    gc.collect()
    step(trained)
    assert same(weights_of(second), before)


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_an_optimizer_that_waited_on_the_disk_goes_on_as_if_it_had_not(tmp_path, kind):
    moved, stayed = new_adapter(), new_adapter()
    for _ in range(3):
        step(moved, kind)
        step(stayed, kind)
        size = moved.optimizer_nbytes
        moved.offload(tmp_path)
        assert (moved.optimizer_nbytes, moved.offloaded_nbytes) == (0, size)
        assert len(list(tmp_path.iterdir())) == 1
    assert same(weights_of(moved), weights_of(stayed))
    assert same(moved.optimizer.state(), stayed.optimizer.state())
    assert (moved.offloaded_nbytes, list(tmp_path.iterdir())) == (0, [])


def test_the_file_of_an_optimizer_goes_with_its_adapter(tmp_path):
    trained = new_adapter()
    step(trained)
    trained.offload(tmp_path)
    assert list(tmp_path.iterdir())
    del trained
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_named_error_and_loses_nothing(tmp_path, monkeypatch):
    trained = new_adapter()
    step(trained)
    before = {name: tensor.clone() for name, tensor in trained.optimizer.state().items()}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(offload.safetensors.torch, "save_file", full)
    with pytest.raises(LadError, match="No space left on device") as caught:
        trained.offload(tmp_path)
    assert caught.value.code is ErrorCode.STORAGE
    assert same(trained.optimizer.state(), before)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_folders_place_is_a_named_error_too(tmp_path):
    trained = new_adapter()
    step(trained)
    (tmp_path / "optimizers").write_text("in the way")
    with pytest.raises(LadError, match="could not be written") as caught:
        trained.offload(tmp_path / "optimizers")
    assert caught.value.code is ErrorCode.STORAGE
    assert trained.optimizer_nbytes > 0


def test_a_run_parks_with_its_optimizer_in_memory_where_the_disk_fails(tmp_path):
    (tmp_path / "optimizers").write_text("in the way")
    trained, parked = new_adapter(), []

    def seen(event):
        if isinstance(event, Park):
            parked.append(trained.optimizer_nbytes)

    _, outcome = drive(
        train(
            BASE,
            trained,
            EXAMPLES,
            REPORT,
            training(steps=3),
            None,
            checkpoints=CheckpointStore(tmp_path / "c"),
            offloads=tmp_path / "optimizers",
            control=TrainingControl(pausing=lambda: trained.steps == 2 and not parked),
        ),
        BASE.model,
        seen,
    )
    assert outcome.steps == 3
    assert parked == [2 * adapter_bytes(CONFIG, trained.spec)]


def test_an_optimizer_whose_file_is_lost_can_be_replaced_by_one_of_another_kind(tmp_path):
    trained = new_adapter()
    step(trained, "adamw")
    trained.offload(tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(LadError, match="could not be read") as caught:
        step(trained, "adamw")
    assert caught.value.code is ErrorCode.STORAGE and "Load a checkpoint" in caught.value.remedy
    step(trained, "muon")
    assert trained.optimizer.spec.kind == "muon" and trained.offloaded_nbytes == 0


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    trained = new_adapter()
    step(trained, "adamw")
    trained.offload(emptied_folder(tmp_path / "optimizers"))
    assert len(list((tmp_path / "optimizers").iterdir())) == 1
    assert not emptied_folder(tmp_path / "optimizers").exists()


@pytest.mark.parametrize("pauses", [{0}, {2}, {1, 3}])
def test_a_run_that_was_paused_equals_one_that_was_not(tmp_path, pauses):
    spec = training(steps=5)
    trained = new_adapter()

    def work(adapter, control):
        store = CheckpointStore(tmp_path / "checkpoints")
        offloads = tmp_path / "optimizers"
        return train(
            BASE, adapter, EXAMPLES, REPORT, spec, None, checkpoints=store, offloads=offloads, control=control
        )

    parked = []

    def pausing():
        return trained.steps in pauses and trained.steps not in parked

    def seen(event):
        if isinstance(event, Park):
            parked.append(trained.steps)
        elif isinstance(event, RunPaused):
            assert trained.state_nbytes == 0 and trained.offloaded_nbytes == 2 * trained.adapter.weight_nbytes

    events, outcome = drive(work(trained, TrainingControl(pausing=pausing)), BASE.model, seen)
    assert [event.steps for event in events if isinstance(event, RunPaused)] == sorted(pauses)
    assert [event.steps for event in events if isinstance(event, RunResumed)] == sorted(pauses)
    whole = new_adapter()
    _, same_outcome = drive(work(whole, TrainingControl()), BASE.model)
    assert same(weights_of(trained), weights_of(whole))
    assert same(trained.optimizer.state(), whole.optimizer.state())
    assert outcome.report == same_outcome.report


def test_a_paused_run_that_is_to_stop_writes_its_checkpoint(tmp_path):
    spec = training(steps=5, checkpoint="run-1")
    store, trained, stopping = CheckpointStore(tmp_path / "c"), new_adapter(), []
    control = TrainingControl(pausing=lambda: trained.steps == 2, stopping=lambda: bool(stopping))
    work = train(
        BASE, trained, EXAMPLES, REPORT, spec, None, checkpoints=store, offloads=tmp_path, control=control
    )
    with pytest.raises(LadError, match="stopped after step 2 of 5"):
        drive(work, BASE.model, lambda event: stopping.append(event) if isinstance(event, Park) else None)
    assert store.read("run-1").run.step == 2


def test_needs_are_what_a_run_comes_to_hold():
    trained = new_adapter()
    spec = training(steps=1)
    needs = training_needs(BASE.model, spec, trained.spec)
    held = []

    def on_request(_):
        held.append(trained.state_nbytes)

    work = train(
        BASE, trained, EXAMPLES, REPORT, spec, None, checkpoints=CheckpointStore("unused"), offloads=None
    )
    drive(work, BASE.model, on_request=on_request)
    assert max(held) == needs.state
    checkpointed = training_needs(BASE.model, training(steps=1, gradient_checkpointing=True), trained.spec)
    assert checkpointed.state == needs.state and checkpointed.activations < needs.activations
    assert torch.float32.itemsize * trained.parameter_count == adapter_bytes(CONFIG, trained.spec)
