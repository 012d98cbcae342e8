"""Our Llama forward against transformers', cached against uncached, packed against one by one."""

import math
from dataclasses import replace

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.kernels.rope import Llama3Scaling
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.segment import Segment

SCALING = Llama3Scaling(
    factor=8.0, low_frequency_factor=1.0, high_frequency_factor=4.0, original_positions=32
)


@st.composite
def configs(draw: st.DrawFn) -> LlamaConfig:
    kv_heads = draw(st.sampled_from([1, 2, 3]))
    num_heads = kv_heads * draw(st.sampled_from([1, 2, 3]))
    return LlamaConfig(
        vocab_size=draw(st.integers(11, 90)),
        hidden_size=num_heads * draw(st.sampled_from([1, 4, 9])) * 2,
        intermediate_size=draw(st.integers(5, 60)),
        num_layers=draw(st.integers(1, 3)),
        num_heads=num_heads,
        num_kv_heads=kv_heads,
        head_dim=draw(st.sampled_from([4, 8, 14])),
        rms_norm_eps=draw(st.sampled_from([1e-6, 1e-5])),
        rope_theta=draw(st.sampled_from([10_000.0, 500_000.0])),
        rope_scaling=draw(st.sampled_from([None, SCALING])),
        max_positions=128,
        tied=draw(st.booleans()),
    )


def oracle(model: Llama) -> transformers.LlamaForCausalLM:
    raw = model.config.to_hf()
    llama = transformers.LlamaForCausalLM(transformers.LlamaConfig(**raw)).eval()
    llama.load_state_dict(model.weights, strict=not model.config.tied)
    llama.tie_weights()
    return llama


def logits_of(model: Llama, segments: list[Segment]) -> list[Tensor]:
    with torch.no_grad():
        batch = model.batch(segments)
        logits_NV = model.logits(model.hidden_states(batch))
    return [logits_NV[start:stop] for start, stop in batch.spans]


