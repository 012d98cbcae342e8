"""LoRA against its definition and against peft; its initialisation, snapshots, dropout and independence of company."""

import math

import peft
import pytest
import torch
import transformers
from torch import Tensor

from lad_runtime.errors import LadError
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import GradientRequest, LogitsRequest, LossRequest
from lad_runtime.torch_backend.model.config import PROJECTIONS, LlamaConfig
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.adapters import AdapterSpec
from type_specs import adapter_spec

TARGETS = [("q_proj", "v_proj"), ("k_proj", "o_proj", "gate_proj"), ("down_proj",), PROJECTIONS]


def ids(seed: int, length: int) -> Tensor:
    return torch.randint(0, 64, (length,), generator=torch.Generator().manual_seed(seed))


def logits_of(model: Llama, *segments: Segment) -> list[Tensor]:
    rows = tuple(torch.arange(len(segment.ids)) for segment in segments)
    (result,) = compute(model, [LogitsRequest(segments=segments, rows=rows)])
    return list(result)


def spec(**changes) -> AdapterSpec:
    return adapter_spec(**({"rank": 4, "alpha": 4.0, "targets": ("q_proj",)} | changes))


@pytest.mark.parametrize("targets", TARGETS)
def test_an_adapter_whose_b_is_zero_equals_the_base_bit_for_bit(
    model: Llama, targets: tuple[str, ...]
) -> None:
    fresh = LoraAdapter.create(model.config, spec(targets=targets))
    adapted, base = logits_of(model, Segment(ids=ids(1, 30), adapter=fresh), Segment(ids=ids(1, 30)))
    assert torch.equal(adapted, base)


@pytest.mark.parametrize("rank", [1, 4, 50])
@pytest.mark.parametrize("targets", TARGETS)
def test_an_unmerged_adapter_equals_the_merged_weights(
    model: Llama, make_adapter, targets, rank: int
) -> None:
    adapter = make_adapter(rank=rank, alpha=6.0, targets=targets)
    merged = {name: weight.clone() for name, weight in model.weights.items()}
    for name, lora_a in adapter.parameters.items():
        if name.endswith("lora_A"):
            lora_b = adapter.parameters[name.replace("lora_A", "lora_B")]
            merged["model." + name.replace("lora_A", "weight")] += (6.0 / rank) * (lora_b @ lora_a).detach()
    segment = Segment(ids=ids(1, 30), adapter=adapter)
    (wanted,) = logits_of(Llama(model.config, merged), Segment(ids=ids(1, 30)))
    (logits,) = logits_of(model, segment)
    assert torch.allclose(logits, wanted, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(logits, logits_of(model, Segment(ids=ids(1, 30)))[0], atol=1e-2)


@pytest.mark.parametrize("rank", [1, 7, 40])
@pytest.mark.parametrize("targets", TARGETS)
def test_logits_and_gradients_equal_those_of_peft(model: Llama, make_adapter, targets, rank: int) -> None:
    adapter = make_adapter(rank=rank, alpha=6.0, targets=targets)
    llama = transformers.LlamaForCausalLM(transformers.LlamaConfig(**model.config.to_hf()))
    llama.load_state_dict(model.weights, strict=False)
    llama.tie_weights()
    lora = peft.LoraConfig(r=rank, lora_alpha=6.0, target_modules=list(targets))
    reference = peft.get_peft_model(llama, lora)
    theirs = {
        name: reference.get_parameter(f"base_model.model.model.{name}.default.weight")
        for name in adapter.parameters
    }
    with torch.no_grad():
        for name, parameter in adapter.parameters.items():
            theirs[name].copy_(parameter)

    tokens, targets_L = ids(1, 33), ids(2, 33)
    wanted = reference(tokens[None], attention_mask=torch.zeros(1, 1, 33, 33)).logits[0]
    torch.nn.functional.cross_entropy(wanted, targets_L, reduction="sum").backward()
    segment = Segment(ids=tokens, adapter=adapter)
    assert torch.allclose(logits_of(model, segment)[0], wanted, rtol=1e-4, atol=1e-4)
    compute(model, [GradientRequest(segments=(segment,), targets=(targets_L,), weights=(torch.ones(33),))])
    for name, parameter in adapter.parameters.items():
        scale = theirs[name].grad.abs().max()
        assert (parameter.grad - theirs[name].grad).abs().max() <= 1e-4 * scale, name


def test_a_starts_uniform_within_its_bound_and_b_at_zero(config: LlamaConfig) -> None:
    adapter = LoraAdapter.create(config, spec(rank=64, targets=("q_proj", "down_proj")))
    lora_a = adapter.parameters["layers.0.mlp.down_proj.lora_A"]
    bound = 1 / math.sqrt(config.intermediate_size)
    assert lora_a.shape == (64, config.intermediate_size)
    assert 0.95 * bound < lora_a.abs().max() <= bound
    assert abs(lora_a.std() - bound / math.sqrt(3)) < 0.05 * bound
    assert not adapter.parameters["layers.1.self_attn.q_proj.lora_B"].any()
    assert adapter.parameter_count == 2 * 64 * (32 + 32 + 48 + 32)
    assert adapter.weight_nbytes == 4 * adapter.parameter_count


def test_every_bit_of_a_seed_counts(config: LlamaConfig) -> None:
    name = "layers.1.self_attn.q_proj.lora_A"
    seeds = (1, 2**63 + 1, 2**64 - 1, 2**63 - 1)
    made = [LoraAdapter.create(config, spec(seed=seed)).parameters[name] for seed in seeds]
    assert not any(torch.equal(made[i], made[j]) for i in range(4) for j in range(i))


def test_initialisation_depends_on_the_seed_alone(config: LlamaConfig) -> None:
    before = torch.random.get_rng_state()
    first, again, other = (LoraAdapter.create(config, spec(seed=seed)) for seed in (1, 1, 2))
    name = "layers.1.self_attn.q_proj.lora_A"
    assert torch.equal(first.parameters[name], again.parameters[name])
    assert not torch.equal(first.parameters[name], other.parameters[name])
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_snapshot_does_not_follow_training(model: Llama, adapter: LoraAdapter) -> None:
    snapshot = adapter.snapshot()
    (before,) = logits_of(model, Segment(ids=ids(1, 9), adapter=snapshot))
    with torch.no_grad():
        for parameter in adapter.parameters.values():
            parameter += 1.0
    (after,) = logits_of(model, Segment(ids=ids(1, 9), adapter=snapshot))
    assert torch.equal(before, after)
    assert not any(parameter.requires_grad for parameter in snapshot.parameters.values())


def test_parameters_stay_float32_beside_a_bfloat16_base(config: LlamaConfig, make_adapter) -> None:
    half = Llama.random(config, 0, dtype=torch.bfloat16, deviation=0.2)
    adapter = make_adapter()
    request = GradientRequest(
        segments=(Segment(ids=ids(1, 9), adapter=adapter),), targets=(ids(2, 9),), weights=(torch.ones(9),)
    )
    ((ce,),) = compute(half, [request])
    full = Llama(config, half.weights)
    ((wanted,),) = compute(full, [request])
    assert torch.allclose(ce, wanted, rtol=0.1, atol=0.3)
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in adapter.parameters.values())


