"""LLaDA's checkpoints: their names and configuration, and a forward of their own to compare with."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from chatml_folder import MASK, chatml_tokenizer, write_chatml
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.forward.base import Base, load_base
from lad_runtime.torch_backend.loading.llada import llada_config
from lad_runtime.torch_backend.model.segment import Segment
from type_specs import base_spec

HIDDEN, HEADS, LAYERS, INNER = 32, 4, 2, 48
VOCABULARY = chatml_tokenizer().get_vocab_size() + 3  # rows beyond the tokenizer's, as LLaDA has
CONFIG: dict[str, Any] = {
    "model_type": "llada",
    "architectures": ["LLaDAModelLM"],
    "auto_map": {"AutoModel": "modeling_llada.LLaDAModelLM"},
    "d_model": HIDDEN,
    "n_heads": HEADS,
    "n_kv_heads": HEADS,
    "n_layers": LAYERS,
    "mlp_hidden_size": INNER,
    "mlp_ratio": 4,
    "vocab_size": VOCABULARY,
    "embedding_size": VOCABULARY,
    "max_sequence_length": 128,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0,
    "weight_tying": False,
    "block_type": "llama",
    "layer_norm_type": "rms",
    "activation_type": "silu",
    "include_bias": False,
    "include_qkv_bias": False,
    "rope": True,
    "alibi": False,
    "multi_query_attention": None,
    "input_emb_norm": False,
    "mask_token_id": MASK,
    "eos_token_id": 0,
}
IDS = torch.arange(30, 60)


def random_weights() -> dict[str, Tensor]:
    """Under the names of modeling_llada."""
    generator = torch.Generator().manual_seed(4)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) / math.sqrt(shape[-1])

    weights = {
        "model.transformer.wte.weight": drawn(VOCABULARY, HIDDEN),
        "model.transformer.ln_f.weight": 1 + 0.1 * drawn(HIDDEN),
        "model.transformer.ff_out.weight": drawn(VOCABULARY, HIDDEN),
    }
    for layer in range(LAYERS):
        for name, shape in {
            "attn_norm": (HIDDEN,),
            "ff_norm": (HIDDEN,),
            **dict.fromkeys(("q_proj", "k_proj", "v_proj", "attn_out"), (HIDDEN, HIDDEN)),
            "ff_proj": (INNER, HIDDEN),
            "up_proj": (INNER, HIDDEN),
            "ff_out": (HIDDEN, INNER),
        }.items():
            given = drawn(*shape)
            weights[f"model.transformer.blocks.{layer}.{name}.weight"] = (
                given + 1 if len(shape) == 1 else given
            )
    return weights


def reference(weights: dict[str, Tensor]) -> Tensor:
    """LLaDA's forward, written out: every token attends to every other."""

    def of(layer: int, name: str) -> Tensor:
        return weights[f"model.transformer.blocks.{layer}.{name}.weight"]

    def normed(x: Tensor, weight: Tensor) -> Tensor:
        return weight * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5)

    size = HIDDEN // HEADS
    angles = torch.outer(torch.arange(len(IDS)), 500000.0 ** -(torch.arange(0, size, 2) / size)).repeat(1, 2)

    def turned(x: Tensor) -> Tensor:
        first, second = x.chunk(2, -1)
        return x * angles.cos() + torch.cat((-second, first), -1) * angles.sin()

    x = weights["model.transformer.wte.weight"][IDS]
    for layer in range(LAYERS):
        h = normed(x, of(layer, "attn_norm"))
        q, k, v = (
            (h @ of(layer, name).T).view(len(IDS), HEADS, size).transpose(0, 1)
            for name in ("q_proj", "k_proj", "v_proj")
        )
        scores = (turned(q) @ turned(k).transpose(1, 2) / math.sqrt(size)).softmax(-1)
        x = x + (scores @ v).transpose(0, 1).reshape(len(IDS), HIDDEN) @ of(layer, "attn_out").T
        h = normed(x, of(layer, "ff_norm"))
        x = x + (F.silu(h @ of(layer, "ff_proj").T) * (h @ of(layer, "up_proj").T)) @ of(layer, "ff_out").T
    return normed(x, weights["model.transformer.ln_f.weight"]) @ weights["model.transformer.ff_out.weight"].T


def write_llada(folder: Path, weights: dict[str, Tensor], **changes: Any) -> Path:
    write_chatml(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    del settings["mask_token"]  # LLaDA's names none
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(CONFIG | changes), encoding="utf-8")
    (folder / "modeling_llada.py").write_text("raise SystemExit('remote code')", encoding="utf-8")
    save_file(weights, folder / "model.safetensors")
    return folder


