"""The worker's memory as a budget: what is held and promised, and who is refused for lack of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.engine import Engine
from lad_runtime.engine.registry import Registry
from lad_runtime.engine.residents import AdapterEntry
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types import TrainingNeeds

DEFAULT_SHARE = 0.8
"""Of the device's memory, where no budget is given: the rest is for temporaries, the interpreter and other programs."""


@dataclass(frozen=True)
class _Run:
    entry: AdapterEntry
    needs: TrainingNeeds


class Memory:
    """Admits what fits: bases, adapters and snapshots by their weights, training runs by what they need beside them.

    Where something does not fit, the optimizer states of adapters that nobody trains are moved to the disk first, those that
    were used longest ago before others. Every method may be called from any thread.
    """

    def __init__(
        self, backend: AnyBackend, registry: Registry, engine: Engine, budget_bytes: int | None
    ) -> None:
        self.budget_bytes = budget_bytes or int(DEFAULT_SHARE * backend.device().memory_bytes)
        self._backend = backend
        self._registry = registry
        self._engine = engine
        self._runs: dict[str, _Run] = {}
        self._pending = 0  # admitted, and not yet made
        self._lock = threading.RLock()

    @property
    def accounted_bytes(self) -> int:
        """Bytes of what is held now."""
        return self._backend.accounted_bytes()

    @property
    def offloaded_bytes(self) -> int:
        """Bytes of optimizer states on the disk."""
        return sum(adapter.resident.offloaded_nbytes for adapter in self._registry.adapters)

    @contextmanager
    def admitted(self, nbytes: int, what: str, option: str) -> Iterator[None]:
        """Room for something while it is made; once it is, it is accounted for.

        Raises LadError(OUT_OF_MEMORY), with the figures, where there is none.
        """
        self.admit(nbytes, what, option)
        with self._lock:
            self._pending += nbytes
        try:
            yield
        finally:
            with self._lock:
                self._pending -= nbytes

    def admit(self, nbytes: int, what: str, option: str) -> None:
        """Raises LadError(OUT_OF_MEMORY), with the figures, where so much more does not fit the budget."""
        self._check(lambda: self._committed() + nbytes, nbytes, what, option)

    def begin_run(self, run_id: str, entry: AdapterEntry, needs: TrainingNeeds) -> None:
        """Promises a training run what it needs until `end_run`. Raises as `admit`."""
        run = _Run(entry, needs)
        total = needs.state + needs.activations
        self._check(lambda: self._committed(run), total, f"The training of {entry.id}", "microBatchTokens")
        with self._lock:
            self._runs[run_id] = run

    def end_run(self, run_id: str) -> None:
        """Takes the promise back; a run that has none is fine."""
        with self._lock:
            self._runs.pop(run_id, None)

    def _check(self, wanted: Callable[[], int], nbytes: int, what: str, option: str) -> None:
        if wanted() <= self.budget_bytes:
            return
        self._engine.call(lambda: self._make_room(wanted)).result()
        if (total := wanted()) > self.budget_bytes:
            raise LadError(
                ErrorCode.OUT_OF_MEMORY,
                f"{what} needs {_mib(nbytes)}, which makes {_mib(total)} in all: the worker's budget is "
                f"{_mib(self.budget_bytes)}.",
                option=option,
                value=nbytes,
                remedy="Drop adapters, snapshots or bases, end or pause runs, train with a lower rank, smaller microBatchTokens "
                "or gradientCheckpointing, or start the worker with a larger memoryBudgetBytes.",
            )

    def _committed(self, newcomer: _Run | None = None) -> int:
        """Bytes held, promised, and about to be made."""
        with self._lock:
            runs = [*self._runs.values(), *([newcomer] if newcomer else [])]
            pending = self._pending
        promised = sum(max(0, run.needs.state - run.entry.resident.state_nbytes) for run in runs)
        activations = max((run.needs.activations for run in runs), default=0)  # one batch at a time
        return self._backend.accounted_bytes() + promised + activations + pending

    def _make_room(self, wanted: Callable[[], int]) -> None:
        """On the engine's thread, so that nothing is half-way through a step."""
        idle = [
            entry
            for entry in self._registry.adapters
            if entry.resident.state_nbytes and not entry.trained_by and not entry.calls.busy
        ]
        for entry in sorted(idle, key=lambda entry: entry.last_used):
            if wanted() <= self.budget_bytes:
                return
            self._backend.offload(entry.resident)


def _mib(nbytes: int) -> str:
    return f"{nbytes / 2**20:,.1f} MiB"