def ids(seed: int, length: int, vocab_size: int = 64) -> Tensor:
    return torch.randint(0, vocab_size, (length,), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("mode", ["causal", "full"])
@settings(max_examples=15, deadline=None)
@given(config=configs(), length=st.integers(1, 100), seed=st.integers(0, 1000))
def test_a_forward_equals_transformers(mode: str, config: LlamaConfig, length: int, seed: int) -> None:
    model = Llama.random(config, seed, deviation=0.3)
    tokens = ids(seed, length, config.vocab_size)
    mask = None if mode == "causal" else torch.zeros(1, 1, length, length)
    with torch.no_grad():
        wanted = oracle(model)(tokens[None], attention_mask=mask).logits[0]
    (logits,) = logits_of(model, [Segment(ids=tokens, mode=mode)])
    assert (logits - wanted).abs().max() <= 1e-4 * wanted.abs().max()


@pytest.mark.parametrize("tied", [True, False])
def test_gradients_of_every_weight_equal_those_of_transformers(config: LlamaConfig, tied: bool) -> None:
    model = Llama.random(replace(config, tied=tied), 3, deviation=0.2)
    reference = oracle(model)
    tokens, targets = ids(1, 41), ids(2, 41)
    leaves = model.trainable_parameters()
    hidden = model.hidden_states(model.batch([Segment(ids=tokens, mode="causal")]))
    torch.nn.functional.cross_entropy(model.logits(hidden[:41]), targets).backward()
    torch.nn.functional.cross_entropy(reference(tokens[None]).logits[0], targets).backward()
    assert all(leaf.grad is not None for leaf in leaves)
    layer, theirs = model.layers[1], reference.model.layers[1]
    attention, mlp = theirs.self_attn, theirs.mlp
    pairs = [
        (model.embedding, [reference.model.embed_tokens]),
        (model.head, [reference.lm_head]),
        (model.norm, [reference.model.norm]),
        (layer.attention_norm, [theirs.input_layernorm]),
        (layer.mlp_norm, [theirs.post_attention_layernorm]),
        (layer.qkv, [attention.q_proj, attention.k_proj, attention.v_proj]),
        (layer.o, [attention.o_proj]),
        (layer.gate_up, [mlp.gate_proj, mlp.up_proj]),
        (layer.down, [mlp.down_proj]),
    ]
    for leaf, modules in pairs:
        wanted = torch.cat([module.weight.grad for module in modules])
        assert torch.allclose(leaf.grad, wanted, rtol=1e-4, atol=1e-6)


def test_a_forward_is_the_same_with_and_without_gradients(model: Llama) -> None:
    segments = [Segment(ids=ids(1, 7)), Segment(ids=ids(2, 7)), Segment(ids=ids(3, 30), mode="causal")]
    batch = model.batch(segments)
    with torch.enable_grad():
        recorded = model.hidden_states(batch)
    with torch.no_grad():
        assert torch.equal(recorded, model.hidden_states(batch))


@settings(max_examples=30, deadline=None)
@given(
    items=st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from(["full", "causal"]), st.integers(0, 2)),
        min_size=1,
        max_size=7,
    )
)
def test_packed_sequences_equal_each_alone_bit_for_bit(model, make_adapter, items) -> None:
    adapters = [
        None,
        make_adapter(rank=3, seed=1),
        make_adapter(rank=16, seed=2, targets=("o_proj", "up_proj")),
    ]
    segments = [
        Segment(ids=ids(seed, length), mode=mode, adapter=adapters[which])
        for seed, (length, mode, which) in enumerate(items)
    ]
    for segment, packed in zip(segments, logits_of(model, segments), strict=True):
        assert torch.equal(packed, logits_of(model, [segment])[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_packed_equals_alone_on_larger_matrices_and_two_threads(dtype: torch.dtype, make_adapter) -> None:
    config = LlamaConfig(
        vocab_size=512,
        hidden_size=192,
        intermediate_size=512,
        num_layers=2,
        num_heads=6,
        num_kv_heads=2,
        head_dim=32,
    )
    model = Llama.random(config, 0, dtype=dtype)
    adapter = make_adapter(rank=64, config=config)
    lengths = [1, 5, 200, 33, 33, 64, 2, 7]
    segments = [
        Segment(ids=ids(seed, length, 512), adapter=adapter if seed % 2 else None)
        for seed, length in enumerate(lengths)
    ]
    torch.set_num_threads(2)
    try:
        for segment, packed in zip(segments, logits_of(model, segments), strict=True):
            assert torch.equal(packed, logits_of(model, [segment])[0])
    finally:
        torch.set_num_threads(1)


def test_changing_a_later_token_changes_nothing_before_it_only_when_causal(model: Llama) -> None:
    tokens = ids(5, 20)
    changed = tokens.clone()
    changed[-1] = (tokens[-1] + 1) % 64
    for mode in ("full", "causal"):
        before, after = logits_of(model, [Segment(ids=t, mode=mode) for t in (tokens, changed)])
        assert torch.equal(before[:-1], after[:-1]) == (mode == "causal")


@pytest.mark.parametrize("steps", [[1] * 12, [5, 1, 1, 5], [12], [3, 9]])
def test_a_cached_forward_equals_the_uncached_one(model: Llama, adapter, steps: list[int]) -> None:
    tokens = ids(7, 12)
    cache = KeyValueCache(model.config, capacity=12)
    pieces = [
        logits_of(
            model, [Segment(ids=part, mode="causal", cache=cache, adapter=adapter), Segment(ids=ids(8, 3))]
        )[0]
        for part in tokens.split(steps)
    ]
    (wanted,) = logits_of(model, [Segment(ids=tokens, mode="causal", adapter=adapter)])
    assert torch.allclose(torch.cat(pieces), wanted, rtol=1e-4, atol=1e-5)
    assert cache.length == 12


def test_a_truncated_cache_goes_on_as_if_the_rest_had_never_been(model: Llama) -> None:
    cache, fresh = KeyValueCache(model.config, capacity=20), KeyValueCache(model.config, capacity=20)
    for segment in (
        Segment(ids=ids(1, 6), mode="causal", cache=cache),
        Segment(ids=ids(2, 9), mode="causal", cache=cache),
        Segment(ids=ids(1, 6), mode="causal", cache=fresh),
    ):
        logits_of(model, [segment])
    cache.truncate(6)
    after, wanted = (
        logits_of(model, [Segment(ids=ids(3, 4), mode="causal", cache=c)])[0] for c in (cache, fresh)
    )
    assert torch.equal(after, wanted)


def test_full_attention_over_a_cache_sees_the_cache_and_every_new_token(model: Llama) -> None:
    cache = KeyValueCache(model.config, capacity=20)
    logits_of(model, [Segment(ids=ids(1, 6), mode="causal", cache=cache)])
    answers = []
    for last in (1, 2):
        cache.truncate(6)
        answers.append(logits_of(model, [Segment(ids=torch.tensor([5, 6, last]), cache=cache)])[0])
    assert not torch.equal(answers[0][0], answers[1][0])


def test_a_configuration_survives_the_hugging_face_format() -> None:
    config = LlamaConfig(
        vocab_size=10,
        hidden_size=8,
        intermediate_size=12,
        num_layers=1,
        num_heads=2,
        num_kv_heads=1,
        head_dim=6,
        rope_theta=500_000.0,
        rope_scaling=SCALING,
        tied=True,
    )
    assert LlamaConfig.from_hf(config.to_hf()) == config
    assert LlamaConfig.from_hf(transformers.LlamaConfig(**config.to_hf()).to_dict()) == config


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"model_type": "qwen2"}, ErrorCode.UNSUPPORTED_MODEL, "qwen2"),
        ({"attention_bias": True}, ErrorCode.UNSUPPORTED_MODEL, "attention_bias"),
        ({"hidden_act": "gelu"}, ErrorCode.UNSUPPORTED_MODEL, "gelu"),
        ({"rope_scaling": {"rope_type": "yarn"}}, ErrorCode.UNSUPPORTED_MODEL, "yarn"),
        ({"rope_scaling": {"rope_type": "llama3"}}, ErrorCode.INVALID_FILE, "factor"),
        ({"rope_scaling": "llama3"}, ErrorCode.INVALID_FILE, "rope"),
        ({"quantization_config": {"bits": 4}}, ErrorCode.UNSUPPORTED_MODEL, "quantised"),
        ({"num_key_value_heads": 3}, ErrorCode.INVALID_FILE, "evenly"),
        ({"hidden_size": "many"}, ErrorCode.INVALID_FILE, "number"),
        ({"hidden_size": math.inf}, ErrorCode.INVALID_FILE, "hidden_size is inf"),
        ({"num_hidden_layers": 10**400}, ErrorCode.INVALID_FILE, "num_hidden_layers is far too large"),
        (
            {"rope_scaling": SCALING.to_hf() | {"high_freq_factor": 1.0}},
            ErrorCode.INVALID_FILE,
            "high_freq_factor is 1.0",
        ),
        (
            {"rope_scaling": SCALING.to_hf() | {"high_freq_factor": 0.5}},
            ErrorCode.INVALID_FILE,
            "above low_freq_factor, 1.0",
        ),
        (
            {"rope_scaling": SCALING.to_hf() | {"low_freq_factor": 0}},
            ErrorCode.INVALID_FILE,
            "low_freq_factor is 0",
        ),
        ({"rope_scaling": SCALING.to_hf() | {"factor": 0}}, ErrorCode.INVALID_FILE, "factor is 0"),
        (
            {"rope_scaling": SCALING.to_hf() | {"original_max_position_embeddings": 0}},
            ErrorCode.INVALID_FILE,
            "original_max_position_embeddings is 0",
        ),
        ({"rms_norm_eps": math.nan}, ErrorCode.INVALID_FILE, "rms_norm_eps is nan"),
        ({"rope_theta": 10**400}, ErrorCode.INVALID_FILE, "rope_theta is far too large"),
        ({"rope_theta": 0}, ErrorCode.INVALID_FILE, "rope_theta is 0"),
        ({"partial_rotary_factor": "half"}, ErrorCode.INVALID_FILE, "partial_rotary_factor is 'half'"),
        ({"rope_scaling": SCALING.to_hf() | {"factor": math.inf}}, ErrorCode.INVALID_FILE, "factor is inf"),
        ({"num_attention_heads": 0}, ErrorCode.INVALID_FILE, "num_heads"),
    ],
)
def test_a_configuration_that_cannot_be_computed_is_an_error_that_names_why(
    config, change, code, word
) -> None:
    with pytest.raises(LadError, match=word) as error:
        LlamaConfig.from_hf(config.to_hf() | change)
    assert error.value.code == code


