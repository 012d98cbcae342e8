"""The card beside an adapter's files: its program, run with transformers and peft as it stands there, gives lad's numbers."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fake_hub import COMMIT, FakeHub
from lad_runtime.tiny.sizes import base_folder
from lad_runtime.torch_backend.adapters.card import card_of
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.loading.base_files import BaseSource
from lad_runtime.torch_backend.sampling.predict import predict
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.data import Message
from lad_runtime.types.sampling import Canvas, PredictCanvas
from random_adapters import NAME, SPEC, WINDOW, claims_on, load, program_of, random_adapter
from sampling_helpers import run_alone
from sampling_specs import draw_spec, predict_spec, refine_policy, sampling_spec

__all__ = ["load"]  # a fixture


def saved(base: Base, adapter: TrainedAdapter, folder: Path) -> str:
    """Saves as `adapter.save` does; returns the card."""
    TorchBackend(device="cpu", threads=1, state=folder / "state").export_adapter(
        base, adapter, folder, with_card=True
    )
    return (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("attention", ["full", "prefix", "causal-prefix", None])
def test_its_program_predicts_and_answers_as_lad_does(
    load: Callable[..., Base],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    attention: Any,
) -> None:
    base = load(name=NAME)
    adapter = random_adapter(base, claims_on(base, attention) if attention else None)
    program = program_of(saved(base, adapter, tmp_path))
    monkeypatch.chdir(tmp_path)
    ran: dict[str, Any] = {}
    exec(program, ran)

    mode = attention or "full"
    question = Message(role="user", content=ran["QUESTION"])
    prompt = tuple(base.tokenizer.encode(base.tokenizer.render([question], True)))
    assert tuple(ran["prompt"]) == prompt

    shown = tuple(range(30, 40))
    canvas = PredictCanvas(ids=(*prompt, *shown), answer_start=len(prompt), seed=0, stop_from=0)
    work = predict(base, adapter.adapter, [canvas], predict_spec(mode=mode, logits=True))
    _, (prediction,) = run_alone(work, base.model)
    ours = torch.frombuffer(bytearray(prediction.logits), dtype=torch.float32).view(len(shown), -1)
    torch.testing.assert_close(ran["logits"](list(prompt), list(shown)), ours, rtol=1e-4, atol=1e-3)

    length = WINDOW - len(prompt) if attention else 64
    spec = sampling_spec(
        policy=refine_policy(iterations=16), answer_tokens=length, attention=mode, draw=draw_spec()
    )
    start = Canvas(prompt=prompt, seed=0, begin=None, size=None)
    _, answer = run_alone(sample_canvas(base, adapter.adapter, start, 0, spec), base.model)
    assert tuple(ran["answer"]) == answer.canvas_ids
    assert tuple(ran["answer"][: ran["end"]]) == answer.ids
    assert capsys.readouterr().out == ran["tokenizer"].decode(answer.ids) + "\n"


def test_the_saved_files_name_a_shipped_base_and_a_folder_by_the_place_where_they_lie(
    load: Callable[..., Base], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = base_folder(NAME)
    monkeypatch.chdir(place.parent)
    for name in (NAME, f"./{NAME}"):
        base = load(name=name)
        folder = tmp_path / str(len(name))
        folder.mkdir()
        card = saved(base, random_adapter(base, None), folder)
        settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        assert settings["base_model_name_or_path"] == str(place.resolve()) and "revision" not in settings
        assert "a folder of the machine" in card and "base_model:" not in card


def test_an_adapter_of_a_hubs_model_is_used_at_its_commit(
    load: Callable[..., Base], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, cache = FakeHub(base_folder(NAME)), tmp_path / "cache"
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    try:
        base = load(name="owner/open")
    finally:
        hub.close()
    folder = tmp_path / "adapter"
    folder.mkdir()
    card = saved(base, random_adapter(base, claims_on(base, "full")), folder)
    settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert (settings["base_model_name_or_path"], settings["revision"]) == ("owner/open", COMMIT)
    assert 'base_model: "owner/open"' in card and "a folder of the machine" not in card
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", program_of(card)], cwd=folder, env=offline, check=True, timeout=120)


def test_a_base_without_files_is_not_promised_to_transformers(
    load: Callable[..., Base], tmp_path: Path
) -> None:
    base = load(name="stub")
    card = saved(base, random_adapter(base, claims_on(base, "full")), tmp_path)
    settings = json.loads((tmp_path / "adapter_config.json").read_text(encoding="utf-8"))
    assert settings["base_model_name_or_path"] is None
    assert "no files for transformers" in card and "```" not in card


def test_without_a_card_the_files_are_the_same_wherever_the_base_lies(
    load: Callable[..., Base], tmp_path: Path
) -> None:
    backend = TorchBackend(device="cpu", threads=1, state=tmp_path / "state")
    written = []
    for source in (BaseSource(), BaseSource(name="/elsewhere"), BaseSource(name="a/b", revision=COMMIT)):
        base = replace(load(name=NAME), source=source)
        folder = tmp_path / f"{len(written)}"
        folder.mkdir()
        backend.export_adapter(base, random_adapter(base, None), folder)
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0].keys() == {"adapter_config.json", "adapter_model.safetensors"}
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize(
    ("attention", "said"),
    [
        ("full", "every token of prompt and answer attends to every other"),
        ("prefix", "the prompt's tokens attend to each other"),
        ("causal-prefix", "behind a causal prompt"),
        ("causal", "It is **causal**"),
    ],
)
def test_it_says_how_its_model_attends_and_was_trained(
    load: Callable[..., Base], attention: AttentionMode, said: str
) -> None:
    base = load(name=NAME)
    claims = claims_on(base, attention)
    card = card_of(SPEC, claims, base.info, base.source)
    assert said in card and "in 7 optimizer steps" in card
    assert ("does not apply" in card) == ("```python" in card) == (attention != "causal")


def test_names_that_hold_markup_and_quotes_stay_text(load: Callable[..., Base]) -> None:
    base = load(name=NAME)
    hostile = 'a`b\n```python\n"""\nimport os\n---\n'
    info = replace(base.info, name=hostile, mask_token=hostile, system_prompt=hostile)
    claims = replace(claims_on(base, "full"), version=hostile)
    card = card_of(SPEC, claims, info, BaseSource(name=hostile, revision="r"))
    program = program_of(card)
    compile(program, "card", "exec")
    assert repr(hostile) in program
    assert json.dumps(hostile) in card.splitlines()[1]
    assert [line for line in card.splitlines() if line == "---"] == ["---", "---"]
