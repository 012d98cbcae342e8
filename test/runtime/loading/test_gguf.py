"""GGUF files: what the library writes is read back, and what is damaged or hostile ends in a clear error."""

import struct
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gguf_files import small_model
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.loading.gguf import open_gguf
from lad_runtime.torch_backend.loading.gguf_convert import convert_gguf

# The largest error of each kind, as a share of the largest number.
KINDS = {"F32": 0.0, "F16": 2**-11, "BF16": 2**-8, "Q4_0": 1 / 8, "Q4_1": 1 / 15, "Q8_0": 1 / 250}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("gguf") / "model.gguf")


def write(path: Path) -> Path:
    values = stored_values().numpy()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint32("a.number", 7)
    writer.add_float32("a.real", 0.5)
    writer.add_bool("a.switch", True)
    writer.add_array("some.words", ["one", "zwei", "três", ""])
    writer.add_array("some.numbers", [1, 2, 3])
    for kind in KINDS:
        form = gguf.GGMLQuantizationType[kind]
        writer.add_tensor(kind, gguf.quants.quantize(values, form), raw_dtype=form)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def stored_values() -> torch.Tensor:
    return torch.randn(6, 64, generator=torch.Generator().manual_seed(1))


def test_metadata_is_read(written: Path) -> None:
    values = open_gguf(written).metadata
    assert values["general.architecture"] == "llama"
    assert (values["a.number"], values["a.real"], values["a.switch"]) == (7, 0.5, True)
    assert values["some.words"] == ["one", "zwei", "três", ""]
    assert values["some.numbers"] == [1, 2, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_tensor_is_read_as_finely_as_it_is_stored(written: Path, kind: str) -> None:
    values = stored_values()
    read = open_gguf(written).tensors[kind].read()
    assert (read.shape, read.dtype) == ((6, 64), torch.float32)
    assert (read - values).abs().max() <= KINDS[kind] * values.abs().max()


def test_what_was_read_is_a_copy_that_outlives_the_file(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "copy.gguf"
    path.write_bytes(written.read_bytes())
    read = open_gguf(path).tensors["F32"].read()
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
    assert torch.equal(read, stored_values())
    read.add_(1)


def test_a_file_cut_anywhere_is_an_error(written: Path, tmp_path: Path) -> None:
    content = written.read_bytes()
    path = tmp_path / "cut.gguf"
    for length in [
        0,
        3,
        4,
        8,
        20,
        24,
        40,
        100,
        300,
        500,
        len(content) // 2,
        len(content) - 9,
    ]:  # the last 8 are padding
        path.write_bytes(content[:length])
        with pytest.raises(LadError, match=r"cut\.gguf cannot be used") as caught:
            open_gguf(path)
        assert caught.value.code is ErrorCode.INVALID_FILE


def test_a_damaged_header_is_an_error_or_still_inside_the_file(written: Path, tmp_path: Path) -> None:
    content = written.read_bytes()
    path = tmp_path / "damaged.gguf"

    @settings(max_examples=300, deadline=2000)
    @given(st.integers(0, 700), st.binary(min_size=1, max_size=8))
    def try_one(position: int, patch: bytes) -> None:
        path.write_bytes(content[:position] + patch + content[position + len(patch) :])
        try:
            file = open_gguf(path)
        except LadError as error:
            assert error.code is ErrorCode.INVALID_FILE
            return
        for tensor in file.tensors.values():
            try:
                assert tensor.read().shape == tensor.shape
            except LadError as error:
                assert error.code is ErrorCode.UNSUPPORTED_MODEL

    try_one()


def header(*, tensors: int = 0, values: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, values)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def tensor(name: str, shape: list[int], kind: int, offset: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


HOSTILE: dict[str, tuple[bytes, str]] = {
    "another format": (b"PK\x03\x04" + b"\0" * 60, "magic invalid"),
    "another version": (header(version=9) + b"\0" * 60, "version 9"),
    "more tensors than fit": (header(tensors=2**60) + b"\0" * 60, "declares more than it holds"),
    "more values than fit": (
        header(values=2**60) + text("a") + struct.pack("<IB", 0, 7),
        "declares more than it holds",
    ),
    "an endless array of numbers": (
        header(values=1) + text("a") + struct.pack("<IIQ", 9, 0, 2**60) + b"\0" * 60,
        "declares more than it holds",
    ),
    "an endless array of words": (
        header(values=1) + text("a") + struct.pack("<IIQ", 9, 8, 2**60) + b"\0" * 60,
        "declares more than it holds",
    ),
    "arrays without end in one another": (
        header(values=1) + text("a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 5000,
        "recursion",
    ),
    "a value of no kind": (header(values=1) + text("a") + struct.pack("<I", 77) + b"\0" * 60, "77"),
    "a key that is no text": (header(values=1) + struct.pack("<Q", 2) + b"\xff\xfe" + b"\0" * 60, "utf-8"),
    "a tensor larger than the file": (
        header(tensors=1) + tensor("w", [2**31, 2**31], 0, 0) + b"\0" * 99,
        "declares more than it holds",
    ),
    "a tensor far away": (header(tensors=1) + tensor("w", [4], 0, 2**62) + b"\0" * 99, "declares more"),
    "a tensor before the file's start": (
        header(tensors=1) + tensor("w", [4], 0, 2**64 - 32) + b"\0" * 99,
        "overflow",
    ),
    "a tensor whose size is beyond 64 bits": (
        header(tensors=1) + tensor("w", [2**33, 2**33], 0, 0) + b"\0" * 99,
        "cannot be used",
    ),
    "a tensor of no size": (header(tensors=1) + tensor("w", [0, 4], 0, 0) + b"\0" * 99, "has the shape"),
    "half a block": (header(tensors=1) + tensor("w", [33], 8, 0) + b"\0" * 99, "row size"),
    "a tensor of too many dimensions": (
        header(tensors=1) + tensor("w", [1] * 9, 0, 0) + b"\0" * 99,
        "has the shape",
    ),
    "the same tensor twice": (header(tensors=2) + tensor("w", [4], 0, 0) * 2 + b"\0" * 99, "duplicated"),
    "the same key twice": (
        header(values=2) + (text("a") + struct.pack("<IB", 0, 7)) * 2 + b"\0" * 60,
        "Duplicate a",
    ),
    "a kind that there is not": (header(tensors=1) + tensor("w", [4], 99, 0) + b"\0" * 99, "99"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_at_once(name: str, tmp_path: Path) -> None:
    content, problem = HOSTILE[name]
    path = tmp_path / "hostile.gguf"
    path.write_bytes(content)
    with pytest.raises(LadError, match=problem) as caught:
        open_gguf(path)
    assert caught.value.code is ErrorCode.INVALID_FILE


def test_more_values_than_a_model_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lad_runtime.torch_backend.loading.gguf._MOST_READS", 1000)
    path = tmp_path / "long.gguf"
    path.write_bytes(header(values=1) + text("a") + struct.pack("<IIQ", 9, 0, 2000) + b"\0" * 3000)
    with pytest.raises(LadError, match="more values than a model has"):
        open_gguf(path)


def test_a_kind_that_is_not_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "whole.gguf"
    path.write_bytes(header(tensors=1) + tensor("w", [8], 24, 0) + b"\0" * 999)
    with pytest.raises(LadError, match="The tensor w is of kind I8") as caught:
        open_gguf(path).tensors["w"].read()
    assert caught.value.code is ErrorCode.UNSUPPORTED_MODEL


def test_a_small_model_becomes_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    convert_gguf(small_model(tmp_path / "m.gguf"), folder, lambda progress: None)
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


@pytest.mark.parametrize(
    ("change", "problem", "code"),
    [
        ({"architecture": "qwen2"}, "architecture is 'qwen2'", ErrorCode.UNSUPPORTED_MODEL),
        ({"tokenizer.ggml.pre": "llama-bpe"}, "pre-tokenizer 'llama-bpe'", ErrorCode.UNSUPPORTED_MODEL),
        ({"add": "rope_freqs"}, "rope_freqs", ErrorCode.UNSUPPORTED_MODEL),
        ({"llama.block_count": None}, "lacks llama.block_count", ErrorCode.INVALID_FILE),
        ({"llama.block_count": 4_000_000_000}, "4000000000 layers", ErrorCode.INVALID_FILE),
        ({"llama.block_count": "x"}, "must be a whole number", ErrorCode.INVALID_FILE),
        ({"llama.attention.head_count": 0}, "not a number", ErrorCode.INVALID_FILE),
        ({"llama.embedding_length": 16}, "calls? for", ErrorCode.INVALID_FILE),
        ({"drop": "blk.0.attn_v"}, r"lacks model\.layers\.0\.self_attn\.v_proj", ErrorCode.INVALID_FILE),
        ({"tokenizer.ggml.merges": ["a z"]}, "tokenizer cannot be built", ErrorCode.INVALID_FILE),
        ({"tokenizer.ggml.merges": ["ab"]}, "tokenizer cannot be built", ErrorCode.INVALID_FILE),
        ({"tokenizer.ggml.eos_token_id": None}, "eos_token_id", ErrorCode.INVALID_FILE),
        ({"tokenizer.ggml.eos_token_id": 99}, "tokenizer cannot be built", ErrorCode.INVALID_FILE),
    ],
)
def test_a_model_that_cannot_be_converted_says_why(
    tmp_path: Path, change: dict[str, Any], problem: str, code: ErrorCode
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(LadError, match=problem) as caught:
        convert_gguf(small_model(tmp_path / "m.gguf", **change), folder, lambda progress: None)
    assert caught.value.code is code
