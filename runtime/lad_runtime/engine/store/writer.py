"""The thread that writes to the record of runs: what comes within a moment in one transaction, in the order in which it came."""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from lad_runtime.engine.store.database import storage_error
from lad_runtime.errors import LadError

_GATHER_SECONDS = 0.05  # how long a write waits for others, unless somebody waits for it
_RETRY_SECONDS = 1.0
_MOST_WAITING = 100_000  # writes that a failing disk may leave behind; the oldest are given up first
_log = logging.getLogger("lad.runs")


@dataclass(eq=False)
class Write:
    """One change of the record. `done`: somebody waits for it, and it is then safe from a loss of power too."""

    act: Callable[[sqlite3.Connection], None]
    done: "Future[None] | None" = None
    tries_again: bool = False  # where the disk fails; whoever waits is told at once


class Writer:
    """Whoever submits never waits for the disk, unless it asks to."""

    def __init__(
        self, connection: sqlite3.Connection, before_commit: Callable[[sqlite3.Connection], None]
    ) -> None:
        self._connection = connection
        self._before_commit = before_commit
        self._queue: deque[Write] = deque()
        self._changed = threading.Condition()
        self._urgent = False
        self._closing = False
        self._fails = False
        self._thread = threading.Thread(target=self._work, name="lad-runs", daemon=True)
        self._thread.start()

    def submit(self, act: Callable[[sqlite3.Connection], None], *, tries_again: bool = False) -> None:
        self._put(Write(act, tries_again=tries_again))

    def write(self, act: Callable[[sqlite3.Connection], None], *, tries_again: bool = False) -> None:
        """Blocks until the change is on the disk. Raises LadError(STORAGE); with `tries_again` it is made later."""
        done: Future[None] = Future()
        if self._put(Write(act, done=done, tries_again=tries_again)):
            done.result()

    def close(self) -> None:
        """Writes what is waiting, and ends. Later changes are not made."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _put(self, write: Write) -> bool:
        with self._changed:
            if self._closing:
                return False
            self._queue.append(write)
            self._urgent = self._urgent or write.done is not None
            self._changed.notify()
        return True

    def _work(self) -> None:
        while batch := self._next():
            self._make(batch)

    def _next(self) -> list[Write]:
        """What waits, once there is anything; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            pause = _RETRY_SECONDS if self._fails else _GATHER_SECONDS
            self._changed.wait_for(lambda: self._urgent or self._closing, timeout=pause)
            batch, self._urgent = list(self._queue), False
            self._queue.clear()
        return batch

    def _make(self, batch: Sequence[Write]) -> None:
        try:
            self._commit(batch)
        except (sqlite3.OperationalError, OSError) as error:
            self._put_back(batch, storage_error(error))
        except Exception as error:
            if len(batch) > 1:  # one of them cannot be made: the others can
                for write in batch:
                    self._make([write])
                return
            _log.exception("a change of the record of runs could not be made")
            _answer(batch, storage_error(error))
        else:
            if self._fails:
                _log.warning("the record of runs is written again")
            self._fails = False
            _answer(batch, None)

    def _commit(self, batch: Sequence[Write]) -> None:
        connection = self._connection
        is_awaited = any(write.done is not None for write in batch)
        connection.execute(f"PRAGMA synchronous = {'FULL' if is_awaited else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            for write in batch:
                write.act(connection)
            self._before_commit(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _put_back(self, batch: Sequence[Write], error: LadError) -> None:
        if not self._fails:
            _log.warning("runs go on, but are not kept for now: %s", error.message)
        self._fails = True
        _answer(batch, error)
        again = [Write(write.act, tries_again=True) for write in batch if write.tries_again]
        with self._changed:
            if not self._closing:
                self._queue.extendleft(reversed(again))
                while len(self._queue) > _MOST_WAITING:
                    self._queue.popleft()


def _answer(batch: Sequence[Write], error: LadError | None) -> None:
    for write in batch:
        if write.done is None:
            continue
        if error is None:
            write.done.set_result(None)
        else:
            write.done.set_exception(error)
