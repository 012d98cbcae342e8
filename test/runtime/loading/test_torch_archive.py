"""Files of torch.save: their tensors are read bit for bit, nothing in them runs, and what is no model is refused."""

import io
import os
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.files.torch_archive import TorchArchive
from lad_runtime.torch_backend.loading.stub import CONFIG
from torch_files import ALPHA, RANK, write_both


def read(path: Path) -> dict[str, Tensor]:
    with TorchArchive(path) as archive:
        return {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118


def refusal(path: Path) -> str:
    with pytest.raises(LadError) as refused:
        read(path)
    assert refused.value.code is ErrorCode.INVALID_FILE
    return refused.value.message


def test_a_state_dict_is_what_torch_loads(tmp_path: Path) -> None:
    base = torch.randn(6, 8)
    saved = OrderedDict(
        whole=base,
        half=base.half(),
        bfloat16=base.bfloat16(),
        double=base.double(),
        counted=torch.arange(5),
        flags=torch.tensor([True, False]),
        view=base[1:4, ::2],
        turned=base.T,
        single=torch.tensor(3.5),
        empty=torch.empty(0, 4),
        parameter=torch.nn.Parameter(base + 1),
    )
    torch.save(saved, tmp_path / "state.pth")
    tensors, wanted = read(tmp_path / "state.pth"), torch.load(tmp_path / "state.pth", weights_only=True)
    assert list(tensors) == list(wanted)
    for name, tensor in wanted.items():
        assert torch.equal(tensors[name], tensor) and tensors[name].dtype == tensor.dtype, name


def test_a_whole_module_gives_its_state_dict_without_its_classes(tmp_path: Path) -> None:
    whole, state, wanted = write_both(tmp_path, CONFIG)
    with pytest.raises(ModuleNotFoundError):
        torch.load(whole, weights_only=False)
    for path in (whole, state):
        tensors = read(path)
        assert list(tensors) == list(wanted)
        for name, tensor in wanted.items():
            assert torch.equal(tensors[name], tensor) and tensors[name].dtype == tensor.dtype, name
    with TorchArchive(whole) as archive:
        layer = archive.modules["llama.base_model.model.model.layers.1.self_attn.v_proj"]
        assert layer["scaling"] == {"default": ALPHA / RANK}


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def test_nothing_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for number, runs in enumerate(
        [Runs(os.system, f"touch {mark}"), Runs(eval, f"open({str(mark)!r}, 'w')")]
    ):
        path = tmp_path / f"{number}.pth"
        torch.save({"weight": torch.ones(2), "more": runs}, path)
        assert "which no model is made of" in refusal(path)
    allowed = tmp_path / "allowed.pth"
    torch.save({"weight": Runs(torch.save, [1], str(mark))}, allowed)
    assert "'weight' is no tensor" in refusal(allowed)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1, 2], "neither a state dict nor a module"),
        ({}, "holds no tensors"),
        ({"steps": 3, "weight": torch.ones(1)}, "'steps' is no tensor"),
        ({3: torch.ones(1)}, "no text"),
        ({"model": {"weight": torch.ones(1)}}, "'model' is no tensor"),
    ],
)
def test_what_is_no_model_is_named(tmp_path: Path, value: Any, said: str) -> None:
    torch.save(value, tmp_path / "odd.pth")
    assert said in refusal(tmp_path / "odd.pth")


