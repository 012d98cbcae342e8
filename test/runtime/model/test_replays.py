"""Forwards of layouts that recur: a replay gives the bits of the forward in its place, whatever has changed in between."""

import gc
import logging
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import ContextRequest, LogitsRequest
from lad_runtime.torch_backend.model import replays
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter, Version
from lad_runtime.torch_backend.model.replays import Replays
from lad_runtime.torch_backend.model.segment import Segment
from traced_recorder import TracedRecorder


@pytest.fixture
def replaying(config) -> Llama:
    """The model of the fixture `model`, to the bit, which replays."""
    model = Llama.random(config, seed=0, deviation=0.2)
    model.replays = Replays(TracedRecorder())
    return model


def ids(seed: int, length: int) -> Tensor:
    return torch.randint(1, 64, (length,), generator=torch.Generator().manual_seed(seed))


def logits(model: Llama, *segments: Segment) -> tuple[Tensor, ...]:
    rows = tuple(torch.arange(len(segment.ids)) for segment in segments)
    (result,) = compute(model, [LogitsRequest(segments=segments, rows=rows)])
    assert isinstance(result, tuple)
    return result


def filled(model: Llama, seed: int, length: int, cache: KeyValueCache | None = None) -> KeyValueCache:
    cache = cache or model.cache(16)
    compute(model, [ContextRequest.of(Segment(ids=ids(seed, length), mode="causal", cache=cache))])
    return cache


def equal(given: Any, wanted: Any) -> bool:
    return all(torch.equal(one, other) for one, other in zip(given, wanted, strict=True))