def loaded(folder: Path) -> Base:
    return load_base(base_spec(name=str(folder)), "cpu", lambda _: None)


def test_it_computes_what_llada_computes(tmp_path: Path) -> None:
    weights = random_weights()
    base = loaded(write_llada(tmp_path, weights))
    with torch.no_grad():
        batch = base.model.batch([Segment(ids=IDS, mode="full")])
        logits = base.model.logits(base.model.hidden_states(batch))[: len(IDS)]
    torch.testing.assert_close(logits, reference(weights), rtol=1e-4, atol=1e-4)
    base.close()


def test_its_weights_are_the_files_and_its_mask_is_the_configurations(tmp_path: Path) -> None:
    weights = random_weights()
    base = loaded(write_llada(tmp_path, weights))
    assert (base.info.mask_token, base.info.mask_token_id) == ("<mask>", MASK)
    assert base.info.attention == "full"  # it denoises where nobody says how it is sampled
    assert base.info.vocab_size == VOCABULARY and base.info.max_positions == 128
    ours = base.model.weights
    assert torch.equal(
        ours["model.layers.1.mlp.gate_proj.weight"], weights["model.transformer.blocks.1.ff_proj.weight"]
    )
    assert torch.equal(
        ours["model.layers.1.mlp.down_proj.weight"], weights["model.transformer.blocks.1.ff_out.weight"]
    )
    assert torch.equal(ours["lm_head.weight"], weights["model.transformer.ff_out.weight"])
    assert len(ours) == len(weights)
    assert not base.source.name, "transformers loads it with remote code alone"
    base.close()


def test_the_published_configuration_is_that_of_the_8b_models() -> None:
    published = {"d_model": 4096, "n_heads": 32, "n_kv_heads": 32, "n_layers": 32, "mlp_hidden_size": 12288}
    config = llada_config({**CONFIG, **published, "vocab_size": 126464, "embedding_size": 126464})
    assert (config.head_dim, config.intermediate_size, config.vocab_size) == (128, 12288, 126464)
    assert config.num_kv_heads == 32 and not config.tied and config.rope_theta == 500000.0


@pytest.mark.parametrize(
    "change",
    [
        {"include_bias": True},
        {"include_qkv_bias": True},
        {"alibi": True},
        {"rope": False},
        {"block_type": "sequential"},
        {"layer_norm_type": "low_precision"},
        {"activation_type": "swiglu"},
        {"scale_logits": True},
        {"attention_layer_norm": True},
    ],
)
def test_a_variant_that_is_no_llama_is_refused_by_name(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(LadError, match=next(iter(change))) as refused:
        loaded(write_llada(tmp_path, random_weights(), **change))
    assert refused.value.code is ErrorCode.UNSUPPORTED_MODEL


def test_files_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    for number, (weights, changes, said) in enumerate(
        [
            (
                {**random_weights(), "model.transformer.blocks.0.att_proj.weight": torch.ones(2)},
                {},
                "att_proj",
            ),
            ({**random_weights(), "model.embed_tokens.weight": torch.ones(2)}, {}, "holds already"),
            (random_weights(), {"d_model": "wide"}, "d_model is 'wide'"),
            (random_weights(), {"d_model": 64}, "has shape"),
            (random_weights(), {"model_type": "llada_moe"}, "llada_moe"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(LadError, match=said):
            loaded(write_llada(folder, weights, **changes))
    missing = {name: value for name, value in CONFIG.items() if name != "n_layers"}
    with pytest.raises(LadError, match="n_layers is missing"):
        llada_config(missing)


@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, math.nan, 10**400, -(10**400), 1e300, True, [1], "9", 2.5]
)
@pytest.mark.parametrize(
    "name",
    ["d_model", "n_heads", "n_kv_heads", "n_layers", "mlp_hidden_size", "embedding_size", "max_sequence_length"],
)  # fmt: skip
def test_a_size_that_is_none_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(LadError) as refused:
        llada_config(CONFIG | {name: value})
    assert refused.value.code is ErrorCode.INVALID_FILE
    assert f"{name} is " in refused.value.message


@pytest.mark.parametrize("name", ["rms_norm_eps", "rope_theta"])
@pytest.mark.parametrize("value", [math.inf, math.nan, 10**400, -1, -1e-9, 1e300, True, "9"])
def test_a_number_that_is_not_finite_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(LadError, match=f"{name} is ") as refused:
        llada_config(CONFIG | {name: value})
    assert refused.value.code is ErrorCode.INVALID_FILE