def test_a_missing_size_is_named(config: LlamaConfig) -> None:
    raw = config.to_hf()
    del raw["vocab_size"]
    with pytest.raises(LadError, match="vocab_size"):
        LlamaConfig.from_hf(raw)


def test_a_missing_or_misshapen_tensor_is_named(config: LlamaConfig, model: Llama) -> None:
    name = "model.layers.1.mlp.up_proj.weight"
    for broken in ({}, {name: torch.zeros(3, 3)}, {name: torch.zeros(48, 32, dtype=torch.int64)}):
        tensors = {key: value for key, value in model.weights.items() if key != name} | broken
        with pytest.raises(LadError, match=name) as error:
            Llama(config, tensors)
        assert error.value.code == ErrorCode.INVALID_FILE


def test_an_untied_model_needs_its_head(config: LlamaConfig, model: Llama) -> None:
    with pytest.raises(LadError, match=r"lm_head\.weight"):
        Llama(replace(config, tied=False), model.weights)


def test_weights_read_back_make_the_same_model(config: LlamaConfig, model: Llama) -> None:
    copy = Llama(config, model.weights)
    segments = [Segment(ids=ids(1, 9))]
    assert torch.equal(logits_of(copy, segments)[0], logits_of(model, segments)[0])
    assert copy.parameter_count == sum(p.numel() for p in oracle(model).parameters())


@pytest.mark.parametrize(
    ("segment", "word"),
    [
        (Segment(ids=torch.tensor([64])), "vocabulary"),
        (Segment(ids=torch.tensor([-1])), "vocabulary"),
        (Segment(ids=torch.empty(0, dtype=torch.int64)), "at least one"),
        (Segment(ids=torch.zeros(257, dtype=torch.int64)), "256 positions"),
    ],
)
def test_tokens_that_cannot_be_computed_are_never_asked_for(
    model: Llama, segment: Segment, word: str
) -> None:
    with pytest.raises(AssertionError, match=word):
        model.batch([segment])


def test_more_tokens_than_a_cache_holds_are_never_asked_for(model: Llama) -> None:
    cache = KeyValueCache(model.config, capacity=4)
    with pytest.raises(AssertionError, match="the cache has room"):
        model.batch([Segment(ids=ids(0, 5), cache=cache)])
