"""Keys and values of one sequence's past: the tokens decoded so far, or the prompt of an answer that is denoised."""

import threading
import weakref

import torch
from torch import Tensor

from lad_runtime.errors import invalid_option
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.thread_owned import Owned


class KeyValueCache:
    """Rotated keys and values of up to `capacity` tokens of one sequence, in every layer. `length` of them are filled.

    `last_hidden` is the final norm's output [1, hidden] at the last filled token. Only the thread that made the cache may write
    it; any thread may read its size.
    """

    def __init__(
        self,
        config: LlamaConfig,
        capacity: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if not 1 <= capacity <= config.max_positions:
            raise invalid_option(
                "cache capacity",
                capacity,
                f"it must lie between 1 and the model's {config.max_positions} positions",
                "Ask for fewer tokens.",
            )
        shape = (2, config.num_layers, capacity, config.num_kv_heads, config.head_dim)
        self._entries = torch.empty(shape, device=device, dtype=dtype)
        # A view of each layer's, made once: to take the entries apart takes longer than to write a token.
        of_layers = self._entries.flatten(0, 1).unbind()
        self._keys, self._values = of_layers[: config.num_layers], of_layers[config.num_layers :]
        self._written = Owned((self._keys, self._values))
        self.nbytes = self._entries.nbytes
        self.capacity = capacity
        self.length = 0
        self.last_hidden: Tensor | None = None

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        """The filled keys and values of a layer, [length, heads, head_dim] each."""
        return self._keys[layer][: self.length], self._values[layer][: self.length]

    def write(self, layer: int, keys_LHD: Tensor, values_LHD: Tensor) -> tuple[Tensor, Tensor]:
        """Appends new tokens; returns all keys and values of the layer [length + L, heads, head_dim]."""
        keys, values = self._written.value
        start, new = self.length, keys_LHD.shape[0]
        keys[layer].narrow(0, start, new).copy_(keys_LHD)
        values[layer].narrow(0, start, new).copy_(values_LHD)
        return keys[layer].narrow(0, 0, start + new), values[layer].narrow(0, 0, start + new)

    def advance(self, tokens: int, last_hidden: Tensor) -> None:
        """Marks new tokens as filled, once every layer has written them."""
        self.length += tokens
        self.last_hidden = last_hidden

    def truncate(self, length: int) -> None:
        """Drops everything from position `length` on."""
        assert 0 <= length <= self.length
        if length < self.length:
            self.length = length
            self.last_hidden = None

    def begin_with(self, other: "KeyValueCache", length: int | None = None) -> None:
        """Fills an empty cache with the first `length` tokens of another one; None: with all of them."""
        length = other.length if length is None else length
        assert self.length == 0 and length <= min(other.length, self.capacity)
        assert self._written.value, "its tensors are its thread's"
        self._entries[:, :, :length] = other._entries[:, :, :length]
        self.length = length
        self.last_hidden = other.last_hidden if length == other.length else None


class LivingCaches:
    """Counts the bytes of the caches that are still referenced. Thread-safe."""

    def __init__(self) -> None:
        self.nbytes = 0
        self._lock = threading.RLock()  # reentrant: the garbage collector may free a cache within `_add`

    def counted(self, cache: KeyValueCache) -> KeyValueCache:
        self._add(cache.nbytes)
        weakref.finalize(cache, self._add, -cache.nbytes).atexit = False
        return cache

    def _add(self, nbytes: int) -> None:
        with self._lock:
            self.nbytes += nbytes
