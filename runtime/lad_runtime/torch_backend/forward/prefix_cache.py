"""A cache of prompts: their keys and values are computed once and shared by all answers that are denoised after them."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence

import torch

from lad_runtime.torch_backend.forward.requests import ContextRequest
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter, Version
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.work import Work, ask

MAX_BYTES = 512 * 1024 * 1024
"""The most bytes of keys and values that are cached for later use; those in use stay alive in any case."""

Key = tuple["weakref.ref[Version] | None", AttentionMode, tuple[int, ...]]


class Prompts:
    """The prompts of one base: those in use, and the most recently used ones in up to `max_bytes` of keys and values.

    A prompt in the attention mode `prefix` belongs to a version of an adapter's weights, and is dropped with it. In
    `causal-prefix` the unadapted base computes it, for all adapters and the autoregressive baseline. Work runs on the engine's
    thread; any thread may call everything else. The garbage collector may call `_forget` in the middle of any method.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Key, KeyValueCache] = OrderedDict()
        self._living: weakref.WeakValueDictionary[Key, KeyValueCache] = weakref.WeakValueDictionary()
        self._nbytes = 0
        self._lock = threading.RLock()

    @property
    def nbytes(self) -> int:
        """Bytes of the cached prompts, in use or not."""
        return self._nbytes

    def keep(self, max_bytes: int) -> None:
        """Sets the limit from now on, at most `MAX_BYTES`."""
        with self._lock:
            self._max_bytes = min(max_bytes, MAX_BYTES)
            self._drop_oldest()

    def context(
        self, model: Llama, adapter: LoraAdapter | None, prompt: Sequence[int], attention: AttentionMode
    ) -> Work[KeyValueCache | None]:
        """Work that returns a prompt's filled cache, which is read-only; None for an empty prompt."""
        (cache,) = yield from self.contexts(model, adapter, [prompt], attention)
        return cache

    def contexts(
        self,
        model: Llama,
        adapter: LoraAdapter | None,
        prompts: Sequence[Sequence[int]],
        attention: AttentionMode,
        *,
        keep: bool = True,
    ) -> Work[list[KeyValueCache | None]]:
        """`context` for several prompts; the missing ones are computed together. Without `keep` they live as long as they are in
        use: for prompts that nobody meets again."""
        owner = None if attention == "causal-prefix" else adapter
        caches = [
            self._find(model, owner, tuple(prompt), attention, keep=keep) if prompt else None
            for prompt in prompts
        ]
        missing = {
            id(cache): prompt_segment(prompt, owner, attention, cache)
            for cache, prompt in zip(caches, prompts, strict=True)
            if cache is not None and cache.length < len(prompt)
        }
        if missing:
            yield from ask(ContextRequest.of(*missing.values()))
        filled = (cache is None or cache.length == len(p) for cache, p in zip(caches, prompts, strict=True))
        assert all(filled), "the request was computed"
        return caches

    def _find(
        self,
        model: Llama,
        owner: LoraAdapter | None,
        prompt: tuple[int, ...],
        attention: AttentionMode,
        *,
        keep: bool,
    ) -> KeyValueCache:
        """The cache of a prompt, which is still empty if it has not been computed yet."""
        key = (weakref.ref(owner.version, self._forget) if owner else None, attention, prompt)
        with self._lock:
            cache = self._living.get(key)
            if cache is None:
                cache = model.cache(len(prompt))
                self._living[key] = cache
            if not keep:
                return cache
            self._evict(key)
            self._kept[key] = cache
            self._nbytes += cache.nbytes
            self._drop_oldest()
        return cache

    def _drop_oldest(self) -> None:
        while self._nbytes > self._max_bytes and self._kept:
            self._evict(next(iter(self._kept)))

    def _evict(self, key: Key) -> None:
        cache = self._kept.pop(key, None)
        if cache is not None:
            self._nbytes -= cache.nbytes

    def _forget(self, version: "weakref.ref[Version]") -> None:
        with self._lock:
            for key in list(self._kept):
                if key[0] is version:
                    self._evict(key)


def prompt_segment(
    ids: Sequence[int], adapter: LoraAdapter | None, attention: AttentionMode, cache: KeyValueCache
) -> Segment:
    """The segment that appends tokens to a prompt's cache. In `causal-prefix` the base computes them causally, in `causal` the
    adapter does; otherwise the adapter computes them with full attention to themselves and everything before."""
    if attention == "causal-prefix":
        return Segment(ids=torch.tensor(ids), mode="causal", cache=cache)
    mode: AttentionMode = "causal" if attention == "causal" else "full"
    return Segment(ids=torch.tensor(ids), adapter=adapter, mode=mode, cache=cache)
