"""How segments are laid out, and that both ways to attend over a layout agree."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lad_runtime.errors import LadError
from lad_runtime.torch_backend.kernels.matmul import ROW_MULTIPLE
from lad_runtime.torch_backend.model import attention
from lad_runtime.torch_backend.model import row_independence as row_probe
from lad_runtime.torch_backend.model.flat_batch import FlatBatch, padded_indices
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.layout import Block
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.row_independence import rows_are_independent
from lad_runtime.torch_backend.model.segment import Segment

MODES = st.sampled_from(["full", "causal"])


def ids(seed: int, length: int) -> Tensor:
    return torch.randint(1, 64, (length,), generator=torch.Generator().manual_seed(seed))


def flat(*segments: Segment) -> FlatBatch:
    return FlatBatch(segments, vocab_size=64, max_positions=64)


@settings(max_examples=60, deadline=None)
@given(items=st.lists(st.tuples(st.integers(1, 9), MODES, st.integers(0, 2)), min_size=1, max_size=9))
def test_every_token_has_its_row_and_every_adapter_full_rows(make_adapter, items) -> None:
    adapters = [None, make_adapter(seed=1), make_adapter(seed=2)]
    segments = [
        Segment(ids=ids(seed, length), mode=mode, adapter=adapters[which])
        for seed, (length, mode, which) in enumerate(items)
    ]
    batch = flat(*segments)
    assert batch.rows % ROW_MULTIPLE == 0
    covered = torch.zeros(batch.rows, dtype=torch.int64)
    for segment, (start, stop) in zip(segments, batch.spans, strict=True):
        assert torch.equal(batch.ids[start:stop], segment.ids)
        assert batch.positions[start:stop].tolist() == list(range(len(segment.ids)))
        covered[start:stop] += 1
        holders = [group.adapter for group in batch.adapters if group.start <= start < stop <= group.stop]
        assert holders == ([segment.adapter] if segment.adapter else [])
    if batch.padding is not None:
        covered[batch.padding] += 1
    assert covered.eq(1).all()
    assert all(group.start % ROW_MULTIPLE == group.stop % ROW_MULTIPLE == 0 for group in batch.adapters)
    assert [stack.start for stack in batch.stacks] == [0, *(stack.stop for stack in batch.stacks)][:-1]
    assert batch.stacks[-1].stop == batch.rows


def test_equal_lengths_share_a_run_wherever_they_stood() -> None:
    batch = flat(*(Segment(ids=ids(i, length)) for i, length in enumerate((5, 8, 5, 8, 5, 1))))
    assert [(stack.count, stack.lengths[0]) for stack in batch.stacks] == [(1, 1), (3, 5), (2, 8)]
    assert batch.spans == [(1, 6), (16, 24), (6, 11), (24, 32), (11, 16), (0, 1)]
    assert batch.padding is None


def test_positions_go_on_behind_a_cache(config) -> None:
    cache = KeyValueCache(config, capacity=8)
    cache.advance(5, torch.zeros(1, config.hidden_size))
    batch = flat(Segment(ids=ids(0, 2), cache=cache), Segment(ids=ids(0, 3)))
    start, stop = batch.spans[0]
    assert batch.positions[start:stop].tolist() == [5, 6]
    assert batch.end == 7


def test_padding_repeats_the_last_index() -> None:
    assert padded_indices(torch.tensor([7, 9, 8, 1, 3])).tolist() == [7, 9, 8, 1, 3, 3, 3, 3]
    assert padded_indices(torch.arange(4)).tolist() == [0, 1, 2, 3]
    assert len(padded_indices(torch.arange(0))) == 0


def plain_varlen(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    bounds: Tensor,
    bounds_k: Tensor,
    longest: int,
    longest_k: int,
    *,
    window_size: tuple[int, int],
    enable_gqa: bool,
    num_splits: int,
) -> Tensor:
    """What torch.nn.attention.varlen computes on CUDA, one sequence at a time: the last queries see the last keys."""
    assert enable_gqa and num_splits == 1
    for limits, most, rows in ((bounds, longest, q), (bounds_k, longest_k, k)):
        assert limits.dtype == torch.int32
        assert most == int(limits.diff().max()) and int(limits[-1]) == len(rows)
    outputs = []
    for start, stop, start_k, stop_k in zip(
        *(b.tolist() for b in (bounds[:-1], bounds[1:], bounds_k[:-1], bounds_k[1:])), strict=True
    ):
        heads = q[start:stop], k[start_k:stop_k], v[start_k:stop_k]
        new, seen = stop - start, stop_k - start_k
        visible = torch.ones(new, seen, dtype=torch.bool)
        if window_size == (-1, 0):
            visible = visible.tril(seen - new)
        q_HLD, k_HTD, v_HTD = (tensor.transpose(0, 1)[None] for tensor in heads)
        attended = F.scaled_dot_product_attention(q_HLD, k_HTD, v_HTD, attn_mask=visible, enable_gqa=True)
        outputs.append(attended[0].transpose(0, 1))
    return torch.cat(outputs)


@settings(max_examples=25, deadline=None)
@given(
    items=st.lists(
        st.tuples(
            st.integers(1, 9), MODES, st.integers(0, 1), st.sampled_from(["alone", "context", "cache"])
        ),
        min_size=1,
        max_size=8,
    )
)
def test_variable_length_blocks_equal_runs(model: Llama, adapter_pair, items) -> None:
    def past(seed: int) -> KeyValueCache:
        cache = KeyValueCache(model.config, capacity=16)
        model.hidden_states(model.batch([Segment(ids=ids(seed, 3 + seed % 3), mode="causal", cache=cache)]))
        return cache

    def segment(seed: int, length: int, mode: str, which: int, kind: str) -> Segment:
        common = {"ids": ids(seed, length), "adapter": adapter_pair[which]}
        if kind == "context":
            return Segment(**common, context=past(seed))
        return Segment(**common, mode=mode, cache=past(seed) if kind == "cache" else None)

    def hidden_states() -> Tensor:
        segments = [segment(seed, *item) for seed, item in enumerate(items)]
        empty = KeyValueCache(model.config, capacity=8)
        batch = model.batch([*segments, Segment(ids=ids(9, 3), mode="causal", cache=empty)])
        assert len(batch.blocks) <= len(batch.stacks)
        return model.hidden_states(batch)

    with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
        wanted = hidden_states()
        patch.setattr(attention, "_has_flash", lambda qkv, config: True)
        patch.setattr("torch.nn.attention.varlen.varlen_attn", plain_varlen)
        assert torch.allclose(hidden_states(), wanted, rtol=1e-4, atol=1e-5)


def test_gradients_through_variable_length_blocks_equal_those_through_runs(
    model: Llama, make_adapter
) -> None:
    adapter, lengths = make_adapter(targets=("q_proj", "v_proj", "o_proj")), (5, 8, 5, 3, 8, 9)
    contexts = [KeyValueCache(model.config, capacity=8) for _ in lengths]
    with torch.no_grad():
        for n, context in enumerate(contexts):
            model.hidden_states(model.batch([Segment(ids=ids(n, 2 + n % 4), mode="causal", cache=context)]))

    def gradients() -> list[Tensor]:
        segments = [
            Segment(ids=ids(n, length), adapter=adapter, context=context if n % 3 else None)
            for n, (length, context) in enumerate(zip(lengths, contexts, strict=True))
        ]
        batch = model.batch(segments)
        hidden_ND = model.hidden_states(batch)
        rows = torch.cat([torch.arange(*span) for span in batch.spans])
        return list(torch.autograd.grad(hidden_ND[rows].square().sum(), list(adapter.parameters.values())))

    wanted = gradients()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "_has_flash", lambda qkv, config: True)
        patch.setattr("torch.nn.attention.varlen.varlen_attn", plain_varlen)
        given = gradients()
    for gradient, exact in zip(given, wanted, strict=True):
        assert torch.allclose(gradient, exact, rtol=1e-3, atol=1e-4 * float(exact.abs().max()))


def test_neighbours_of_one_mode_make_one_block_whatever_came_before_them(model: Llama) -> None:
    context = KeyValueCache(model.config, capacity=4)
    context.advance(4, torch.zeros(1, model.config.hidden_size))
    segments = [Segment(ids=ids(n, 2 + n), context=context if n % 2 else None) for n in range(6)]
    (block,) = model.batch(segments).blocks
    assert isinstance(block, Block) and not block.is_plain


@pytest.fixture(scope="module")
def adapter_pair(make_adapter):
    return None, make_adapter(seed=1)


def test_this_machines_matmul_keeps_rows_apart(model: Llama) -> None:
    assert rows_are_independent(model)


def test_the_probe_notices_a_matmul_that_does_not(model: Llama, monkeypatch) -> None:
    monkeypatch.setattr(row_probe, "product", lambda a, b, _: (a @ b) * (1.0 + 1e-6 * len(a)))
    assert not rows_are_independent(model)


def test_a_cache_larger_than_the_model_is_an_error(config) -> None:
    with pytest.raises(LadError, match="256 positions"):
        KeyValueCache(config, capacity=257)
