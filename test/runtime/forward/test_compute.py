"""What requests give, and that none of them can tell what else was computed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import (
    ForwardRequest,
    GradientRequest,
    LogitsRequest,
    LossRequest,
)
from lad_runtime.torch_backend.model.config import PROJECTIONS, LlamaConfig
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment


def ids(seed: int, length: int, vocab_size: int = 64) -> Tensor:
    return torch.randint(0, vocab_size, (length,), generator=torch.Generator().manual_seed(seed))


def gradient_request(
    adapter: LoraAdapter | None, lengths: list[int], seed: int = 0, mode: str = "full"
) -> GradientRequest:
    """Every third token unsupervised, weights in (0, 1)."""
    targets = [ids(seed + 50 + i, length) for i, length in enumerate(lengths)]
    for target in targets:
        target[::3] = IGNORE_INDEX
    weights = [
        torch.rand(length, generator=torch.Generator().manual_seed(seed + length)) for length in lengths
    ]
    segments = [
        Segment(ids=ids(seed + i, length), adapter=adapter, mode=mode) for i, length in enumerate(lengths)
    ]
    return GradientRequest(segments=tuple(segments), targets=tuple(targets), weights=tuple(weights))


def loss_request(request: GradientRequest) -> LossRequest:
    return LossRequest(segments=request.segments, targets=request.targets)


def logits_request(request: GradientRequest) -> LogitsRequest:
    rows = tuple(torch.arange(len(segment.ids) - 1, -1, -2) for segment in request.segments)
    return LogitsRequest(segments=request.segments, rows=rows)


def taken_gradients(adapter: LoraAdapter) -> list[Tensor]:
    gradients = [parameter.grad.clone() for parameter in adapter.parameters.values()]
    for parameter in adapter.parameters.values():
        parameter.grad = None
    return gradients


def equal(first: list[Tensor] | tuple[Tensor, ...], second: list[Tensor] | tuple[Tensor, ...]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_gradient_request_gives_plain_cross_entropies_and_their_weighted_gradient(
    model: Llama, adapter
) -> None:
    request = gradient_request(adapter, [9, 17, 9])
    (result,) = compute(model, [request])
    computed = taken_gradients(adapter)
    batch = model.batch(request.segments)
    logits = model.logits(model.hidden_states(batch))
    total = torch.zeros(())
    for (start, stop), target, weight, ce in zip(
        batch.spans, request.targets, request.weights, result, strict=True
    ):
        plain = torch.nn.functional.cross_entropy(
            logits[start:stop], target, reduction="none", ignore_index=IGNORE_INDEX
        )
        total = total + (weight * plain).sum()
        assert torch.allclose(ce, plain.detach(), rtol=1e-5, atol=1e-5)
        assert not ce[::3].any()
    total.backward()
    for gradient, parameter in zip(computed, adapter.parameters.values(), strict=True):
        assert torch.allclose(gradient, parameter.grad, rtol=1e-4, atol=1e-6)


def test_gradients_accumulate_until_they_are_taken(model: Llama, adapter) -> None:
    request = gradient_request(adapter, [9, 17])
    compute(model, [request])
    once = taken_gradients(adapter)
    compute(model, [request])
    compute(model, [request])
    assert equal(taken_gradients(adapter), [2.0 * gradient for gradient in once])


def test_a_loss_request_equals_the_gradient_request_and_leaves_no_gradient(model: Llama, adapter) -> None:
    request = gradient_request(adapter, [9, 17])
    (losses,) = compute(model, [loss_request(request)])
    assert all(parameter.grad is None for parameter in adapter.parameters.values())
    assert equal(losses, compute(model, [request])[0])


def test_logits_come_from_the_rows_asked_for(model: Llama, adapter) -> None:
    segment = Segment(ids=ids(1, 8), adapter=adapter)
    every = LogitsRequest(segments=(segment,), rows=(torch.arange(8),))
    some = LogitsRequest(
        segments=(segment, segment), rows=(torch.tensor([5, 0]), torch.empty(0, dtype=torch.int64))
    )
    ((all_rows,), (chosen, none)) = compute(model, [every, some])
    assert torch.equal(chosen, all_rows[[5, 0]])
    assert none.shape == (0, 64)


def test_a_base_without_adapter_has_losses_and_no_gradient(model: Llama) -> None:
    request = gradient_request(None, [9])
    assert equal(compute(model, [request])[0], compute(model, [loss_request(request)])[0])


def test_a_request_without_supervised_tokens_has_zero_losses_and_gradients(model: Llama, adapter) -> None:
    segment = Segment(ids=ids(1, 5), adapter=adapter)
    request = GradientRequest(
        segments=(segment,), targets=(torch.full((5,), IGNORE_INDEX),), weights=(torch.ones(5),)
    )
    ((ce,),) = compute(model, [request])
    assert not ce.any() and len(ce) == 5
    assert not any(gradient.any() for gradient in taken_gradients(adapter))


@pytest.mark.parametrize("threads", [1, 2])
def test_four_adapters_trained_in_one_batch_equal_each_alone_bit_for_bit(make_adapter, threads: int) -> None:
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=96,
        intermediate_size=160,
        num_layers=2,
        num_heads=6,
        num_kv_heads=3,
        head_dim=16,
        max_positions=128,
    )
    model = Llama.random(config, 0, deviation=0.1)
    ranks = {4: ("q_proj", "v_proj"), 16: PROJECTIONS, 64: ("o_proj", "down_proj"), 256: ("q_proj", "v_proj")}
    adapters = [make_adapter(rank=rank, targets=targets, config=config) for rank, targets in ranks.items()]
    requests = [
        gradient_request(adapters[0], [60, 3], 1),
        gradient_request(adapters[1], [33], 2, "causal"),
        gradient_request(adapters[2], [1, 2], 3),
        gradient_request(adapters[3], [17, 100, 17], 4),
    ]
    torch.set_num_threads(threads)
    try:
        together = compute(model, requests)
        gradients = [taken_gradients(adapter) for adapter in adapters]
        for request, adapter, losses, gradient in zip(requests, adapters, together, gradients, strict=True):
            assert equal(compute(model, [request])[0], losses)
            assert equal(taken_gradients(adapter), gradient)
    finally:
        torch.set_num_threads(1)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_request_equals_that_request_alone_bit_for_bit(
    model: Llama, make_adapter, data: st.DataObject
) -> None:
    adapters = [None, *(make_adapter(rank=rank, seed=rank, targets=PROJECTIONS) for rank in (1, 4, 30))]
    requests: list[ForwardRequest] = []
    for seed in range(data.draw(st.integers(1, 5))):
        adapter = data.draw(st.sampled_from(adapters))
        lengths = data.draw(st.lists(st.integers(1, 24), min_size=1, max_size=4))
        kind = data.draw(st.sampled_from([lambda request: request, loss_request, logits_request]))
        requests.append(
            kind(
                gradient_request(adapter, lengths, seed * 100, data.draw(st.sampled_from(["full", "causal"])))
            )
        )
    together = compute(model, requests)
    trained = [
        adapter for adapter in adapters[1:] if any(p.grad is not None for p in adapter.parameters.values())
    ]
    gradients = [taken_gradients(adapter) for adapter in trained]
    assert all(
        equal(compute(model, [request])[0], result)
        for request, result in zip(requests, together, strict=True)
    )
    assert all(
        equal(taken_gradients(adapter), taken) for adapter, taken in zip(trained, gradients, strict=True)
    )


def test_two_requests_of_one_adapter_add_up_as_one_after_the_other(model: Llama, adapter) -> None:
    requests = [
        gradient_request(adapter, [9, 17], 1),
        gradient_request(adapter, [5], 2),
        gradient_request(adapter, [7, 7], 3),
    ]
    together = compute(model, requests)
    gradients = taken_gradients(adapter)
    assert all(
        equal(compute(model, [request])[0], result)
        for request, result in zip(requests, together, strict=True)
    )
    assert equal(taken_gradients(adapter), gradients)


def test_a_failure_adds_no_gradient_and_grows_no_cache(model: Llama, adapter, monkeypatch) -> None:
    cache = KeyValueCache(model.config, capacity=8)
    segment = Segment(ids=ids(1, 3), mode="causal", cache=cache)
    good: list[ForwardRequest] = [
        LogitsRequest(segments=(segment,), rows=(torch.tensor([2]),)),
        gradient_request(adapter, [9]),
        gradient_request(adapter, [5]),
    ]
    bad = gradient_request(None, [1])
    bad.segments[0].ids[0] = 64
    with pytest.raises(AssertionError, match="vocabulary"):
        compute(model, [*good, bad])

    forwards = iter([None, None, MemoryError("out of memory")])
    forward = Llama.hidden_states

    def failing_forward(*args: object, **options: object) -> Tensor:
        failure = next(forwards)
        if failure:
            raise failure
        return forward(*args, **options)

    monkeypatch.setattr(Llama, "hidden_states", failing_forward)
    with pytest.raises(MemoryError):
        compute(model, good)
    assert cache.length == 0
    assert all(parameter.grad is None for parameter in adapter.parameters.values())


def test_decoding_two_sequences_together_equals_each_alone(model: Llama, make_adapter) -> None:
    adapters = [None, make_adapter()]

    def decode(which: list[int]) -> list[list[Tensor]]:
        caches = {i: KeyValueCache(model.config, capacity=16) for i in which}
        steps: list[list[Tensor]] = []
        for begin, end in ((0, 5), (5, 6), (6, 7)):
            segments = [
                Segment(ids=ids(i, 7)[begin:end], adapter=adapters[i], mode="causal", cache=caches[i])
                for i in which
            ]
            last = torch.tensor([end - begin - 1])
            results = compute(
                model, [LogitsRequest(segments=(segment,), rows=(last,)) for segment in segments]
            )
            steps.append([logits for (logits,) in results])
        return [list(sequence) for sequence in zip(*steps, strict=True)]

    together = decode([0, 1])
    assert equal(decode([0])[0], together[0])
    assert equal(decode([1])[0], together[1])


def test_requests_of_a_kind_share_a_group_and_count_their_tokens(model: Llama, adapter) -> None:
    request = gradient_request(adapter, [9, 17])
    assert request.tokens == loss_request(request).tokens == 26
    assert request.group != loss_request(request).group == logits_request(request).group


@pytest.mark.parametrize("target", [64, -2])
def test_targets_outside_the_vocabulary_are_never_asked_for(model: Llama, adapter, target: int) -> None:
    segment = Segment(ids=ids(1, 2), adapter=adapter)
    with pytest.raises(AssertionError, match="vocabulary"):
        compute(model, [LossRequest(segments=(segment,), targets=(torch.tensor([3, target]),))])


def test_a_request_is_made_of_values_that_fit_its_segments() -> None:
    segment, weights = Segment(ids=ids(1, 3)), (torch.ones(2),)
    with pytest.raises(AssertionError, match="one target for each token"):
        LossRequest(segments=(segment,), targets=(ids(1, 2),))
    with pytest.raises(AssertionError, match="one weight for each token"):
        GradientRequest(segments=(segment,), targets=(ids(1, 3),), weights=weights)
    with pytest.raises(AssertionError, match="positions within the segment"):
        LogitsRequest(segments=(segment,), rows=(torch.tensor([3]),))


def test_training_goes_on_from_what_inference_has_made(config: LlamaConfig, adapter) -> None:
    """What it returns may be kept for a backward, which torch refuses of tensors made in inference mode."""
    model = Llama.random(config, seed=0)
    request = gradient_request(adapter, [9, 17])
    ((first, _),) = compute(model, [logits_request(request)])
    compute(model, [request])
    assert any(gradient.any() for gradient in taken_gradients(adapter))
    scale = torch.ones((), requires_grad=True)
    (scale * first).sum().backward()
    assert scale.grad is not None
