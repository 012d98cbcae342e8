"""Checkpoints are written whole or not at all, verified when read, and damaged ones passed over."""

import errno
import json
import math
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fake_backend import REPORT
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore, RunPosition, spec_json
from lad_runtime.torch_backend.adapters.checkpoint_format import FORMAT
from lad_runtime.torch_backend.adapters.resume import restore
from lad_runtime.torch_backend.files import durable
from training_support import new_adapter, same, tiny_base, training, weights_of
from type_specs import optimizer_spec

INFO = tiny_base().info


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "deep" / "checkpoints")


def trained_adapter(steps, kind="adamw", rank=4):
    """An adapter after some steps on random gradients."""
    trained = new_adapter(rank)
    for step in range(steps):
        generator = torch.Generator().manual_seed(step)
        for parameter in trained.parameters.values():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        trained.step(optimizer_spec(kind=kind), 0.01, 0.5)
    return trained


def folder_of(store, name, number):
    return store._root / name / f"{number:08d}"


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_a_restored_adapter_has_the_weights_optimizer_and_steps_that_were_saved(store, kind):
    saved = trained_adapter(3, kind)
    store.write("run-1", saved, INFO)
    found = store.read("run-1")
    other = trained_adapter(1)
    restore(other, found)
    assert same(weights_of(other), weights_of(saved))
    assert same(other.optimizer.state(), saved.optimizer.state())
    assert other.optimizer.spec == saved.optimizer.spec
    assert (other.steps, found.adapter, found.base["name"]) == (3, saved.spec, "random")


def test_an_adapter_that_never_took_a_step_is_saved_without_an_optimizer(store):
    store.write("fresh", new_adapter(), INFO)
    other = trained_adapter(2)
    restore(other, store.read("fresh"))
    assert other.optimizer is None and other.steps == 0


def test_an_adapter_of_another_shape_is_refused_and_left_alone(store):
    store.write("run-1", trained_adapter(1), INFO)
    other = trained_adapter(1, rank=2)
    before = weights_of(other)
    with pytest.raises(LadError, match="other matrices") as caught:
        restore(other, store.read("run-1"))
    assert caught.value.code is ErrorCode.INVALID_STATE
    assert same(weights_of(other), before)


def test_what_is_replaced_is_not_kept_to_fall_back_on(store):
    for steps in range(3):
        store.write("run-1", trained_adapter(steps), INFO)
    store.write("run-1", trained_adapter(5), INFO, replace=True)
    assert [p.name for p in (store._root / "run-1").iterdir()] == ["00000004"]
    assert store.read("run-1").steps == 5


def test_a_deleted_name_is_free_and_leaves_no_file(store):
    for name in ("run-1", "run-2"):
        store.write(name, trained_adapter(1), INFO)
    store.delete("run-1")
    assert not store.has("run-1") and store.has("run-2")
    assert [p.name for p in store._root.iterdir()] == ["run-2"]
    with pytest.raises(LadError, match="no checkpoint named run-1") as caught:
        store.delete("run-1")
    assert caught.value.code is ErrorCode.NOT_FOUND
    store.write("run-1", trained_adapter(1), INFO)


def test_the_latest_of_each_name_is_listed_and_nothing_else(store):
    assert store.all() == []
    for steps in (1, 4):
        store.write("later", trained_adapter(steps), INFO)
    store.write("earlier", trained_adapter(2), INFO)
    store.write("gone", trained_adapter(1), INFO)
    store.delete("gone")
    (store._root / "somebody-elses").mkdir()
    damaged = store._root / "damaged" / "00000001"
    damaged.mkdir(parents=True)
    (damaged / "state.json").write_text("[" * 100_000)
    listed = store.all()
    assert [(each.name, each.steps) for each in listed] == [("earlier", 2), ("later", 4)]
    assert {(each.base_name, each.base_revision) for each in listed} == {(INFO.name, INFO.revision)}
    assert listed[1].nbytes == store.nbytes("later") > 0


def test_the_latest_two_are_kept(store):
    for steps in range(4):
        store.write("run-1", trained_adapter(steps), INFO)
    assert sorted(p.name for p in (store._root / "run-1").iterdir()) == ["00000003", "00000004"]
    assert store.read("run-1").steps == 3


