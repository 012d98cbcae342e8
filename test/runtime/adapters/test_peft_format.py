"""Adapters in PEFT's format: ours loads in peft, peft's loads here, and what is not plain LoRA is refused by name."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from adapter_files import adapter_files, adapter_from
from fake_backend import base_info
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.claims import claims_of
from lad_runtime.torch_backend.adapters.peft_format import load_adapter, write_adapter
from lad_runtime.torch_backend.model.config import PROJECTIONS
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from peft_oracle import CONFIG, oracle_of, our_logits, random_base, their_logits
from type_specs import adapter_spec


@pytest.fixture
def base() -> Llama:
    return random_base()


def adapter_of(
    targets: tuple[str, ...] = ("q_proj", "v_proj"),
    alpha: float = 8.0,
    rank: int = 4,
    use_rslora: bool = False,
) -> LoraAdapter:
    spec = adapter_spec(rank=rank, alpha=alpha, targets=targets, seed=2, use_rslora=use_rslora)
    adapter = LoraAdapter.create(CONFIG, spec)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in adapter.parameters.values():
            parameter.normal_(0.0, 0.2, generator=generator)
    return adapter


@pytest.mark.parametrize("targets", [("q_proj", "v_proj"), ("down_proj",), PROJECTIONS])
@pytest.mark.parametrize("alpha", [8.0, 1.5])
@pytest.mark.parametrize("use_rslora", [False, True])
def test_ours_gives_the_same_logits_in_peft(
    base: Llama, tmp_path: Path, targets: tuple[str, ...], alpha: float, use_rslora: bool
) -> None:
    peft = pytest.importorskip("peft")
    adapter = adapter_of(targets, alpha, use_rslora=use_rslora)
    claims = claims_of(
        base_info(),
        attention="full",
        context="prompt",
        noise=None,
        loss=None,
        lengths=(9,),
        canvas_tokens=0,
        pad_tokens=(),
    )
    write_adapter(tmp_path, adapter, base_name="some/base", claims=claims)
    theirs = their_logits(peft.PeftModel.from_pretrained(oracle_of(base), tmp_path))
    ours = our_logits(base, adapter)
    assert (ours - our_logits(base, None)).abs().max() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "targets", [["q_proj", "v_proj"], ["self_attn.o_proj", "up_proj"], r".*\.(k|down)_proj", "all-linear"]
)
@pytest.mark.parametrize("use_rslora", [False, True])
def test_theirs_gives_the_same_logits_here(
    base: Llama, tmp_path: Path, targets: list[str] | str, use_rslora: bool
) -> None:
    peft = pytest.importorskip("peft")
    settings = peft.LoraConfig(
        r=4,
        lora_alpha=6,
        target_modules=targets,
        use_rslora=use_rslora,
        task_type="CAUSAL_LM",
        lora_dropout=0.25,
    )
    model = peft.get_peft_model(oracle_of(base), settings).eval()
    generator = torch.Generator().manual_seed(4)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(0.0, 0.2, generator=generator)
    model.save_pretrained(tmp_path)
    adapter = load_adapter(tmp_path, CONFIG)
    torch.testing.assert_close(our_logits(base, adapter), their_logits(model), rtol=1e-4, atol=1e-4)
    assert adapter.spec.dropout == 0.25
    assert adapter.scaling == pytest.approx(6 / math.sqrt(4) if use_rslora else 6 / 4)


def test_what_is_saved_and_loaded_is_bit_equal_and_can_be_trained() -> None:
    adapter = adapter_of(PROJECTIONS, alpha=2.5)
    again = adapter_from(adapter_files(adapter), CONFIG)
    assert (again.spec.rank, again.spec.alpha, set(again.spec.targets)) == (4, 2.5, set(PROJECTIONS))
    assert again.parameters.keys() == adapter.parameters.keys()
    for name, parameter in again.parameters.items():
        assert torch.equal(parameter, adapter.parameters[name])
        assert parameter.requires_grad and parameter.is_leaf


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_of_half_precision_become_float32(dtype: torch.dtype) -> None:
    files = adapter_files(adapter_of())
    halves = {name: tensor.to(dtype) for name, tensor in load(files["adapter_model.safetensors"]).items()}
    adapter = adapter_from(files | {"adapter_model.safetensors": save(halves)}, CONFIG)
    assert all(parameter.dtype == torch.float32 for parameter in adapter.parameters.values())


def with_settings(**settings: Any) -> dict[str, bytes]:
    files = adapter_files(adapter_of())
    old = json.loads(files["adapter_config.json"])
    return files | {"adapter_config.json": json.dumps(old | settings).encode()}


def with_tensors(change: Callable[[dict[str, Tensor]], None]) -> dict[str, bytes]:
    files = adapter_files(adapter_of())
    tensors = load(files["adapter_model.safetensors"])
    change(tensors)
    return files | {"adapter_model.safetensors": save(tensors)}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("bias", "all"),
        ("use_dora", True),
        ("modules_to_save", ["lm_head"]),
        ("rank_pattern", {"(q|k)_proj": 2}),
        ("alpha_pattern", {"q_p.*": 2}),
        ("layer_replication", [[0, 2]]),
        ("lora_bias", True),
        ("fan_in_fan_out", True),
        ("trainable_token_indices", [1]),
        ("target_parameters", ["x"]),
        ("init_lora_weights", "pissa"),
        ("init_lora_weights", "olora"),
        ("peft_type", "IA3"),
        ("an_option_of_the_future", 3),
    ],
)
def test_an_option_that_is_not_computed_is_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(LadError, match=option) as caught:
        adapter_from(with_settings(**{option: value}), CONFIG)
    assert caught.value.code is ErrorCode.UNSUPPORTED_MODEL


NAME = "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (with_settings(r=8), r"has shape \(4, 32\), and \(8, 32\) fits"),
        (with_settings(r=0), "r is 0"),
        (with_settings(r="4"), "r is '4'"),
        (with_settings(lora_alpha=float("nan")), "lora_alpha is nan"),
        (with_settings(target_modules=["q_proj"]), "disagree about .*v_proj"),
        (with_settings(target_modules=["q_proj", "v_proj", "k_proj"]), "disagree about k_proj"),
        (with_tensors(lambda t: t.__delitem__(NAME)), r"lacks layers\.1\.self_attn\.q_proj\.lora_A"),
        (with_tensors(lambda t: t.update({NAME: torch.full((4, 32), float("nan"))})), "not finite"),
        (with_tensors(lambda t: t.update({NAME: torch.zeros(4, 32, dtype=torch.int32)})), "not finite"),
        (with_tensors(lambda t: t.update({NAME: torch.zeros(4, 16)})), r"has shape \(4, 16\)"),
        (
            with_tensors(lambda t: t.update({NAME.replace(".1.", ".7."): torch.zeros(4, 32)})),
            "adapts layer 7",
        ),
        (with_tensors(lambda t: t.clear()), "no LoRA weights"),
        (adapter_files(adapter_of()) | {"adapter_config.json": b"{"}, "cannot be read"),
        (adapter_files(adapter_of()) | {"adapter_config.json": b"[]"}, "not a JSON object"),
        (adapter_files(adapter_of()) | {"adapter_model.safetensors": b"x" * 64}, "damaged"),
        ({"adapter_config.json": adapter_files(adapter_of())["adapter_config.json"]}, "is missing"),
        ({}, r"adapter_config\.json is missing"),
        (
            {
                "adapter_config.json": adapter_files(adapter_of())["adapter_config.json"],
                "adapter_model.bin": b"x",
            },
            "pickle",
        ),
    ],
)
def test_files_that_are_damaged_or_of_another_base_say_so(files: dict[str, bytes], problem: str) -> None:
    with pytest.raises(LadError, match=problem) as caught:
        adapter_from(files, CONFIG)
    assert caught.value.code is ErrorCode.INVALID_FILE


def drop_layer_two(tensors: dict[str, Tensor]) -> None:
    for name in [name for name in tensors if ".layers.2." in name]:
        del tensors[name]


@pytest.mark.parametrize(
    "name",
    [
        "base_model.model.lm_head.lora_A.weight",
        "base_model.model.model.layers.0.mlp.q_proj.lora_A.weight",
        "base_model.model.model.layers.0.self_attn.w_proj.lora_A.weight",
        "base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector",
        "../../evil",
    ],
)
def test_tensors_that_are_not_factors_of_a_projection_are_named(name: str) -> None:
    with pytest.raises(LadError, match=name.split(".")[-2].strip("/") or "evil") as caught:
        adapter_from(with_tensors(lambda tensors: tensors.update({name: torch.zeros(4, 32)})), CONFIG)
    assert caught.value.code is ErrorCode.UNSUPPORTED_MODEL


def test_an_adapter_of_some_layers_only_is_not_computed() -> None:
    with pytest.raises(LadError, match="in 2 of this base's 3 layers") as caught:
        adapter_from(with_tensors(drop_layer_two), CONFIG)
    assert caught.value.code is ErrorCode.UNSUPPORTED_MODEL


def test_a_hostile_regular_expression_is_not_run() -> None:
    adapter = adapter_from(with_settings(target_modules=r"((\w|\.)+)+!"), CONFIG)
    assert adapter.spec.targets == ("q_proj", "v_proj")


@pytest.mark.parametrize("use_rslora", [False, True])
def test_the_scaling_is_written_and_read_by_the_name_that_peft_gives_it(
    tmp_path: Path, use_rslora: bool
) -> None:
    adapter = adapter_of(alpha=6.0, use_rslora=use_rslora)
    write_adapter(tmp_path, adapter)
    written = json.loads((tmp_path / "adapter_config.json").read_text(encoding="utf-8"))
    assert (written["lora_alpha"], written["use_rslora"]) == (6, use_rslora)
    read = load_adapter(tmp_path, CONFIG)
    assert (read.spec.alpha, read.spec.use_rslora, read.scaling) == (6.0, use_rslora, adapter.scaling)


def test_a_rank_stabilised_adapter_with_alpha_at_its_rank_is_scaled_by_the_root() -> None:
    assert [adapter_of(rank=16, alpha=16.0, use_rslora=on).scaling for on in (False, True)] == [1.0, 4.0]
    same = adapter_of(rank=16, alpha=16.0 * math.sqrt(16))
    assert same.scaling == adapter_of(rank=16, alpha=16.0, use_rslora=True).scaling
