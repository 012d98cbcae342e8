"""Loading and dropping bases, and their text functions."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.data.prepared import PreparedData
from lad_runtime.engine.memory.budget import Memory, Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.entries import BaseEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.bases import BaseSpec, LoadProgress
from lad_runtime.types.data import Message

_MAX_TEXT = 1 << 20  # characters of one text or chat
_LOOK_SECONDS = 0.1  # how often a waiting call checks whether it is still wanted


@dataclass
class _Loading:
    """The calls that load one specification: the lock of the one whose turn it is, and their number."""

    callers: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Bases:
    """Loads and unloads bases. Every method blocks, and may be called from any thread."""

    def __init__(
        self, backend: AnyBackend, registry: Registry, prepared: PreparedData, memory: Memory
    ) -> None:
        self._backend = backend
        self._registry = registry
        self._prepared = prepared
        self._memory = memory
        self._loading: dict[BaseSpec, _Loading] = {}
        self._lock = threading.Lock()

    def load(
        self,
        spec: BaseSpec,
        progress: Callable[[LoadProgress], None],
        wanted: Callable[[], bool] = lambda: True,
    ) -> BaseEntry:
        """Loads a base, or finds it resident. If several calls ask for the same base, one loads it and the others wait.

        An exception of `progress` ends the load. A base that is no longer `wanted` after its load is dropped.
        """
        with self._turn(replace(spec, hub_token=""), wanted):
            resident = self._registry.find_base(spec)
            if resident is not None:
                return resident
            try:
                with ExitStack() as reserved:
                    admit = partial(self._admit, reserved, spec.name)
                    loaded = self._backend.load_base(spec, progress, admit)
                    if not wanted():
                        self._backend.unload_base(loaded)
                        raise _unwanted()
                    return self._registry.add_base(spec, loaded)
            except Exception as error:
                raise typed_error(error, self._backend.describe) from None

    @contextmanager
    def _turn(self, spec: BaseSpec, wanted: Callable[[], bool]) -> Iterator[None]:
        """Lets one call at a time load a specification.

        Raises LadError(CANCELLED) when the call is no longer wanted; while it waits, within `_LOOK_SECONDS`.
        """
        with self._lock:
            loading = self._loading.setdefault(spec, _Loading())
            loading.callers += 1
        try:
            _take(loading.lock, wanted)
            try:
                yield
            finally:
                loading.lock.release()
        finally:
            with self._lock:
                loading.callers -= 1
                if not loading.callers:
                    del self._loading[spec]

    def _admit(self, reserved: ExitStack, name: str, nbytes: int) -> None:
        requester = Requester(what=f"The base {name}", option="base", value=name)
        reserved.enter_context(self._memory.reserved(Reservation(making=nbytes), requester))

    def unload(self, base_id: str) -> None:
        base = self._registry.base(base_id)
        self._registry.drop_base(base_id)
        self._prepared.forget(base)
        self._backend.unload_base(base.resident)

    def encode(
        self, base_id: str, texts: Sequence[str], allow_special: bool, add_special: bool = False
    ) -> list[tuple[int, ...]]:
        base = self._registry.base(base_id)
        for text in texts:
            _check_length("texts", len(text))
        return self._backend.encode(base.resident, texts, allow_special, add_special)

    def decode(self, base_id: str, sequences: Sequence[Sequence[int]], keep_special: bool) -> list[str]:
        base = self._registry.base(base_id)
        for sequence in sequences:
            check_ids(base, "sequences", sequence)
        return self._backend.decode(base.resident, sequences, keep_special)

    def render(
        self,
        base_id: str,
        messages: Sequence[Message],
        add_generation_prompt: bool,
        allow_special: bool,
    ) -> tuple[str, tuple[int, ...]]:
        base = self._registry.base(base_id)
        _check_length("messages", sum(len(message.content) for message in messages))
        return self._backend.render(base.resident, messages, add_generation_prompt, allow_special)


def _take(lock: threading.Lock, wanted: Callable[[], bool]) -> None:
    while wanted():
        if lock.acquire(timeout=_LOOK_SECONDS):
            return
    raise _unwanted()


def _unwanted() -> LadError:
    return LadError(ErrorCode.CANCELLED, "Nobody waits for this base any more.")


def check_ids(base: BaseEntry, option: str, ids: Sequence[int]) -> None:
    """Raises LadError(INVALID_OPTION) for an id outside the base's vocabulary."""
    vocab_size = base.info.vocab_size
    if ids and not 0 <= min(ids) <= max(ids) < vocab_size:
        bad = next(token for token in ids if not 0 <= token < vocab_size)
        raise LadError(
            ErrorCode.INVALID_OPTION,
            f"{option} has the token id {bad}: base {base.info.name} has {vocab_size} tokens.",
            option=option,
            value=bad,
            remedy=f"Give ids from 0 to {vocab_size - 1}.",
        )


def check_fits(base: BaseEntry, option: str, tokens: int) -> None:
    """Raises LadError(INVALID_OPTION) for a sequence with more tokens than the base has positions."""
    if tokens > base.info.max_positions:
        raise LadError(
            ErrorCode.INVALID_OPTION,
            f"{option} makes a sequence of {tokens} tokens: base {base.info.name} has {base.info.max_positions} positions.",
            option=option,
            value=tokens,
            remedy=f"Make it at most {base.info.max_positions} tokens in all.",
        )


def _check_length(option: str, characters: int) -> None:
    if characters > _MAX_TEXT:
        raise LadError(
            ErrorCode.INVALID_OPTION,
            f"{option} has {characters} characters: at most {_MAX_TEXT} are rendered at once.",
            option=option,
            value=characters,
            remedy="Split it.",
        )