@pytest.mark.parametrize(
    "file", ["adapter.safetensors", "optimizer.safetensors", "state.json", "manifest.json"]
)
@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(store, file, harm, caplog):
    store.write("run-1", trained_adapter(1), INFO)
    store.write("run-1", trained_adapter(2), INFO)
    path = folder_of(store, "run-1", 2) / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(data if harm == "flip" else data[:-1])
    if (file, harm) == ("manifest.json", "flip"):
        path.write_bytes(path.read_bytes().replace(b'"sha256": "', b'"sha256": "0', 1))
    assert store.read("run-1").steps == 1
    assert "is damaged" in caplog.text


def test_when_every_checkpoint_is_damaged_the_error_says_so(store):
    store.write("run-1", trained_adapter(1), INFO)
    (folder_of(store, "run-1", 1) / "state.json").write_text("{}")
    with pytest.raises(LadError, match="Every checkpoint named run-1 is damaged") as caught:
        store.read("run-1")
    assert caught.value.code is ErrorCode.INVALID_FILE


@pytest.mark.parametrize(
    "edit",
    [
        {"steps": -3},
        {"steps": "x"},
        {"steps": 2**64},
        {"steps": 1e300},
        {"steps": None},
        {"steps": True},
        {"base": "tiny"},
        {"base": {}},
        {"adapter": []},
        {"run": {"spec": {}, "step": 2.5}},
        [],
        None,
        5,
    ],
    ids=str,
)
def test_a_state_that_no_worker_wrote_is_damaged(store, edit):
    store.write("run-1", trained_adapter(1), INFO)
    folder = folder_of(store, "run-1", 1)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
    state = {**json.loads(files["state.json"]), **edit} if isinstance(edit, dict) else edit
    shutil.rmtree(folder)
    durable.write_folder(folder, {**files, "state.json": json.dumps(state).encode()})
    with pytest.raises(LadError, match="Every checkpoint named run-1 is damaged"):
        store.read("run-1")


def test_a_manifest_that_names_a_path_is_damaged(tmp_path):
    folder = tmp_path / "f"
    durable.write_folder(folder, {"a": b"1"})
    text = (folder / "manifest.json").read_text().replace('"a"', '"../a"')
    (folder / "manifest.json").write_text(text)
    with pytest.raises(durable.DamagedFolderError, match="names a path"):
        durable.verify_folder(folder)


def test_a_checkpoint_that_does_not_exist_is_named(store):
    with pytest.raises(LadError, match="no checkpoint named other") as caught:
        store.read("other")
    assert caught.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "x" * 65, "a\0b", "run 1", "/etc"])
def test_names_are_never_paths(store, name):
    for act in (store.has, store.read, lambda name: store.write(name, new_adapter(), INFO)):
        with pytest.raises(LadError) as caught:
            act(name)
        assert caught.value.code is ErrorCode.INVALID_OPTION


def test_a_link_out_of_the_store_is_not_followed(store, tmp_path):
    store._root.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (store._root / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LadError, match="leads out of the store"):
        store.write("link", new_adapter(), INFO)
    assert list((tmp_path / "elsewhere").iterdir()) == []


class Crash(BaseException):
    """The process ends here: nothing is cleaned up."""


def failing(monkeypatch, function, at, error):
    """Lets call number `at` of an os function fail; returns the calls seen."""
    real, calls = getattr(os, function), []

    def call(*arguments, **options):
        calls.append(arguments)
        if len(calls) == at:
            raise error
        return real(*arguments, **options)

    monkeypatch.setattr(os, function, call)
    return calls


def syncs_of_a_write(store, monkeypatch):
    with monkeypatch.context() as patch:
        calls = failing(patch, "fsync", 0, None)
        store.write("run-1", trained_adapter(1), INFO)
    return len(calls)