def test_the_old_format_and_other_files_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert "no zip file" in refusal(tmp_path / "old.pth")
    (tmp_path / "text.pth").write_text("hello")
    assert "no zip file" in refusal(tmp_path / "text.pth")
    with zipfile.ZipFile(tmp_path / "other.pth", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "zip file of something else" in refusal(tmp_path / "other.pth")


def archive_of(path: Path, content: bytes, storage: bytes = bytes(64), **entry: Any) -> Path:
    with zipfile.ZipFile(path, "w", **entry) as archive:
        archive.writestr("m/data.pkl", content)
        archive.writestr("m/data/0", storage)
        archive.writestr("m/version", b"3")
    return path


class Pickler(pickle.Pickler):
    """Writes tensors as torch does, with any numbers."""

    def persistent_id(self, value: Any) -> Any:
        return value.given if isinstance(value, Storage) else None


class Storage:
    def __init__(self, *given: Any) -> None:
        self.given = given


class Rebuilt:
    def __init__(self, *given: Any) -> None:
        self.given = given

    def __reduce__(self) -> Any:
        return torch._utils._rebuild_tensor_v2, self.given  # type: ignore[attr-defined]


def pickled(value: Any) -> bytes:
    out = io.BytesIO()
    Pickler(out, protocol=2).dump(value)
    return out.getvalue()


STORAGE = Storage("storage", torch.FloatStorage, "0", "cpu", 16)


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (Rebuilt(STORAGE, 0, (4, 4), (4, 1), False, {}), ""),
        (Rebuilt(STORAGE, 1, (4, 4), (4, 1), False, {}), "larger than its storage"),
        (Rebuilt(STORAGE, 0, (4, 5), (4, 1), False, {}), "larger than its storage"),
        (Rebuilt(STORAGE, 0, (10**6, 10**6), (0, 0), False, {}), "larger than its storage"),
        (Rebuilt(STORAGE, -4, (2,), (1,), False, {}), "something else than sizes"),
        (Rebuilt(STORAGE, 15, (2,), (-1,), False, {}), "something else than sizes"),
        (Rebuilt(STORAGE, 0, (2**50,), (1,), False, {}), "something else than sizes"),
        (Rebuilt(STORAGE, 0, (2, 2), (1,), False, {}), "something else than sizes"),
        (Rebuilt(STORAGE, 0, [4], [1], False, {}), "something else than sizes"),
        (Rebuilt(STORAGE, 0, (True,), (1,), False, {}), "something else than sizes"),
        (Rebuilt(Storage("storage", torch.FloatStorage, "0", "cpu", 17), 0, (1,), (1,)), "are missing"),
        (Rebuilt(Storage("storage", torch.FloatStorage, "1", "cpu", 1), 0, (1,), (1,)), "are missing"),
        (Rebuilt(Storage("storage", torch.FloatStorage, "../0", "cpu", 1), 0, (1,), (1,)), "are missing"),
        (Rebuilt(Storage("storage", torch.ComplexFloatStorage, "0", "cpu", 1), 0, (1,), (1,)), "of the kind"),
        (Rebuilt(Storage("elsewhere", "0"), 0, (1,), (1,)), "no storage"),
        (Rebuilt(3, 0, (1,), (1,)), "no storage"),
        (Rebuilt(), "no tensor"),
    ],
)
def test_a_tensor_lies_within_its_storage_and_that_within_the_file(
    tmp_path: Path, tensor: Rebuilt, said: str
) -> None:
    path = archive_of(tmp_path / "m.pth", pickled({"weight": tensor}), struct.pack("<16f", *range(16)))
    if said:
        assert said in refusal(path)
    else:
        assert torch.equal(read(path)["weight"], torch.arange(16.0).view(4, 4))


def test_a_compressed_entry_is_not_unpacked(tmp_path: Path) -> None:
    content = pickled({"weight": Rebuilt(STORAGE, 0, (16,), (1,))})
    path = archive_of(tmp_path / "m.pth", content, compression=zipfile.ZIP_DEFLATED)
    assert "is compressed" in refusal(path)


def test_a_file_that_was_cut_or_changed_is_refused_or_read_but_never_more(tmp_path: Path) -> None:
    torch.save(OrderedDict(a=torch.ones(40), b=torch.zeros(3, 3)), tmp_path / "whole.pth")
    content = (tmp_path / "whole.pth").read_bytes()
    changed = tmp_path / "changed.pth"
    for end in range(0, len(content), 61):
        changed.write_bytes(content[:end])
        refusal(changed)
    for place in range(0, len(content), 7):
        changed.write_bytes(content[:place] + bytes([content[place] ^ 0x5A]) + content[place + 1 :])
        try:
            assert all(tensor.numel() <= 40 for tensor in read(changed).values())
        except LadError as error:
            assert error.code is ErrorCode.INVALID_FILE


def test_many_values_under_many_marks_take_no_more_than_their_length(tmp_path: Path) -> None:
    deep = b"\x80\x02" + b"(" * 200_000 + b"N" * 200_000 + b"t" * 200_000 + b"."
    assert "neither a state dict nor a module" in refusal(archive_of(tmp_path / "deep.pth", deep))
    long = b"\x80\x02" + b"N" * (9 << 20) + b"."
    assert "longer than 8 MiB" in refusal(archive_of(tmp_path / "long.pth", long))


def test_modules_that_hold_themselves_or_double_each_other_end(tmp_path: Path) -> None:
    def nested(inner: bytes) -> bytes:
        """A module whose `_modules` is `inner` of opcodes, all of one class."""
        return b"ctorch\nModule\n)R}(X\x08\x00\x00\x00_modules" + inner + b"ub"

    text = b"X\x01\x00\x00\x00"
    looped = b"\x80\x02ctorch\nModule\n)R" + b"q\x00}(X\x08\x00\x00\x00_modules}" + text + b"ah\x00sub."
    assert "is no module of a model" in refusal(archive_of(tmp_path / "looped.pth", looped))
    doubled = nested(b"}")
    for level in range(28):
        slot = struct.pack("<I", level)
        doubled = nested(b"}(" + text + b"a" + doubled + b"r" + slot + text + b"bj" + slot + b"u")
    pickletools.dis(b"\x80\x02" + doubled + b".", out=io.StringIO())
    assert "is no module of a model" in refusal(
        archive_of(tmp_path / "doubled.pth", b"\x80\x02" + doubled + b".")
    )