class TestDropout:
    def request(self, adapter: LoraAdapter, seed: int | None, length: int = 20) -> GradientRequest:
        segment = Segment(ids=ids(1, length), adapter=adapter, dropout_seed=seed)
        return GradientRequest(segments=(segment,), targets=(ids(2, length),), weights=(torch.ones(length),))

    def test_is_a_function_of_its_seed_and_leaves_the_global_generator_alone(
        self, model, make_adapter
    ) -> None:
        adapter = make_adapter(dropout=0.5)
        before = torch.random.get_rng_state()
        first, again, other, off = (
            compute(model, [self.request(adapter, seed)])[0][0] for seed in (3, 3, 4, None)
        )
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert not torch.equal(first, off)
        assert torch.equal(before, torch.random.get_rng_state())

    def test_changes_nothing_where_the_adapter_has_none(self, model, make_adapter) -> None:
        adapter = make_adapter(dropout=0.0)
        assert torch.equal(*(compute(model, [self.request(adapter, seed)])[0][0] for seed in (3, None)))

    def test_does_not_depend_on_what_else_is_computed(self, model, make_adapter) -> None:
        first, second = make_adapter(dropout=0.5), make_adapter(dropout=0.2, seed=9)
        together = compute(model, [self.request(second, 8, 13), self.request(first, 3)])[1][0]
        gradients = [parameter.grad.clone() for parameter in first.parameters.values()]
        for parameter in first.parameters.values():
            parameter.grad = None
        alone = compute(model, [self.request(first, 3)])[0][0]
        assert torch.equal(together, alone)
        assert all(torch.equal(g, p.grad) for g, p in zip(gradients, first.parameters.values(), strict=True))

    def test_gradients_are_those_of_the_masked_network(self, model, make_adapter) -> None:
        adapter = make_adapter(dropout=0.5, targets=PROJECTIONS)
        request = self.request(adapter, 3)
        compute(model, [request])
        losses = LossRequest(segments=request.segments, targets=request.targets)
        step = 1e-2
        for name in ("layers.0.self_attn.q_proj.lora_B", "layers.0.mlp.down_proj.lora_A"):
            parameter = adapter.parameters[name]
            direction = parameter.grad / parameter.grad.norm()
            slope = 0.0
            for sign in (1, -1):
                with torch.no_grad():
                    parameter += sign * step * direction
                    slope += sign * float(compute(model, [losses])[0][0].double().sum()) / (2 * step)
                    parameter -= sign * step * direction
            assert slope == pytest.approx(float(parameter.grad.norm()), rel=2e-2), name


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"rank": 0}, "rank is 0"),
        ({"alpha": math.inf}, "alpha"),
        ({"dropout": 1.0}, "dropout"),
        ({"targets": ()}, "targets"),
        ({"targets": ("q_proj", "q_proj")}, "once"),
    ],
)
def test_an_impossible_adapter_is_an_error_that_names_the_option_where_it_is_specified(
    changes, word: str
) -> None:
    with pytest.raises(LadError, match=word):
        spec(**changes)
