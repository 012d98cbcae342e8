"""Files of torch.save: their tensors are read bit for bit, nothing in them runs, and what is no model is refused."""

import io
import os
import pickle
import pickletools
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.files.inert_pickle import read_pickle
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


def test_a_directory_of_any_length_is_not_read(tmp_path: Path) -> None:
    length = 400 << 20  # zeros that take no place on the disk
    for name, said in [("long.pth", length), ("longest.pth", 0xFFFF_FFF0)]:
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(length)
            file.seek(length)
            file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, said, 0, 0))
        tracemalloc.start()
        told = refusal(path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert "its directory is longer than 8 MiB" in told or "no zip file" in told
        assert most < 32 << 20
    assert "its directory is longer than 8 MiB" in refusal(tmp_path / "long.pth")


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


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def put(number: int) -> bytes:
    return b"r" + struct.pack("<I", number)


def get(number: int) -> bytes:
    return b"j" + struct.pack("<I", number)


def module(**attributes: bytes) -> bytes:
    """The opcodes of a module whose attributes are opcodes."""
    inside = b"".join(text(name) + value for name, value in attributes.items())
    return b"ctorch\nModule\n)R}(" + inside + b"ub"


def refused(tmp_path: Path, opcodes: bytes) -> str:
    return refusal(archive_of(tmp_path / "m.pth", b"\x80\x02" + opcodes + b"."))


DEEP = b")" + b"\x85" * 400_000  # a tuple in a tuple, …: its hash takes a frame of C for each


@pytest.mark.parametrize(
    ("opcodes", "said"),
    [
        (b"}" + DEEP + b"K\x01s", "a tuple as a key"),
        (b"}(" + DEEP + b"K\x01u", "a tuple as a key"),
        (b"\x8f(" + DEEP + b"\x90", "a tuple as a key"),
        (b"(" + DEEP + b"\x91", "a tuple as a key"),
        (b"ctorch\nModule\n)R" + DEEP + b"K\x01s", "a tuple as a key"),
        (b"ccollections\nOrderedDict\n](" + DEEP + b"K\x01\x86e\x85R", "a dict of another"),
    ],
    ids=["SETITEM", "SETITEMS", "ADDITEMS", "FROZENSET", "of an object", "REDUCE"],
)
def test_a_deep_key_is_refused_before_it_is_hashed(tmp_path: Path, opcodes: bytes, said: str) -> None:
    """In a process of its own, which would end by a signal."""
    (tmp_path / "deep.pkl").write_bytes(b"\x80\x02" + opcodes + b".")
    program = (
        "import sys, pathlib; from lad_runtime.torch_backend.files.inert_pickle import read_pickle\n"
        "read_pickle(pathlib.Path(sys.argv[1]).read_bytes(), lambda named: True)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "deep.pkl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, f"it ended with {done.returncode}"
    assert "LadError" in done.stderr and said in done.stderr


def test_a_dict_is_made_of_no_other(tmp_path: Path) -> None:
    """Which takes five bytes, and copies it."""
    assert "a dict of another" in refused(tmp_path, b"ccollections\nOrderedDict\n}\x85R")


@pytest.mark.parametrize(
    ("opcodes", "said"),
    [
        (b"}]K\x01s", "a list as a key"),
        (b"}}K\x01s", "a dict as a key"),
        (b"}K\x01QK\x01s", "a persistent as a key"),
        (b"}" + text("k" * 1_001) + b"Ns", "a key of 1001 characters"),
        (b"}(" + b"".join(b"\x8a\x0a" + ((2**61 - 1) << 9).to_bytes(10, "little") + b"N" for _ in "ab") + b"u", "too large"),
        (b"}(" + b"".join(b"J" + struct.pack("<i", n) + b"N" for n in range(10_001)) + b"u", "too many"),
        (b"N(K\x01\x90", "members of what is no set"),
        (b"](K\x01\x90", "members of what is no set"),
        (b"}(K\x01\x90", "members of what is no set"),
        (b"ctorch\n" + b"a" * 201 + b"\n", "a name is too long"),
        (b"Nr" + struct.pack("<I", 1), "places for values empty"),
        (b"Np305843009213693951000\n", "places for values empty"),
        (b"Nq\x00g-1\n", "no place for values"),
    ],
)  # fmt: skip
def test_what_would_cost_more_than_its_length_is_refused(tmp_path: Path, opcodes: bytes, said: str) -> None:
    assert said in refused(tmp_path, opcodes)


def test_keys_and_members_that_models_have_are_read() -> None:
    state = {"id2label": {0: "a", 1: "b"}, "flags": {True: 1, None: 2, 0.5: 3}, "names": {"v", "q"}}
    for protocol in (2, 4):
        read_back: Any = read_pickle(pickle.dumps(state, protocol=protocol), lambda named: True)
        assert read_back["id2label"] == state["id2label"] and read_back["flags"] == state["flags"]
    assert read_back["names"] == state["names"]


def test_modules_that_hold_themselves_or_double_each_other_end(tmp_path: Path) -> None:
    looped = b"ctorch\nModule\n)R" + put(0) + b"}(" + text("_modules") + b"}" + text("a") + get(0) + b"sub"
    assert "is no module of a model" in refused(tmp_path, looped)
    doubled = module(_modules=b"}")
    for level in range(28):
        twice = text("a") + doubled + put(level) + text("b") + get(level)
        doubled = module(_modules=b"}(" + twice + b"u")
    pickletools.dis(b"\x80\x02" + doubled + b".", out=io.StringIO())
    assert "is no module of a model" in refused(tmp_path, doubled)


@pytest.mark.parametrize("name", ["", ".", "a.b"])
@pytest.mark.parametrize("kind", ["_modules", "_parameters", "_buffers"])
def test_a_part_whose_name_makes_another_path_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    """With "" and "." for names, modules that double each other have few paths and 2^30 ways to them."""
    assert "has a part of the name" in refused(tmp_path, module(**{kind: b"}" + text(name) + b"Ns"}))


def test_a_tensor_under_one_path_twice_is_refused(tmp_path: Path) -> None:
    tensor = pickled(Rebuilt(STORAGE, 0, (16,), (1,)))[2:-1]
    twice = module(_parameters=b"}" + text("a") + tensor + b"s", _buffers=b"}" + text("a") + get(0) + b"s")
    assert "two tensors 'a'" in refused(tmp_path, tensor + put(0) + b"0" + twice.replace(tensor, get(0)))


def shared(attributes: bytes, modules: int) -> bytes:
    """Modules that have one state, whose opcodes are `attributes`."""
    inner = b"".join(
        text(f"m{n}") + b"ctorch\nModule\n)R" + (attributes + put(0) if n == 0 else get(0)) + b"b"
        for n in range(modules)
    )
    return module(_modules=b"}(" + inner + b"u")


def test_parts_that_many_modules_share_are_counted_for_each(tmp_path: Path) -> None:
    nothing = b"}(" + b"".join(text(f"p{n}") + b"N" for n in range(2_000)) + b"u"
    state = b"}" + text("_parameters") + nothing + b"s"
    assert "more than 1000000 modules, parameters and buffers" in refused(tmp_path, shared(state, 600))


def test_attributes_that_many_modules_share_are_there_once(tmp_path: Path) -> None:
    attributes = b"}(" + b"".join(text(f"k{n}") + b"N" for n in range(20_000)) + b"u"
    one, many = shared(attributes, 1), shared(attributes, 300)
    most = []
    for opcodes in (one, many):
        tracemalloc.start()
        assert "holds no tensors" in refused(tmp_path, opcodes)
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 2 * most[0]


def test_lists_that_many_tensors_or_modules_share_are_short(tmp_path: Path) -> None:
    many = b"(" + b"K\x01" * 101
    state = b"}" + text("_non_persistent_buffers_set") + b"c__builtin__\nset\n" + many + b"l\x85Rs"
    assert "101 buffers that are not saved" in refused(tmp_path, shared(state, 1))
    path = module(_modules=b"}" + text("a" * 300) + module(_modules=b"}" + text("b" * 300) + b"Ns") + b"s")
    assert "too long" in refused(tmp_path, path)
