"""LAD's authors' files: their adapter and their base, read without their classes, compute what their module computes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.pth_adapter import load_pth_adapter, pth_bytes
from lad_runtime.torch_backend.forward.base import Base, load_base
from lad_runtime.torch_backend.loading.stub import CONFIG, write_stub
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from torch_files import ALPHA, RANK, authors_module, write_both
from type_specs import base_spec

IDS = torch.arange(40, 70)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tokenizer and a configuration without weights, as they come of the base that was adapted."""
    write_stub(tmp_path, seed=0)
    (tmp_path / "model.safetensors").unlink()
    return tmp_path


def theirs(made: Any) -> Tensor:
    """What the authors' forward computes: a mask of one value everywhere."""
    mask = torch.zeros(1, 1, len(IDS), len(IDS))
    with torch.no_grad():
        logits: Tensor = made.float().llama(IDS[None], attention_mask=mask).logits[0]
        return logits


def ours(base: Base, adapter: LoraAdapter | None) -> Tensor:
    with torch.no_grad():
        batch = base.model.batch([Segment(ids=IDS, adapter=adapter, mode="full")])
        return base.model.logits(base.model.hidden_states(batch))[: len(IDS)]


@pytest.mark.parametrize("form", ["whole", "state"])
def test_base_and_adapter_of_one_file_compute_what_their_module_does(folder: Path, form: str) -> None:
    path = folder / "published.pth"
    with authors_module(CONFIG) as made:
        torch.save(made if form == "whole" else made.state_dict(), path)
        wanted = theirs(made)
    base = load_base(base_spec(name=str(path)), "cpu", lambda _: None)
    adapter = load_pth_adapter(path, base.model.config)
    if form == "state":  # which has no alpha: the method's is the rank, and theirs was not
        assert adapter.spec.alpha == RANK
        with torch.no_grad():
            for name, parameter in adapter.parameters.items():
                if name.endswith("lora_B"):
                    parameter.mul_(ALPHA / RANK)
    else:
        assert adapter.spec.alpha == ALPHA
    assert adapter.spec.rank == RANK and adapter.spec.targets == ("q_proj", "v_proj")
    torch.testing.assert_close(ours(base, adapter), wanted, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(ours(base, None), wanted, atol=1e-3)
    assert pth_bytes(path) == 4 * adapter.parameter_count
    assert any("holds a LoRA adapter too" in warning for warning in base.info.warnings)
    base.close()


def test_the_tensors_are_the_files_bit_for_bit(folder: Path) -> None:
    whole, _, wanted = write_both(folder, CONFIG)
    base = load_base(base_spec(name=str(whole)), "cpu", lambda _: None)
    adapter = load_pth_adapter(whole, base.model.config)
    prefix = "llama.base_model.model."
    for name, parameter in adapter.parameters.items():
        assert torch.equal(parameter, wanted[f"{prefix}model.{name}.default.weight"].float())
    for name, weight in base.model.weights.items():
        named = {stored.replace(".base_layer", "").removeprefix(prefix): stored for stored in wanted}
        assert torch.equal(weight, wanted[named[name]].float()), name
    base.close()


def test_a_base_of_a_file_has_the_revision_of_its_weights(folder: Path) -> None:
    whole, state, _ = write_both(folder, CONFIG)
    first, second = (load_base(base_spec(name=str(path)), "cpu", lambda _: None) for path in (whole, state))
    assert first.info.revision != second.info.revision
    assert not first.source.name, "transformers does not load the file"
    for base in (first, second):
        base.close()


def test_files_that_hold_no_adapter_or_anothers_say_so(folder: Path) -> None:
    torch.save({"model.embed_tokens.weight": torch.ones(3, 3)}, folder / "base.pth")
    with pytest.raises(LadError, match="holds no LoRA weights"):
        load_pth_adapter(folder / "base.pth", CONFIG)
    _, state, tensors = write_both(folder, CONFIG)
    name = "llama.base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight"
    for changed, said in [
        ({name: torch.ones(RANK, 3)}, "has shape"),
        ({name: torch.ones(RANK + 1, CONFIG.hidden_size)}, "one rank for all"),
        ({name: torch.full((RANK, CONFIG.hidden_size), float("nan"))}, "not finite"),
        ({name.replace("lora_A", "lora_magnitude_vector"): torch.ones(3)}, "lora_magnitude_vector"),
        ({name.replace("layers.0", "layers.2"): torch.ones(RANK, CONFIG.hidden_size)}, "layer 2"),
    ]:
        torch.save(tensors | changed, state)
        with pytest.raises(LadError, match=said):
            load_pth_adapter(state, CONFIG)
    torch.save({key: value for key, value in tensors.items() if key != name}, state)
    with pytest.raises(LadError, match=r"lacks layers\.0\.self_attn\.q_proj\.lora_A"):
        load_pth_adapter(state, CONFIG)


def test_another_way_of_masking_is_refused_by_its_name(folder: Path) -> None:
    with authors_module(CONFIG, masking_type="bidirectional_masked") as made:
        torch.save(made, folder / "masked.pth")
    with pytest.raises(LadError, match="masking_type is 'bidirectional_masked'") as refused:
        load_pth_adapter(folder / "masked.pth", CONFIG)
    assert refused.value.code is ErrorCode.UNSUPPORTED_MODEL


def test_what_a_file_has_for_a_word_or_a_number_is_not_written_out(folder: Path) -> None:
    doubled: list[Any] = []
    for _ in range(40):  # 2^40 brackets
        doubled = [doubled, doubled]
    with authors_module(CONFIG) as made:
        made.config.__dict__["masking_type"] = doubled
        torch.save(made, folder / "masked.pth")
    with pytest.raises(LadError, match=r"masking_type is something else \(list\)"):
        load_pth_adapter(folder / "masked.pth", CONFIG)
    for scaling, said in [
        ({"default": 10**400}, "something else"),
        ({"default": doubled}, "something else"),
        ({"default": float("nan")}, "scaling is nan"),
        ({"default": 0}, "scaling is 0"),
        ({f"adapter{number}": 1.0 for number in range(101)}, "101 scalings"),
    ]:
        with authors_module(CONFIG) as made:
            made.llama.base_model.model.model.layers[0].self_attn.q_proj.scaling = scaling
            torch.save(made, folder / "scaled.pth")
        with pytest.raises(LadError, match=said):
            load_pth_adapter(folder / "scaled.pth", CONFIG)


def test_a_base_of_a_file_needs_its_configuration_beside_it(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "alone.pth")
    with pytest.raises(LadError, match=r"config\.json"):
        load_base(base_spec(name=str(tmp_path / "alone.pth")), "cpu", lambda _: None)
    write_stub(tmp_path, seed=0)
    raw = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert raw["num_hidden_layers"] == CONFIG.num_layers
    with pytest.raises(LadError, match=r"lack the tensor|has 2 layers"):
        load_base(base_spec(name=str(tmp_path / "alone.pth")), "cpu", lambda _: None)
