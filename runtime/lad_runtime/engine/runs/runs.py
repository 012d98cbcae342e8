"""The worker's runs, by their ids."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress

from lad_runtime.engine.resident.creations import Creations, taken
from lad_runtime.engine.runs.event_log import Keep, Past
from lad_runtime.engine.runs.run import Run
from lad_runtime.engine.store.retention import KEPT_RUNS
from lad_runtime.engine.store.run_store import RunStore
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.runs import RunInfo, RunSpecification

_KEPT_ENDED = 256
_KEPT_WEIGHT = 1_000_000
"""How many ended runs are held in memory, and the total weight of their logs; the oldest goes first. The store has more."""


class Runs:
    """The worker's runs under way, the last ones that have ended, and those that the store keeps of earlier workers.

    `starts` has the calls that start runs. It holds ids instead of runs, so that a forgotten run's log is freed.
    """

    def __init__(self, kept_ended: int = _KEPT_ENDED, store: RunStore | None = None) -> None:
        """Without a store, runs are kept in memory alone."""
        self.starts: Creations[str] = Creations(self._take_back)
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._kept_ended = kept_ended
        self._store = store
        self._lock = threading.RLock()

    def add(self, run: Run) -> None:
        """Adds a run, to the store too, and forgets the oldest ended ones.

        Raises LadError: ALREADY_EXISTS if its id is taken, STORAGE if it is one of training and the store's disk fails.
        """
        self._hold(run)
        if self._store is None or run.recipe is None:
            return
        try:
            self._store.add(run.info, run.recipe)
        except LadError:
            with self._lock:
                del self._runs[run.id]
            raise
        path = self._store.metrics_path(run.id) if run.recipe.training else ""
        run.keep_with(self._keep(run.id), self._past(run.id), path)

    def _hold(self, run: Run) -> None:
        with self._lock:
            self.check_new(run.id)
            self._runs[run.id] = run
            ended = [old for old in self._runs.values() if old.ended]
            weight = sum(old.log.weight for old in ended)
            for excess, old in enumerate(ended, start=self._kept_ended - len(ended)):
                if excess >= 0 and weight <= _KEPT_WEIGHT:
                    break
                weight -= old.log.weight
                del self._runs[old.id]

    def check_new(self, run_id: str) -> None:
        """Raises LadError(ALREADY_EXISTS) if there is a run of that id."""
        if self.find(run_id) is not None:
            raise taken("runId", run_id)

    def get(self, run_id: str) -> Run:
        """Raises LadError(NOT_FOUND)."""
        run = self.find(run_id)
        if run is None:
            raise LadError(
                ErrorCode.NOT_FOUND,
                f"There is no run {run_id or '(empty)'} on this worker.",
                option="runId",
                value=run_id,
                remedy=f"List the runs; the last {self._kept} are kept.",
            )
        return run

    @property
    def _kept(self) -> str:
        return f"{KEPT_RUNS} ended ones of each kind" if self._store else f"{self._kept_ended} ended ones"

    def find(self, run_id: str) -> Run | None:
        with self._lock:
            run = self._runs.get(run_id)
        if run is not None or self._store is None:
            return run
        info = self._store.find(run_id)
        return None if info is None else Run.of_earlier_worker(info, self._past(run_id))

    def all(self) -> list[Run]:
        """Those that this worker has in memory."""
        with self._lock:
            return list(self._runs.values())

    def infos(self) -> list[RunInfo]:
        """All of them, those of earlier workers too, in the order in which they were started."""
        infos = {info.id: info for info in self._store.all()} if self._store else {}
        infos |= {run.id: run.info for run in self.all()}
        return sorted(infos.values(), key=lambda info: info.created)

    def specification(self, run_id: str) -> RunSpecification:
        """How a run was specified. Raises LadError: NOT_FOUND, VERSION_MISMATCH for a run of a worker that wrote it otherwise."""
        recipe = self.get(run_id).recipe or (self._store.recipe(run_id) if self._store else None)
        if recipe is None:
            raise LadError(
                ErrorCode.NOT_FOUND,
                f"How run {run_id} was specified is not kept.",
                option="runId",
                value=run_id,
                remedy="Start the worker with a state folder.",
            )
        return RunSpecification(
            base_name=recipe.base.name,
            base_revision=recipe.base_revision,
            adapter=recipe.adapter,
            training=recipe.training,
        )

    def interrupted(self) -> list[str]:
        """The ids of the training runs that could go on."""
        return [info.id for info in self.infos() if (info.kind, info.state) == ("training", "interrupted")]

    def about_to_go_on(self, run_id: str) -> Run | None:
        """An interrupted run, queued to go on; None if it is not interrupted.

        Raises LadError: NOT_FOUND, INVALID_STATE for a sampling run, VERSION_MISMATCH.
        """
        with self._lock:
            info = self.get(run_id).info
            if info.state != "interrupted" or self._store is None:
                return None
            if info.kind != "training":
                raise LadError(
                    ErrorCode.INVALID_STATE,
                    f"Run {run_id} is a sampling run: it cannot be resumed.",
                    option="runId",
                    value=run_id,
                    remedy="Sample again; an answer depends on its prompt, settings and seed alone.",
                )
            left = self._store.find(run_id)
            assert left is not None, "an interrupted run is kept"
            run = Run.going_on(left, self._past(run_id), self._store.recipe(run_id))
            self._runs[run_id] = run
            return run

    def go_on(self, run: Run, base_id: str, step: int) -> None:
        """Lets an interrupted run go on after so many steps; its log forgets later ones. Raises LadError(STORAGE)."""
        assert self._store is not None and run.recipe is not None, "it comes from the store"
        self._store.rewind(run.id, step, base_id, run.recipe)
        run.go_on(base_id, step, self._keep(run.id), self._past(run.id))

    def has_checkpoint(self, run_id: str) -> bool:
        """Whether a run of an earlier worker has told of a checkpoint."""
        return self._store is not None and self._store.has_checkpoint(run_id)

    def delete(self, run_id: str) -> None:
        """Forgets a run, with its log and its metrics. Raises LadError: NOT_FOUND, INVALID_STATE while it is under way, STORAGE."""
        with self._lock:
            run = self.get(run_id)
            if not run.ended:
                raise LadError(
                    ErrorCode.INVALID_STATE,
                    f"Run {run_id} is {run.info.state}.",
                    option="runId",
                    value=run_id,
                    remedy="Cancel it first.",
                )
            self._runs.pop(run_id, None)
            self.starts.forget(run_id)
        if self._store is not None:
            self._store.delete(run_id)

    def leave(self) -> None:
        """The worker ends: what it ends of its runs is found interrupted by the next one."""
        for run in self.all():
            run.leave()

    def close(self) -> None:
        """Writes what the store has still to write."""
        if self._store is not None:
            self._store.close()

    def _keep(self, run_id: str) -> Keep:
        store = self._store
        assert store is not None
        return lambda logged, at_once: store.keep(run_id, logged, at_once=at_once)

    def _past(self, run_id: str) -> Past:
        store = self._store
        assert store is not None
        return lambda from_seq, below, limit: store.events(run_id, from_seq, below, limit)

    def cancel(self, run_id: str) -> "Future[None]":
        """Asks a run to end; the future is done when it has. A run that is starting, or is started later under this id, never
        begins. Raises LadError(NOT_FOUND) if no call has asked for this id yet.
        """
        run = self.find(run_id)
        starting = self.starts.call_off(run_id) if run is None else None
        if starting is not None:
            return starting
        run = self.get(run_id)  # it may have been added meanwhile
        run.cancel()
        return run.end

    def ending(self, ids: Iterable[str]) -> "list[Future[None]]":
        """For each of the runs that is ending: a future that is done when its resources are free."""
        ends = [self._ending(run_id) for run_id in ids]
        return [end for end in ends if end is not None]

    def _ending(self, run_id: str) -> "Future[None] | None":
        run = self.find(run_id)
        if run is None:
            return self.starts.leaving(run_id)
        return run.end if run.cancelling else self.starts.leaving(run_id)

    def _take_back(self, run_id: str) -> "Future[None] | None":
        run = self.find(run_id)
        if run is None:
            return None
        run.cancel()
        run.end.add_done_callback(lambda _: self._forget(run_id))
        return run.end

    def _forget(self, run_id: str) -> None:
        with self._lock:
            self._runs.pop(run_id, None)
        if self._store is not None:
            with suppress(LadError):  # it is then listed as cancelled
                self._store.delete(run_id)
