"""How many runs that are not under way are kept, and how long their events may be together; the oldest are forgotten first."""

import sqlite3
from collections.abc import Callable

KEPT_RUNS = 1000
KEPT_BYTES = 512 << 20
"""Of events, as JSON."""


def forget_old(
    connection: sqlite3.Connection,
    remove_files: Callable[[str], None],
    kept_runs: int = KEPT_RUNS,
    kept_bytes: int = KEPT_BYTES,
) -> None:
    """Forgets the oldest runs beyond either bound, with their metrics. Their checkpoints stay."""
    rows = connection.execute(
        "SELECT id, bytes FROM runs WHERE state NOT IN ('queued', 'running', 'paused') ORDER BY number DESC"
    ).fetchall()
    total = 0
    for number, (run_id, nbytes) in enumerate(rows):
        total += nbytes
        if number < kept_runs and (total <= kept_bytes or number == 0):
            continue
        connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        remove_files(run_id)
    connection.execute("PRAGMA incremental_vacuum").fetchall()
