"""Submits tasks that read weights, and keeps the weights and the base until they end."""

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
    """Submits reading tasks. Each reads a snapshot of its adapter, taken when it begins, and holds its base."""

    def __init__(self, engine: Engine, backend: AnyBackend, registry: Registry, memory: Memory) -> None:
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._memory = memory

    def submit(self, base_id: str, adapter_id: str, task: ReadingTask[OutcomeT]) -> Job[OutcomeT]:
        """Raises LadError if the task is not valid on this base. Lack of memory fails the job instead."""
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
    """The requester of keys and values for the `count` parts of a request, which `option` lists."""
    return Requester(
        what=f"What the request's {option} attend to",
        option=option,
        value=count,
        remedy=f"ask for fewer {option} or tokens at once",
        waits=True,
    )
