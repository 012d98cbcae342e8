"""Tasks that read weights: which ones they see, and that these stay."""

import secrets

from lad_runtime.engine.backend import AnyBackend, ResidentAdapter
from lad_runtime.engine.memory.budget import Memory, Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.entries import AdapterEntry, BaseEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.types.task import ReadingTask
from lad_runtime.types.work import OutcomeT, Work


class Tasks:
    """Submits tasks that read one state of an adapter throughout, that of the moment they begin, on a base that stays."""

    def __init__(self, engine: Engine, backend: AnyBackend, registry: Registry, memory: Memory) -> None:
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._memory = memory

    def submit(self, base_id: str, adapter_id: str, task: ReadingTask[OutcomeT]) -> Job[OutcomeT]:
        """Raises what is wrong with the task on this base; memory that is lacking is its job's error."""
        base, adapter = self._registry.weights(base_id, adapter_id)
        task.check(base.info)
        self._backend.check(base.resident, task)
        user = f"{task.user}-{secrets.token_hex(6)}"
        self._registry.hold(base, user)
        try:
            work = self._work(base, adapter, task)
            job = self._engine.submit(work, tenant=user, tokens=task.tokens)
        except BaseException:
            self._registry.release(base, user)
            raise
        job.future.add_done_callback(lambda _: self._registry.release(base, user))
        return job

    def _work(
        self, base: BaseEntry, adapter: AdapterEntry | None, task: ReadingTask[OutcomeT]
    ) -> Work[OutcomeT]:
        weights = self._weights(adapter)
        needs = self._backend.needs(base.resident, weights, [task])
        work = self._backend.work(base.resident, weights, task)
        return (yield from self._memory.within(Reservation.of(needs), reader(*task.parts), work))

    def _weights(self, adapter: AdapterEntry | None) -> ResidentAdapter | None:
        if adapter is None:
            return None
        return adapter.resident if adapter.is_snapshot else self._memory.snapshot(adapter)


def reader(option: str, count: int) -> Requester:
    """Who reads keys and values for so many parts of a request, which the option lists."""
    return Requester(
        what=f"What the request's {option} attend to",
        option=option,
        value=count,
        remedy=f"ask for fewer {option} or tokens at once",
        waits=True,
    )
