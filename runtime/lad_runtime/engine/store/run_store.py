"""The runs of this worker and of earlier ones in its state folder, with all their events but frames."""

import threading
from pathlib import Path
from typing import Any

from lad_runtime.engine.store.database import open_database, reader, stored
from lad_runtime.engine.store.events import event_of, is_kept, row_of, state_after
from lad_runtime.engine.store.metrics import FILE, Metrics
from lad_runtime.engine.store.retention import forget_old
from lad_runtime.engine.store.values import read, written
from lad_runtime.engine.store.writer import Writer
from lad_runtime.errors import LadError
from lad_runtime.types.runs import LoggedEvent, RunInfo, RunRecipe
from lad_runtime.types.training_events import CheckpointEvent, StepEvent

_COLUMNS = "id, kind, state, created, base_id, base_name, adapter_id, checkpoint_name, steps, total_steps, next_seq, error"
_ENDED = ("finished", "failed", "cancelled")


class RunStore:
    """Thread-safe. Runs that an earlier worker left under way are interrupted when it is opened.

    Events are written within a twentieth of a second; a failing disk is logged, and tried again, while the runs go on.
    """

    def __init__(self, state: Path) -> None:
        """Raises LadError: STORAGE if the record is damaged, VERSION_MISMATCH if it is a newer worker's."""
        path = state / "runs.sqlite"
        self._folder = state / "runs"
        self._metrics: dict[str, Metrics] = {}  # of the runs under way; the writer's thread's
        self._told: dict[
            str, dict[int, LoggedEvent]
        ] = {}  # by run and number: what the next commit makes known
        self._ended_some = False  # since the last commit
        connection = open_database(path)
        with stored():
            connection.execute(f"UPDATE runs SET state = 'interrupted' WHERE state NOT IN {_ENDED}")
            forget_old(connection, self._remove_files)
            self._reading = reader(path)
        self._lock = threading.Lock()  # of the reading connection
        self._writer = Writer(connection, self._before_commit)

    def close(self) -> None:
        """Writes what is still to be written. The record can be read on."""
        self._writer.close()

    def metrics_path(self, run_id: str) -> str:
        return str((self._folder / run_id / FILE).resolve())

    def add(self, info: RunInfo, recipe: RunRecipe) -> None:
        """Adds a run. One of training is on the disk when this returns; raises LadError(STORAGE) if it cannot be."""

        def act(connection: Any) -> None:
            self._begin_metrics(info.id, recipe)
            connection.execute(
                f"INSERT INTO runs ({_COLUMNS}, bytes, recipe) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (
                    *(
                        info.id,
                        info.kind,
                        info.state,
                        info.created,
                        info.base_id,
                        info.base_name,
                        info.adapter_id,
                    ),
                    *(info.checkpoint, info.steps, info.total_steps, info.next_seq, None, written(recipe)),
                ),
            )

        if recipe.training is None:
            self._writer.submit(act, tries_again=True)
        else:
            self._writer.write(act)

    def keep(self, run_id: str, logged: LoggedEvent, *, at_once: bool = False) -> None:
        """Keeps an event; `at_once` blocks until it and all before it are on the disk, or the disk has failed."""
        if not is_kept(logged):
            return

        def act(connection: Any) -> None:
            self._insert(connection, run_id, logged)

        if not at_once:
            self._writer.submit(act, tries_again=True)
            return
        try:
            self._writer.write(act, tries_again=True)
        except LadError:
            return  # logged, and tried again

    def rewind(self, run_id: str, step: int, base_id: str, recipe: RunRecipe) -> None:
        """Takes back the events that came after a step was taken, all with step 0. Raises LadError(STORAGE)."""

        def act(connection: Any) -> None:
            kept = "SELECT max(seq) FROM events WHERE run_id = ? AND step <= ?"
            last = connection.execute(kept, (run_id, step)).fetchone()[0] if step else None
            connection.execute(
                "DELETE FROM events WHERE run_id = ? AND seq > ?", (run_id, -1 if last is None else last)
            )
            connection.execute(
                "UPDATE runs SET steps = ?, base_id = ?, error = NULL,"
                " bytes = (SELECT coalesce(sum(length(event)), 0) FROM events WHERE run_id = ?) WHERE id = ?",
                (step, base_id, run_id, run_id),
            )
            self._begin_metrics(run_id, recipe).rewind(step)

        self._writer.write(act)

    def delete(self, run_id: str) -> None:
        """Raises LadError(STORAGE)."""

        def act(connection: Any) -> None:
            connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
            connection.execute("PRAGMA incremental_vacuum").fetchall()
            self._metrics.pop(run_id, None)
            self._remove_files(run_id)

        self._writer.write(act)

    def all(self) -> list[RunInfo]:
        """In the order in which they were started."""
        return [self._info(row) for row in self._rows(f"SELECT {_COLUMNS} FROM runs ORDER BY number")]

    def find(self, run_id: str) -> RunInfo | None:
        rows = self._rows(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", run_id)
        return self._info(rows[0]) if rows else None

    def recipe(self, run_id: str) -> RunRecipe:
        """Of a run that is kept. Raises LadError(VERSION_MISMATCH)."""
        ((text,),) = self._rows("SELECT recipe FROM runs WHERE id = ?", run_id)
        return read(RunRecipe, text)

    def has_checkpoint(self, run_id: str) -> bool:
        """Whether the run has told of a checkpoint to go on from, which that of its best validation is not."""
        rows = self._rows(
            "SELECT event, checkpoint_name FROM events JOIN runs ON runs.id = run_id"
            " WHERE run_id = ? AND type = 'checkpoint'",
            run_id,
        )
        return any(read(CheckpointEvent, event).name == name for event, name in rows)

    def events(self, run_id: str, from_seq: int, below: int, limit: int) -> list[LoggedEvent]:
        """At most `limit` events from one number on and below another."""
        rows = self._rows(
            "SELECT seq, time, type, event FROM events WHERE run_id = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
            run_id,
            from_seq,
            below,
            limit,
        )
        return [event_of(*row) for row in rows]

    def _insert(self, connection: Any, run_id: str, logged: LoggedEvent) -> None:
        row, event = row_of(run_id, logged), logged.event
        if connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is None:
            return  # it was deleted meanwhile
        connection.execute("INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?)", row)
        state = state_after(logged)
        connection.execute(
            "UPDATE runs SET next_seq = ?, bytes = bytes + ?, steps = coalesce(?, steps), state = coalesce(?, state),"
            " error = ? WHERE id = ?",
            (
                logged.seq + 1,
                len(row[-1]),
                event.step if isinstance(event, StepEvent) else None,
                state,
                row[-1] if isinstance(event, LadError) else None,
                run_id,
            ),
        )
        self._told.setdefault(run_id, {})[logged.seq] = logged
        self._ended_some = self._ended_some or state in _ENDED

    def _before_commit(self, connection: Any) -> None:
        if self._ended_some:
            forget_old(connection, self._remove_files)
            self._ended_some = False
        self._append_metrics()

    def _append_metrics(self) -> None:
        told, self._told = self._told, {}
        for run_id, logged in told.items():
            metrics = self._metrics.get(run_id)
            if metrics is not None:
                metrics.append(list(logged.values()))

    def _begin_metrics(self, run_id: str, recipe: RunRecipe) -> Metrics:
        tensorboard = recipe.training is not None and recipe.training.tensorboard
        metrics = Metrics(self._folder / run_id, tensorboard=tensorboard)
        if recipe.training is not None:
            self._metrics[run_id] = metrics
        return metrics

    def _remove_files(self, run_id: str) -> None:
        Metrics(self._folder / run_id, tensorboard=False).remove()

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock, stored():
            return self._reading.execute(query, values).fetchall()

    def _info(self, row: Any) -> RunInfo:
        (
            run_id,
            kind,
            state,
            created,
            base_id,
            base_name,
            adapter_id,
            checkpoint,
            steps,
            total,
            next_seq,
            error,
        ) = row
        return RunInfo(
            id=run_id,
            kind=kind,
            state=state,
            base_id=base_id,
            adapter_id=adapter_id,
            next_seq=next_seq,
            error=read(LadError, error) if error else None,
            base_name=base_name,
            checkpoint=checkpoint,
            created=created,
            steps=steps,
            total_steps=total,
            metrics_path=self.metrics_path(run_id) if kind == "training" else "",
        )
