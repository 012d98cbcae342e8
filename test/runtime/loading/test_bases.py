"""Bases by name: the stub, folders, a hub's models; what is known of them, and what is said where they cannot be had."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from fake_hub import COMMIT, TOKEN, FakeHub
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.forward import base as bases
from lad_runtime.torch_backend.forward.base import Base, load_base
from lad_runtime.torch_backend.loading.stub import write_stub
from lad_runtime.torch_backend.model.config import PROJECTIONS
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.bases import LoadProgress
from lad_runtime.types.data import Message
from type_specs import base_spec

TINY = Path(bases.__file__).parents[2] / "tiny" / "base"


def load(name: str | Path, **options: Any) -> Base:
    return load_base(base_spec(name=str(name), **options), "cpu", lambda event: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "a model"
    folder.mkdir()
    write_stub(folder, seed=7)
    return folder


def test_the_stub_says_what_it_is() -> None:
    base = load("stub")
    info = base.info
    assert info.name == "stub"
    assert 5_000 <= info.parameter_count <= 10_000
    assert (info.dtype, info.nbytes) == ("float32", 4 * info.parameter_count)
    assert (info.vocab_size, info.num_layers, info.num_heads, info.num_kv_heads) == (261, 2, 4, 2)
    assert info.projections == PROJECTIONS and info.max_rank == 1024
    assert base.tokenizer.encode(info.mask_token) == [info.mask_token_id]
    assert base.tokenizer.encode(info.eos_token) == [info.eos_token_id]
    assert info.has_chat_template and info.system_prompt == ""
    base.close()


def test_the_stub_is_a_function_of_its_seed() -> None:
    first, again, other = load("stub", seed=1), load("stub", seed=1), load("stub", seed=2**64 - 1)
    name = "model.layers.1.mlp.up_proj.weight"
    assert torch.equal(first.model.weights[name], again.model.weights[name])
    assert not torch.equal(first.model.weights[name], other.model.weights[name])
    assert first.info.id == again.info.id != other.info.id


def test_loading_the_stub_leaves_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    load("stub")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not TINY.is_dir(), reason="the tiny base has not been made")
def test_the_tiny_base_is_shipped_with_everything_it_needs() -> None:
    base = load("tiny")
    assert base.info.has_chat_template
    assert 1_000_000 < base.info.parameter_count < 4_000_000
    text = base.tokenizer.render([Message(role="user", content="What is 2 + 2?")], True)
    assert base.tokenizer.decode(base.tokenizer.encode(text), skip_special=False) == text
    base.close()


def test_a_folder_as_transformers_saves_it_gives_the_same_logits(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    write_stub(tmp_path, seed=0)
    (tmp_path / "model.safetensors").unlink()
    config = transformers.LlamaConfig(
        vocab_size=300,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=4096,
        tie_word_embeddings=False,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 500000.0,
            "factor": 32.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
        initializer_range=0.2,
        eos_token_id=256,
    )
    torch.manual_seed(0)
    oracle = transformers.LlamaForCausalLM(config).eval()
    oracle.save_pretrained(tmp_path, max_shard_size="60KB")
    assert (tmp_path / "model.safetensors.index.json").is_file()
    base = load(tmp_path)
    ids = torch.arange(0, 290)
    with torch.no_grad():
        hidden = base.model.hidden_states(base.model.batch([Segment(ids=ids, mode="causal")]))
        ours, theirs = base.model.logits(hidden)[: len(ids)], oracle(ids[None]).logits[0]
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()
    assert base.info.vocab_size == 300 and base.tokenizer.vocab_size == 261


def test_a_head_that_differs_from_the_embeddings_is_computed_with_as_transformers_does(folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    weights = load_file(folder / "model.safetensors")
    head = torch.randn(weights["model.embed_tokens.weight"].shape, generator=torch.Generator().manual_seed(1))
    save_file(weights | {"lm_head.weight": head}, folder / "model.safetensors", metadata={"format": "pt"})
    admitted: list[int] = []
    base = load_base(base_spec(name=str(folder)), "cpu", lambda event: None, admitted.append)
    oracle = transformers.LlamaForCausalLM.from_pretrained(folder).eval()
    ids = torch.arange(200)
    with torch.no_grad():
        hidden = base.model.hidden_states(base.model.batch([Segment(ids=ids, mode="causal")]))
        ours, theirs = base.model.logits(hidden)[: len(ids)], oracle(ids[None]).logits[0]
    assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()
    assert admitted == [base.info.nbytes] == [4 * (sum(t.numel() for t in weights.values()) + head.numel())]
    assert ["lm_head.weight" in warning for warning in base.info.warnings] == [True]
    base.close()


def test_a_base_whose_files_agree_has_no_warnings(folder: Path) -> None:
    assert load(folder).info.warnings == load("tiny").info.warnings == ()


def test_options_of_the_caller_come_before_the_files(folder: Path) -> None:
    own = load(
        folder, mask_token="[USER]", chat_template="{{ messages | length }}", system_prompt="Be brief."
    )
    assert own.info.mask_token == "[USER]"
    assert own.tokenizer.render([Message(role="user", content="a")], True) == "2"
    assert own.info.system_prompt == "Be brief."
    assert load(folder, dtype="bfloat16").info.dtype == "bfloat16"


def test_a_folder_has_the_same_id_until_its_weights_change(folder: Path) -> None:
    before, again = load(folder).info, load(folder).info
    assert before == again and len(before.revision) == 40
    write_stub(folder, seed=8)
    assert load(folder).info.id != before.id


def test_a_home_folder_is_found_by_its_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert load("~/a model").info.vocab_size == 261


def test_progress_ends_when_all_bytes_are_read(folder: Path) -> None:
    events: list[LoadProgress] = []
    base = load_base(base_spec(name=str(folder)), "cpu", events.append)
    assert {event.phase for event in events} == {"read"}
    assert events[-1].done == events[-1].total == base.info.nbytes


@pytest.mark.parametrize(
    "name", ["nothing", "/no/such/folder", "a/b/c", "..", "x" * 5000, "nul\0byte", "~nobody/x"]
)
def test_a_name_that_is_no_base_is_not_found(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = ErrorCode.INVALID_FILE if name == ".." else ErrorCode.NOT_FOUND
    with pytest.raises(LadError) as caught:
        load(name)
    assert caught.value.code is expected
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("slip", "meant"), [("tny", "tiny"), ("smolm2-135m", "smollm2-135m"), ("tiny-5", "tiny-5m")]
)
def test_a_mistyped_name_gets_the_nearest_one(slip: str, meant: str) -> None:
    with pytest.raises(LadError) as refused:
        load(slip)
    assert refused.value.remedy.startswith(f"Did you mean {meant}? Give stub, tiny")


@pytest.mark.parametrize("name", ["stub", "tiny"])
def test_a_revision_of_what_is_no_hub_model_is_an_error(name: str) -> None:
    with pytest.raises(LadError, match="revision is") as caught:
        load(name, revision="main")
    assert caught.value.option == "revision"


def rewrite(folder: Path, name: str, **values: object) -> None:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model_type": "qwen2"}, ErrorCode.UNSUPPORTED_MODEL),
        ({"attention_bias": True}, ErrorCode.UNSUPPORTED_MODEL),
        ({"hidden_size": "wide"}, ErrorCode.INVALID_FILE),
        ({"hidden_size": 32}, ErrorCode.INVALID_FILE),
        ({"num_hidden_layers": 10**9}, ErrorCode.INVALID_FILE),
        ({"vocab_size": 10**15}, ErrorCode.INVALID_FILE),
        ({"vocab_size": 260}, ErrorCode.INVALID_FILE),
        ({"rope_scaling": {"rope_type": "yarn"}}, ErrorCode.UNSUPPORTED_MODEL),
    ],
)
def test_a_configuration_that_cannot_be_computed_is_refused(
    folder: Path, change: dict[str, Any], code: ErrorCode
) -> None:
    rewrite(folder, "config.json", **change)
    with pytest.raises(LadError) as caught:
        load(folder)
    assert caught.value.code is code


def test_a_missing_configuration_is_named(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(LadError, match=r"no config\.json"):
        load(folder)


def test_a_mask_of_several_tokens_is_an_option_error(folder: Path) -> None:
    with pytest.raises(LadError, match=r"maskToken is MASK.*\[\d+, \d+, \d+, \d+\]"):
        load(folder, mask_token="MASK")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_model_that_does_not_fit_is_out_of_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(bases, "Llama", no_room)
    with pytest.raises(LadError, match="does not fit into memory") as caught:
        load(folder)
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY


@pytest.fixture
def hub(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    hub = FakeHub(folder)
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    yield hub
    hub.close()


def test_a_hub_id_is_fetched_and_reports_its_commit(hub: FakeHub, folder: Path) -> None:
    base = load("owner/open", revision="v1")
    assert base.info.revision == COMMIT
    name = "model.embed_tokens.weight"
    assert torch.equal(base.model.weights[name], load(folder).model.weights[name])
    assert load("owner/gated", hub_token=TOKEN).info.revision == COMMIT


def test_a_gated_hub_id_without_a_token_is_denied(hub: FakeHub) -> None:
    with pytest.raises(LadError, match="gated") as caught:
        load("owner/gated")
    assert caught.value.code is ErrorCode.ACCESS_DENIED


def test_a_folder_comes_before_a_hub_id(hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    nested = folder.parent / "owner"
    nested.mkdir()
    folder.rename(nested / "open")
    assert load("owner/open").info.revision != COMMIT
