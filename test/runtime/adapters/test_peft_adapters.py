"""Adapters as peft itself writes them, in every way that it begins and chooses them: equal logits, or a refusal with what to do."""

import json
import math
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import save_file

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.peft_format import load_adapter, weight_bytes, write_adapter
from lad_runtime.torch_backend.model.lora import LoraAdapter
from peft_oracle import CONFIG, oracle_of, our_logits, random_base, their_logits

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"


def peft_model(adapter_name: str = "default", **settings: Any) -> Any:
    given = {"r": 4, "lora_alpha": 6, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}
    lora = peft.LoraConfig(**(given | settings))
    return peft.get_peft_model(oracle_of(random_base()), lora, adapter_name=adapter_name).eval()


def train(model: Any) -> None:
    """As training does, moves every weight of the adapter away from where it began."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.add_(torch.empty(parameter.shape).normal_(0.0, 0.2, generator=generator))


def assert_equal_logits(adapter: LoraAdapter, model: Any) -> None:
    ours = our_logits(random_base(), adapter)
    assert (ours - our_logits(random_base(), None)).abs().max() > 0.1
    torch.testing.assert_close(ours, their_logits(model), rtol=1e-4, atol=1e-4)


def settings_of(folder: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    return settings


def rewrite(folder: Path, **settings: Any) -> None:
    (folder / CONFIG_FILE).write_text(json.dumps(settings_of(folder) | settings), encoding="utf-8")


@pytest.mark.parametrize("start", [True, False, "gaussian", "Gaussian", "orthogonal", "mica"])
def test_a_start_that_leaves_the_base_alone_is_plain_lora_once_trained(tmp_path: Path, start: Any) -> None:
    model = peft_model(init_lora_weights=start)
    train(model)
    model.save_pretrained(tmp_path)
    assert_equal_logits(load_adapter(tmp_path, CONFIG), model)


def eva_model(rho: float, **settings: Any) -> Any:
    """Begun by the directions in which the activations of some batches vary most, with the ranks that these give."""
    config = peft.EvaConfig(rho=rho)
    model = peft_model(
        init_lora_weights="eva",
        eva_config=config,
        target_modules=["q_proj", "v_proj", "down_proj"],
        **settings,
    )
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randint(0, CONFIG.vocab_size, (4, 24), generator=generator) for _ in range(8)]
    batches = [{"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids} for ids in drawn]
    peft.initialize_lora_eva_weights(model, batches, show_progress_bar=False)
    train(model)
    return model


@pytest.mark.parametrize("use_rslora", [False, True])
@pytest.mark.parametrize("rho", [1.0, 2.0])
def test_eva_gives_the_same_logits_whatever_ranks_it_shares_out(
    tmp_path: Path, rho: float, use_rslora: bool
) -> None:
    model = eva_model(rho, use_rslora=use_rslora)
    model.save_pretrained(tmp_path)
    own_ranks = settings_of(tmp_path)["rank_pattern"]
    assert bool(own_ranks) == (rho > 1.0)
    adapter = load_adapter(tmp_path, CONFIG)
    assert_equal_logits(adapter, model)
    assert adapter.spec.rank == max([4, *own_ranks.values()])
    assert weight_bytes(tmp_path) == sum(4 * each.numel() for each in adapter.parameters.values())


def test_what_is_loaded_with_ranks_of_its_own_is_saved_as_plain_lora(tmp_path: Path) -> None:
    model = eva_model(2.0)
    model.save_pretrained(tmp_path / "theirs")
    (tmp_path / "ours").mkdir()
    write_adapter(tmp_path / "ours", load_adapter(tmp_path / "theirs", CONFIG))
    again = peft.PeftModel.from_pretrained(oracle_of(random_base()), tmp_path / "ours")
    torch.testing.assert_close(their_logits(again), their_logits(model), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("use_rslora", [False, True])
def test_ranks_and_alphas_by_module_names_are_those_of_peft(tmp_path: Path, use_rslora: bool) -> None:
    model = peft_model(
        rank_pattern={"layers.1.self_attn.q_proj": 7, "q_proj": 2},
        alpha_pattern={"^model.layers.2.self_attn.v_proj": 1.5, "self_attn.q_proj": 9},
        use_rslora=use_rslora,
    )
    train(model)
    model.save_pretrained(tmp_path)
    adapter = load_adapter(tmp_path, CONFIG)
    assert_equal_logits(adapter, model)
    assert adapter.spec.rank == 7
    assert adapter.scaling == pytest.approx(6 / math.sqrt(4) if use_rslora else 6 / 4)


def test_the_rows_that_fill_a_lower_rank_get_no_gradient(tmp_path: Path) -> None:
    model = peft_model(rank_pattern={"q_proj": 2})
    train(model)
    model.save_pretrained(tmp_path)
    adapter = load_adapter(tmp_path, CONFIG)
    a, b = (adapter.parameters[f"layers.0.self_attn.q_proj.lora_{factor}"] for factor in "AB")
    x, wanted = torch.randn(5, CONFIG.hidden_size), torch.randn(5, CONFIG.hidden_size)
    ((x @ a.T @ b.T) * wanted).sum().backward()
    assert a.grad is not None and b.grad is not None
    assert torch.equal(a.grad[2:], torch.zeros(2, 32)) and torch.equal(b.grad[:, 2:], torch.zeros(32, 2))
    assert a.grad[:2].abs().min() > 0


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("rank_pattern", {"q_proj": 2}, "has shape"),
        ("rank_pattern", {"q_proj": 0}, "rank_pattern of q_proj is 0"),
        ("alpha_pattern", {"q_proj": "2"}, "alpha_pattern of q_proj is '2'"),
    ],
)
def test_a_pattern_that_cannot_be_of_these_weights_is_refused(
    tmp_path: Path, option: str, value: Any, problem: str
) -> None:
    peft_model().save_pretrained(tmp_path)
    rewrite(tmp_path, **{option: value})
    with pytest.raises(LadError, match=problem) as caught:
        load_adapter(tmp_path, CONFIG)
    assert caught.value.code is ErrorCode.INVALID_FILE


@pytest.mark.parametrize(
    ("settings", "targets"),
    [
        ({"target_modules": "all-linear", "exclude_modules": ["down_proj", "o_proj"]}, 5),
        ({"target_modules": "all-linear", "exclude_modules": r".*\.mlp\..*"}, 4),
        ({"target_modules": "all-linear", "exclude_modules": ["lm_head"]}, 7),
        ({"target_modules": ["q_proj", "v_proj"], "exclude_modules": ["self_attn.v_proj"]}, 1),
    ],
)
def test_modules_that_are_chosen_and_excluded_again_are_not_missed(
    tmp_path: Path, settings: dict[str, Any], targets: int
) -> None:
    model = peft_model(**settings)
    train(model)
    model.save_pretrained(tmp_path)
    adapter = load_adapter(tmp_path, CONFIG)
    assert_equal_logits(adapter, model)
    assert len(adapter.spec.targets) == targets


@pytest.mark.parametrize("excluded", [["k_proj"], [], None])
def test_modules_that_are_chosen_and_not_excluded_are_missed(tmp_path: Path, excluded: Any) -> None:
    peft_model().save_pretrained(tmp_path)
    rewrite(tmp_path, target_modules=["q_proj", "v_proj", "o_proj"], exclude_modules=excluded)
    with pytest.raises(LadError, match="disagree about o_proj"):
        load_adapter(tmp_path, CONFIG)


@pytest.mark.parametrize("name", ["default", "my-adapter"])
def test_the_tensors_of_a_models_state_are_read_by_the_adapters_name_in_them(
    tmp_path: Path, name: str
) -> None:
    model = peft_model(name)
    train(model)
    model.peft_config[name].save_pretrained(tmp_path)
    state = {key: value for key, value in model.state_dict().items() if "lora_" in key}
    assert all(f".{name}.weight" in key for key in state)
    save_file(state, tmp_path / WEIGHTS_FILE)
    assert_equal_logits(load_adapter(tmp_path, CONFIG), model)


@pytest.mark.parametrize("other", ["lora_A.second.weight", "lora_A.weight"])
def test_several_adapters_in_one_file_are_refused_by_their_names(tmp_path: Path, other: str) -> None:
    model = peft_model("first")
    model.peft_config["first"].save_pretrained(tmp_path)
    state = {key: value for key, value in model.state_dict().items() if "lora_" in key}
    state |= {
        key.replace("lora_A.first.weight", other): value.clone()
        for key, value in state.items()
        if "lora_A" in key
    }
    save_file(state, tmp_path / WEIGHTS_FILE)
    with pytest.raises(LadError, match=r"several adapters .*'first'") as caught:
        load_adapter(tmp_path, CONFIG)
    assert caught.value.code is ErrorCode.UNSUPPORTED_MODEL
    assert "selected_adapters" in caught.value.remedy


@pytest.mark.parametrize("start", ["pissa", "pissa_niter_4", "olora"])
def test_an_adapter_that_took_from_its_base_loads_once_peft_converted_it_as_the_refusal_says(
    tmp_path: Path, start: str
) -> None:
    model = peft_model(init_lora_weights=start)
    model.save_pretrained(tmp_path / "begun")
    train(model)
    model.save_pretrained(tmp_path / "trained")
    with pytest.raises(LadError, match=r"init_lora_weights is .*changed the weights of the base") as caught:
        load_adapter(tmp_path / "trained", CONFIG)
    assert "path_initial_model_for_weight_conversion" in caught.value.remedy
    wanted = their_logits(model)
    model.save_pretrained(
        tmp_path / "plain", path_initial_model_for_weight_conversion=str(tmp_path / "begun")
    )
    adapter = load_adapter(tmp_path / "plain", CONFIG)
    assert adapter.spec.rank == 8
    torch.testing.assert_close(our_logits(random_base(), adapter), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("start", "remedy"),
    [
        ("corda", "path_initial_model_for_weight_conversion"),
        ("lora_ga", "path_initial_model_for_weight_conversion"),
        ("loftq", "Save that base as a model folder"),
        ("of_the_future", "write true for it"),
        (["pissa"], "write true for it"),
    ],
)
def test_a_start_that_changes_the_base_is_refused_with_its_own_remedy(
    tmp_path: Path, start: Any, remedy: str
) -> None:
    peft_model().save_pretrained(tmp_path)
    rewrite(tmp_path, init_lora_weights=start)
    with pytest.raises(LadError, match="init_lora_weights") as caught:
        load_adapter(tmp_path, CONFIG)
    assert caught.value.code is ErrorCode.UNSUPPORTED_MODEL and remedy in caught.value.remedy


@pytest.mark.parametrize("option", ["eva_config", "corda_config", "lora_ga_config", "loftq_config"])
def test_how_a_start_was_made_says_nothing_about_what_is_computed(tmp_path: Path, option: str) -> None:
    model = peft_model()
    train(model)
    model.save_pretrained(tmp_path)
    rewrite(tmp_path, **{option: {"rho": 2.0}})
    assert_equal_logits(load_adapter(tmp_path, CONFIG), model)