@torch.no_grad()
def step(adapter: LoraAdapter, seed: int) -> None:
    """Changes an adapter's weights in place, as an optimizer does."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in adapter.parameters.values():
        parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.05)


class World:
    """Adapters and contexts that change, and two models that should not differ: one computes, the other replays."""

    LAYOUTS = 14

    def __init__(self, plain: Llama, replaying: Llama, make_adapter: Callable[..., LoraAdapter]) -> None:
        self.plain, self.replaying, self.make_adapter = plain, replaying, make_adapter
        self.adapters: list[LoraAdapter | None] = [None, make_adapter(seed=1), make_adapter(seed=2, rank=3)]
        self.contexts: list[KeyValueCache | None] = [None, filled(plain, 1, 4), filled(plain, 2, 4)]
        self.growing = filled(plain, 3, 1)
        self.view: LoraAdapter | None = None
        self.results: list[tuple[tuple[Tensor, ...], tuple[Tensor, ...]]] = []

    def forward(self, seed: int, shape: int) -> None:
        """Several sequences of one of a few layouts, which recur."""
        one, other = self.adapters[1:]
        a, b = self.contexts[1:]
        layouts: list[list[dict[str, Any]]] = [
            [{"length": 5, "adapter": one}],
            [{"length": 5, "adapter": other}],
            [{"length": 5, "adapter": one, "context": a}],
            [{"length": 5, "adapter": one, "context": b}],
            [{"length": 5, "adapter": one}, {"length": 3}, {"length": 5, "adapter": other, "context": b}],
            [{"length": 5}],
            [{"length": 5, "mode": "causal"}],
            [{"length": 5, "mode": "prefix", "prompt_tokens": 2}],
            [{"length": 5, "mode": "prefix", "prompt_tokens": 3}],
            [{"length": 5, "adapter": self.view}],
            [{"length": 6}],
            [{"length": 3}, {"length": 3}],
            [{"length": 8, "adapter": one}, {"length": 8}],
            [{"length": 8}, {"length": 8, "adapter": one}],
        ]
        assert len(layouts) == self.LAYOUTS
        segments = [
            Segment(ids=ids(seed + index, options["length"]), **without_length(options))
            for index, options in enumerate(layouts[shape])
        ]
        self.results.append((logits(self.replaying, *segments), logits(self.plain, *segments)))

    def train(self, seed: int) -> None:
        adapter = self.adapters[1 + seed % 2]
        assert adapter is not None
        step(adapter, seed)

    def train_behind_a_view(self, seed: int) -> None:
        adapter = self.adapters[1 + seed % 2]
        assert adapter is not None
        self.view = adapter.view(Version())
        adapter.move()
        step(adapter, seed)

    def replace_adapter(self, seed: int) -> None:
        place = 1 + seed % 2
        rank = 4 if place == 1 else 3
        self.adapters[place] = None
        self.adapters[place] = self.make_adapter(seed=seed, rank=rank)

    def replace_context(self, seed: int) -> None:
        self.contexts[1 + seed % 2] = None
        self.contexts[1 + seed % 2] = filled(self.plain, seed, 4)

    def change_context(self, seed: int) -> None:
        """Other keys and values at the same address, of the same or another length."""
        context = self.contexts[1 + seed % 2]
        assert context is not None
        context.truncate(0)
        filled(self.plain, seed, 4 + seed % 3, context)

    def decode(self, seed: int) -> None:
        """A token behind a cache that grows by it: the same forward twice, the second one on the cache as it was."""
        if self.growing.length == self.growing.capacity:
            self.growing = filled(self.plain, seed, 1)
        segment = Segment(ids=ids(seed, 1), mode="causal", cache=self.growing)
        given = logits(self.replaying, segment)
        self.growing.truncate(self.growing.length - 1)
        self.results.append((given, logits(self.plain, segment)))


def without_length(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "length"}


changes = st.sampled_from(
    ["train", "train_behind_a_view", "replace_adapter", "replace_context", "change_context", "decode"]
)
numbers = st.integers(0, 10_000)
shapes = st.lists(st.integers(0, World.LAYOUTS - 1), min_size=1, max_size=3)


@settings(max_examples=25, deadline=None)
@given(shapes, st.lists(st.tuples(changes, numbers), min_size=3, max_size=12))
def test_replays_give_the_bits_of_forwards_whatever_changes_in_between(
    model: Llama, config, make_adapter, recurring, sequence
) -> None:
    replaying = Llama.random(config, seed=0, deviation=0.2)
    replaying.replays = Replays(TracedRecorder())
    world = World(model, replaying, make_adapter)
    for change, number in sequence:
        for again in range(2):
            for shape in recurring:
                world.forward(number + again, shape)
        getattr(world, change)(number)
    assert all(equal(given, wanted) for given, wanted in world.results)


def test_layouts_that_differ_in_one_thing_have_recordings_of_their_own(
    model: Llama, replaying: Llama, make_adapter
) -> None:
    world = World(model, replaying, make_adapter)
    world.train_behind_a_view(1)
    for seed in range(3):
        for shape in range(World.LAYOUTS):
            world.forward(seed, shape)
    assert all(equal(given, wanted) for given, wanted in world.results)
    assert (replaying.replays.recorded, replaying.replays.replayed) == (World.LAYOUTS, 2 * World.LAYOUTS)


def test_a_layout_is_recorded_when_it_is_met_again_and_replayed_from_then_on(replaying: Llama) -> None:
    counts = []
    for seed in range(4):
        logits(replaying, Segment(ids=ids(seed, 6)))
        counts.append((replaying.replays.recorded, replaying.replays.replayed))
    assert counts == [(0, 0), (1, 1), (1, 2), (1, 3)]


def test_what_a_replay_returned_stays_when_another_replays(replaying: Llama) -> None:
    segments = [Segment(ids=ids(seed, 6)) for seed in range(2)]
    with torch.no_grad():
        for segment in segments:
            replaying.hidden_states(replaying.batch([segment]))
        first = replaying.hidden_states(replaying.batch(segments[:1]))
        kept = first.clone()
        replaying.hidden_states(replaying.batch(segments[1:]))
    assert torch.equal(first, kept)


def test_a_layout_with_other_contexts_or_weights_is_another_one(replaying: Llama, make_adapter) -> None:
    contexts = [filled(replaying, seed, 4) for seed in range(2)]
    adapters = [make_adapter(seed=seed) for seed in range(2)]
    for adapter in adapters:
        for context in contexts:
            logits(replaying, Segment(ids=ids(0, 6), adapter=adapter, context=context))
    assert replaying.replays.recorded == 0


def test_views_of_the_same_weights_share_a_recording(replaying: Llama, adapter) -> None:
    for _ in range(3):
        logits(replaying, Segment(ids=ids(0, 6), adapter=adapter.view(Version())))
    assert (replaying.replays.recorded, replaying.replays.replayed) == (1, 2)


def test_a_replay_sees_weights_that_were_changed_in_place(model: Llama, replaying: Llama, adapter) -> None:
    segment = Segment(ids=ids(0, 6), adapter=adapter)
    before = [logits(replaying, segment) for _ in range(3)][-1]
    step(adapter, 1)
    after = logits(replaying, segment)
    assert equal(after, logits(model, segment)) and not equal(after, before)
    assert replaying.replays.replayed == 3


def test_what_grows_a_cache_is_computed_each_time(replaying: Llama) -> None:
    cache = replaying.cache(9)
    for seed in range(3):
        logits(replaying, Segment(ids=ids(seed, 3), mode="causal", cache=cache))
        cache.truncate(0)
    assert replaying.replays.recorded == 0


def test_dropout_and_gradients_are_computed_each_time(replaying: Llama, make_adapter) -> None:
    adapter = make_adapter(dropout=0.5)
    dropped = Segment(ids=ids(0, 8), adapter=adapter, dropout_seed=1)
    for _ in range(3):
        logits(replaying, dropped)
        replaying.hidden_states(replaying.batch([Segment(ids=ids(0, 8), adapter=adapter)]))
    assert replaying.replays.recorded == 0


def test_layouts_of_weights_and_contexts_that_are_gone_are_forgotten(replaying: Llama, make_adapter) -> None:
    adapter, context = make_adapter(), filled(replaying, 1, 4)
    for _ in range(2):
        logits(replaying, Segment(ids=ids(0, 6), adapter=adapter))
        logits(replaying, Segment(ids=ids(0, 6), context=context))
    assert len(replaying.replays) == 2
    del adapter, context
    gc.collect()
    logits(replaying, Segment(ids=ids(0, 9)))
    assert len(replaying.replays) == 1


def test_recordings_end_with_their_model(config) -> None:
    model = Llama.random(config, seed=0)
    recorder = CountingRecorder()
    model.replays = Replays(recorder)
    for _ in range(2):
        logits(model, Segment(ids=ids(0, 6)))
    assert recorder.alive() == 1
    del model
    gc.collect()
    assert recorder.alive() == 0


@pytest.mark.parametrize(("limit", "value"), [("LAYOUTS_KEPT", 2), ("ROWS_KEPT", 23)])
def test_the_layout_met_least_recently_is_forgotten_first(
    replaying: Llama, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(replays, limit, value)
    short, long, other = (Segment(ids=ids(0, length)) for length in (8, 12, 9))
    for segment in (short, long, short, long, short):
        logits(replaying, segment)
    assert replaying.replays.recorded == 2
    logits(replaying, other)
    replayed = replaying.replays.replayed
    logits(replaying, long)
    assert replaying.replays.replayed == replayed


def test_more_rows_than_keep_the_device_busy_are_computed(
    replaying: Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "MOST_ROWS", 8)
    for _ in range(3):
        logits(replaying, Segment(ids=ids(0, 9)))
    assert replaying.replays.recorded == 0 and len(replaying.replays) == 0


class CountingRecorder(TracedRecorder):
    """Knows how many of its recordings live."""

    def __init__(self) -> None:
        self._made: weakref.WeakSet[Any] = weakref.WeakSet()

    def record(self, compute: Callable[[], Tensor]) -> Any:
        recording = super().record(compute)
        self._made.add(recording)
        return recording

    def alive(self) -> int:
        return len(self._made)


class FailingRecorder:
    def __init__(self, message: str) -> None:
        self.asked = 0
        self._message = message

    def record(self, compute: Callable[[], Tensor]) -> Any:
        self.asked += 1
        raise RuntimeError(self._message)


def test_a_device_that_cannot_record_is_asked_once_and_the_results_are_the_same(
    model: Llama, config, caplog: pytest.LogCaptureFixture
) -> None:
    refusing, recorder = (
        Llama.random(config, seed=0, deviation=0.2),
        FailingRecorder("operation not permitted"),
    )
    refusing.replays = Replays(recorder)
    segment = Segment(ids=ids(0, 6))
    with caplog.at_level(logging.WARNING):
        assert all(equal(logits(refusing, segment), logits(model, segment)) for _ in range(5))
    assert recorder.asked == 1
    assert "operation not permitted" in caplog.text


def test_a_recording_that_finds_no_memory_gives_the_others_memory_back_and_the_forward_is_computed(
    model: Llama, replaying: Llama, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Segment(ids=ids(0, 6)), Segment(ids=ids(0, 9))
    for segment in (first, first, second):
        logits(replaying, segment)
    replaying.replays._recorder = FailingRecorder("CUDA out of memory")
    with caplog.at_level(logging.WARNING):
        assert equal(logits(replaying, second), logits(model, second))
    assert len(replaying.replays) == 0
    assert not caplog.text
