"""The file in which runs are kept: SQLite in WAL mode, so that events are read while others are written.

The state folder belongs to one worker at a time (server/process/state_folder.py), and so does this file.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lad_runtime.errors import ErrorCode, LadError

VERSION = 1
"""Of the tables. It grows whenever a worker of the version before could not read them."""

_APPLICATION = 0x6C616472  # "ladr"
_TABLES = """
CREATE TABLE runs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  created REAL NOT NULL,
  base_id TEXT NOT NULL,
  base_name TEXT NOT NULL,
  adapter_id TEXT NOT NULL,
  checkpoint_name TEXT NOT NULL,
  steps INTEGER NOT NULL,
  total_steps INTEGER NOT NULL,
  next_seq INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  error TEXT,
  recipe TEXT NOT NULL
);
CREATE TABLE events (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  time REAL NOT NULL,
  type TEXT NOT NULL,
  step INTEGER,
  event TEXT NOT NULL,
  PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Opens the file, or makes it.

    Raises LadError: STORAGE if it is damaged, foreign or cannot be opened, VERSION_MISMATCH if a newer worker wrote it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = _connected(path)
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise _newer(path, found)
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables == 0:
            _make(connection)
        elif connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise _damaged(path, "it is not a record of runs")
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise _damaged(path, problem)
        return connection
    except (sqlite3.OperationalError, OSError) as error:
        raise storage_error(error) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite's own message may quote the damage
        raise _damaged(path, str(error)) from error


def reader(path: Path) -> sqlite3.Connection:
    """A second connection, which sees what the first has committed."""
    return _connected(path)


@contextmanager
def stored() -> Iterator[None]:
    """Turns what the disk and SQLite raise in the block into LadError(STORAGE)."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error) from error


def storage_error(error: Exception) -> LadError:
    text = str(error)
    full = "full" in text or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return LadError(
        ErrorCode.STORAGE,
        f"The worker's disk failed with the record of runs: {text}. What was stored before is as it was.",
        option="state",
        remedy="Make room on it." if full else "Check the worker's state folder and its permissions.",
    )


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table; the file then shrinks
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing that is committed
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _make(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN;{_TABLES}PRAGMA application_id = {_APPLICATION};PRAGMA user_version = {VERSION};COMMIT;"
    )


def _newer(path: Path, found: int) -> LadError:
    return LadError(
        ErrorCode.VERSION_MISMATCH,
        f"The record of runs {path} is of version {found}, which is newer than this worker's ({VERSION}).",
        option="state",
        value=path,
        remedy="Start the version of lad that wrote it, or a newer one, or give another stateFolder.",
    )


def _damaged(path: Path, problem: str) -> LadError:
    return LadError(
        ErrorCode.STORAGE,
        f"The record of runs {path} is damaged ({problem}).",
        option="state",
        value=path,
        remedy="Move the file away, or put a copy of it back. Checkpoints and data sets are not in it, and stay.",
    )