def test_every_file_and_folder_is_synced_before_and_after_the_rename(store, monkeypatch):
    store.write("run-1", trained_adapter(1), INFO)
    # three files, the manifest, the folder itself, and its parent after the rename
    assert syncs_of_a_write(store, monkeypatch) == 6


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("at", [1, 3, 4, 5])
def test_a_full_or_failing_disk_has_a_name_and_leaves_the_old_checkpoint_whole(
    store, monkeypatch, number, at
):
    store.write("run-1", trained_adapter(1), INFO)
    with monkeypatch.context() as patch:
        failing(patch, "fsync", at, OSError(number, os.strerror(number)))
        with pytest.raises(LadError, match=os.strerror(number)) as caught:
            store.write("run-1", trained_adapter(2), INFO)
    assert caught.value.code is ErrorCode.STORAGE
    assert [p.name for p in (store._root / "run-1").iterdir()] == ["00000001"]
    assert store.read("run-1").steps == 1
    store.write("run-1", trained_adapter(3), INFO)
    assert store.read("run-1").steps == 3


@pytest.mark.parametrize("at", range(1, 7))
def test_a_crash_at_any_moment_leaves_a_whole_checkpoint_and_no_obstacle(store, monkeypatch, at):
    store.write("run-1", trained_adapter(1), INFO)
    with monkeypatch.context() as patch:
        failing(patch, "fsync", at, Crash())
        with pytest.raises(Crash):
            store.write("run-1", trained_adapter(2), INFO)
    assert store.read("run-1").steps == (2 if at == 6 else 1)
    store.write("run-1", trained_adapter(3), INFO)
    assert store.read("run-1").steps == 3
    assert not list((store._root / "run-1").glob(".*"))


def test_a_disk_of_one_megabyte_fills_up_with_a_named_error(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True
    )
    if not mounted or mounted.returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        store = CheckpointStore(disk / "checkpoints")
        store.write("small", new_adapter(4), INFO)
        with pytest.raises(LadError, match="No space left on device") as caught:
            store.write("large", new_adapter(4000), INFO)
        assert caught.value.code is ErrorCode.STORAGE
        assert "Make room" in caught.value.remedy
        assert store.read("small").steps == 0
        assert not store.has("large")
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_that_cannot_be_written_has_a_named_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LadError, match="Not a directory") as caught:
        CheckpointStore(Path(tmp_path / "file")).write("run-1", new_adapter(), INFO)
    assert caught.value.code is ErrorCode.STORAGE


def rewrite(store, name, number, change):
    """Changes the state of a checkpoint, whole as far as its manifest says."""
    folder = folder_of(store, name, number)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
    state = json.loads(files["state.json"])
    change(state)
    shutil.rmtree(folder)
    durable.write_folder(folder, files | {"state.json": json.dumps(state).encode()})


def test_a_checkpoint_of_the_format_before_is_read_with_what_it_lacks_filled_in_by_name(store):
    position = RunPosition(spec=spec_json(training()), step=2, report=REPORT, validation=None)
    saved = trained_adapter(2)
    store.write("run-1", saved, INFO, position)

    def before(state):
        for absent in ("format", "kernels"):
            del state[absent]
        for absent in ("corrupted_content_ce", "corrupted_content_tokens"):
            del state["run"]["report"][absent]

    rewrite(store, "run-1", 1, before)
    found = store.read("run-1")
    assert (found.steps, found.adapter, found.kernels) == (2, saved.spec, None)
    assert found.optimizer == saved.optimizer.spec
    assert same(found.parameters, weights_of(saved))
    assert math.isnan(found.run.report.corrupted_content_ce)
    expected = replace(found.run.report, corrupted_content_ce=REPORT.corrupted_content_ce)
    assert expected == replace(REPORT, corrupted_content_tokens=0)


def test_a_checkpoint_of_a_newer_format_is_refused_as_newer_and_no_older_one_is_taken_for_it(store):
    for steps in (1, 2):
        store.write("run-1", trained_adapter(steps), INFO)
    rewrite(store, "run-1", 2, lambda state: state.update(format=FORMAT + 1, other="field"))
    with pytest.raises(LadError, match=rf"run-1 is of format {FORMAT + 1}, which is newer") as caught:
        store.read("run-1")
    assert caught.value.code is ErrorCode.VERSION_MISMATCH


def test_what_is_written_names_its_format(store):
    store.write("run-1", trained_adapter(1), INFO)
    assert json.loads((folder_of(store, "run-1", 1) / "state.json").read_bytes())["format"] == FORMAT
