"""A checkpoint with an adapter in its weights computes what lad computes with the adapter beside its base."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.loading.stub import write_stub
from lad_runtime.torch_backend.model.config import attention_of
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.predict import predict
from lad_runtime.types.adapters import AdapterClaims
from lad_runtime.types.sampling import PredictCanvas
from random_adapters import NAME, SPEC, claims_on, load, program_of, random_adapter
from sampling_helpers import run_alone
from sampling_specs import predict_spec
from type_specs import merge_spec

__all__ = ["load"]  # a fixture
IDS = torch.arange(40, 64)
PIECE = 1 << 20
DOCS = Path(__file__).parents[3] / "docs" / "adapter-files.md"


def merged(base: Base, adapter: TrainedAdapter, folder: Path, **options: Any) -> Path:
    """Merges as `adapter.merge` does."""
    backend = TorchBackend(device="cpu", threads=1, state=folder / "state")
    exported, written = folder / "exported", folder / "merged"
    exported.mkdir()
    written.mkdir()
    backend.export_adapter(base, adapter, exported)
    for name, piece in backend.merge(base, exported, merge_spec(**options)):
        assert 0 < len(piece) <= PIECE
        with (written / name).open("ab") as file:
            file.write(piece)
    return written


def of_transformers(folder: Path) -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.AutoModelForCausalLM.from_pretrained(folder).float().eval()


def ours(base: Base, adapter: TrainedAdapter | None, mode: Any) -> Tensor:
    """Logits [tokens, vocabulary] of `IDS`."""
    given = adapter.adapter if adapter else None
    with torch.no_grad():
        segment = Segment(ids=IDS, adapter=given, mode=mode)
        return base.model.logits(base.model.hidden_states(base.model.batch([segment])))[: len(IDS)]


def predicted(base: Base, adapter: TrainedAdapter, prompt: list[int], answer: list[int], mode: Any) -> Tensor:
    canvas = PredictCanvas(ids=(*prompt, *answer), answer_start=len(prompt), seed=0, stop_from=0)
    work = predict(base, adapter.adapter, [canvas], predict_spec(mode=mode, logits=True))
    _, (prediction,) = run_alone(work, base.model)
    return torch.frombuffer(bytearray(prediction.logits), dtype=torch.float32).view(len(answer), -1)


def test_transformers_computes_its_causal_logits(load: Callable[..., Base], tmp_path: Path) -> None:
    base = load(name=NAME)
    adapter = random_adapter(base, claims_on(base, "full"))
    model = of_transformers(merged(base, adapter, tmp_path))
    with torch.no_grad():
        theirs = model(IDS[None]).logits[0]
    torch.testing.assert_close(theirs, ours(base, adapter, "causal"), rtol=1e-4, atol=1e-3)
    assert not torch.allclose(theirs, ours(base, None, "causal"), atol=0.1), "the adapter changes them"


@pytest.mark.parametrize("attention", ["full", "prefix", None])
def test_its_cards_program_computes_its_bidirectional_logits(
    load: Callable[..., Base], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attention: Any
) -> None:
    base = load(name=NAME)
    adapter = random_adapter(base, claims_on(base, attention) if attention else None)
    folder = merged(base, adapter, tmp_path)
    monkeypatch.chdir(folder)
    ran: dict[str, Any] = {}
    exec(program_of((folder / "README.md").read_text(encoding="utf-8")), ran)
    prompt, answer = list(ran["prompt"]), list(range(30, 40))
    wanted = predicted(base, adapter, prompt, answer, attention or "full")
    torch.testing.assert_close(ran["logits"](prompt, answer), wanted, rtol=1e-4, atol=1e-3)


def documented(heading: str) -> str:
    """The Python program under a heading of the documentation."""
    (section,) = re.findall(
        rf"^## {heading}$(.*?)(?=^## |\Z)", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return program_of(section)


def test_the_documented_ten_lines_compute_them(load: Callable[..., Base], tmp_path: Path) -> None:
    base = load(name=NAME)
    adapter = random_adapter(base, claims_on(base, "full"))
    program = documented("A checkpoint with the adapter in it")
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    ran: dict[str, Any] = {}
    place = json.dumps(str(merged(base, adapter, tmp_path)))
    mask = json.dumps(base.info.mask_token)
    exec(program.replace('"merged"', place).replace('"MASK"', mask), ran)
    prompt, answer = list(ran["prompt"]), list(ran["answer"])
    assert answer == [base.info.mask_token_id] * 16
    wanted = predicted(base, adapter, prompt, answer, "full")
    torch.testing.assert_close(ran["logits"], wanted, rtol=1e-4, atol=1e-3)


def test_the_documented_two_passes_compute_an_adapter_behind_a_causal_prompt(
    load: Callable[..., Base], tmp_path: Path
) -> None:
    base = load(name=NAME)
    adapter = random_adapter(base, claims_on(base, "causal-prefix"))
    backend = TorchBackend(device="cpu", threads=1, state=tmp_path / "state")
    (tmp_path / "adapter").mkdir()
    backend.export_adapter(base, adapter, tmp_path / "adapter", with_card=True)
    program = documented("An adapter behind a causal prompt")
    ran: dict[str, Any] = {}
    place = json.dumps(str(tmp_path / "adapter"))
    exec(program.replace('"adapter"', place).replace('"MASK"', json.dumps(base.info.mask_token)), ran)
    wanted = predicted(base, adapter, list(ran["prompt"]), list(ran["answer"]), "causal-prefix")
    torch.testing.assert_close(ran["logits"], wanted, rtol=1e-4, atol=1e-3)


def test_lad_loads_it_as_a_base_that_computes_the_same(load: Callable[..., Base], tmp_path: Path) -> None:
    base = load(name=NAME)
    adapter = random_adapter(base, claims_on(base, "full"))
    again = load(name=str(merged(base, adapter, tmp_path)))
    torch.testing.assert_close(ours(again, None, "full"), ours(base, adapter, "full"), rtol=1e-4, atol=1e-3)
    assert again.info.eos_token_id == base.info.eos_token_id
    assert again.info.stop_tokens == base.info.stop_tokens
    assert again.info.chat_template_digest == base.info.chat_template_digest


@pytest.mark.parametrize("mode", ["full", "prefix", "causal"])
def test_its_configuration_says_how_it_attends(load: Callable[..., Base], tmp_path: Path, mode: Any) -> None:
    base = load(name=NAME)
    folder = merged(base, random_adapter(base, claims_on(base, mode)), tmp_path)
    assert base.info.attention is None
    assert json.loads((folder / "config.json").read_text())["lad_attention"] == mode
    assert load(name=str(folder)).info.attention == mode
    assert of_transformers(folder).config.lad_attention == mode  # which keeps what it does not know


@pytest.mark.parametrize("written", ["sideways", "", 7, None, ["full"]])
def test_a_configuration_that_names_no_mode_says_none(written: Any) -> None:
    assert attention_of({"lad_attention": written}) is None
    assert attention_of({}) is None


def test_a_new_adapter_leaves_the_bases_weights_as_they_are(
    load: Callable[..., Base], tmp_path: Path
) -> None:
    base = load(name=NAME)
    fresh = TrainedAdapter(LoraAdapter.create(base.model.config, SPEC))
    written = load_file(merged(base, fresh, tmp_path) / "model.safetensors")
    assert written.keys() == base.model.weights.keys()
    for name, weight in base.model.weights.items():
        assert torch.equal(written[name], weight), name


def test_shards_hold_the_tensors_of_the_one_file_and_load(load: Callable[..., Base], tmp_path: Path) -> None:
    base = load(name=NAME)
    adapter = random_adapter(base, None)
    (tmp_path / "whole").mkdir()
    (tmp_path / "shards").mkdir()
    whole = load_file(merged(base, adapter, tmp_path / "whole") / "model.safetensors")
    folder = merged(base, adapter, tmp_path / "shards", shard_bytes=600_000)
    index = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    assert len(files) > 3 and files == sorted(set(index["weight_map"].values()))
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in whole.values())
    read = {name: tensor for file in files for name, tensor in load_file(folder / file).items()}
    assert read.keys() == whole.keys() == index["weight_map"].keys()
    assert all(torch.equal(read[name], whole[name]) for name in whole)
    assert all(name in load_file(folder / file) for name, file in index["weight_map"].items())
    loaded = of_transformers(folder).state_dict()
    assert all(torch.equal(loaded[name], whole[name]) for name in whole)


def test_a_narrower_type_is_the_float32_sum_rounded_once(load: Callable[..., Base], tmp_path: Path) -> None:
    base = load(name=NAME)
    adapter = random_adapter(base, None)
    for name in ("wide", "narrow"):
        (tmp_path / name).mkdir()
    wide = load_file(merged(base, adapter, tmp_path / "wide", dtype="float32") / "model.safetensors")
    folder = merged(base, adapter, tmp_path / "narrow", dtype="bfloat16")
    narrow = load_file(folder / "model.safetensors")
    assert all(torch.equal(narrow[name], wide[name].to(torch.bfloat16)) for name in wide)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["torch_dtype"] == "bfloat16"


def test_sums_beyond_the_type_are_refused(load: Callable[..., Base], tmp_path: Path) -> None:
    base = load(name=NAME)
    adapter = random_adapter(base, None)
    with torch.no_grad():
        adapter.adapter.parameters["layers.1.self_attn.v_proj.lora_B"].mul_(1e7)
    with pytest.raises(LadError) as refused:
        merged(base, adapter, tmp_path, dtype="float16")
    assert (refused.value.code, refused.value.option) == (ErrorCode.INVALID_OPTION, "dataType")
    assert "layers.1.self_attn.v_proj" in refused.value.message


def test_the_stub_too_is_a_folder_for_transformers(load: Callable[..., Base], tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    base = load(name="stub", chat_template="{{ messages[0]['content'] }}!")
    folder = merged(base, random_adapter(base, None), tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    text = "Ünïcode and [MASK]"
    assert tokenizer(text, add_special_tokens=False).input_ids == base.tokenizer.encode(text)
    assert tokenizer.apply_chat_template([{"role": "user", "content": "a"}], tokenize=False) == "a!"
    assert of_transformers(folder).config.eos_token_id == base.info.eos_token_id


@pytest.mark.parametrize("settings", [None, {"auto_map": {"AutoTokenizer": ["remote.Code", None]}}])
def test_a_tokenizers_settings_are_completed_and_name_no_remote_code(
    load: Callable[..., Base], tmp_path: Path, settings: Any
) -> None:
    transformers = pytest.importorskip("transformers")
    (tmp_path / "base").mkdir()
    write_stub(tmp_path / "base", seed=0)
    place = tmp_path / "base" / "tokenizer_config.json"
    given = json.loads(place.read_text(encoding="utf-8"))
    if settings is None:
        place.unlink()
    else:
        place.write_text(json.dumps(given | settings), encoding="utf-8")
    base = load(name=str(tmp_path / "base"), mask_token="[MASK]")
    folder = merged(base, random_adapter(base, None), tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    text = "Ünïcode"
    assert tokenizer(text, add_special_tokens=False).input_ids == base.tokenizer.encode(text)
    assert "auto_map" not in (folder / "tokenizer_config.json").read_text(encoding="utf-8")


def test_its_card_tells_how_it_was_trained(load: Callable[..., Base], tmp_path: Path) -> None:
    base = load(name=NAME)
    claims: AdapterClaims = replace(claims_on(base, "full"), mask_token="a|b`c\n| x |")
    folder = merged(base, random_adapter(base, claims), tmp_path)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| rank | `4` |" in card and "| steps | `7` |" in card and "| attention | `full` |" in card
    assert "| mask token | `a\\|bc \\| x \\|` |" in card
    assert json.loads((folder / "lad.json").read_text(encoding="utf-8"))["steps"] == 7
    assert "does not apply" in card


def test_a_causal_one_is_used_as_any_causal_model(load: Callable[..., Base], tmp_path: Path) -> None:
    base = load(name=NAME)
    folder = merged(base, random_adapter(base, claims_on(base, "causal")), tmp_path)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "`model.generate`" in card and "```python" not in card and "text-diffusion" not in card
