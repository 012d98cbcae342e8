"""How many runs that are not under way are kept, and how long their events may be together; the oldest are forgotten first.

Both bounds hold for each kind of run by itself, so that answers, however many are sampled, push out no training run.
"""

import sqlite3
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter

KEPT_RUNS = 1000
KEPT_BYTES = 512 << 20
"""Of events, as JSON."""

_FORGETTABLE = """
SELECT kind, id, bytes FROM runs
WHERE state IN ('finished', 'failed', 'cancelled') OR (state = 'interrupted' AND kind <> 'training')
ORDER BY kind, number DESC
"""
"""By kind, the newest first. An interrupted training run can go on, and is therefore forgotten only by its user."""


def forget_old(
    connection: sqlite3.Connection,
    remove_files: Callable[[str], None],
    kept_runs: int = KEPT_RUNS,
    kept_bytes: int = KEPT_BYTES,
) -> None:
    """Forgets the oldest runs of each kind beyond either bound, with their metrics. Their checkpoints stay."""
    rows = connection.execute(_FORGETTABLE).fetchall()
    for _, of_kind in groupby(rows, key=itemgetter(0)):
        total = 0
        for number, (_, run_id, nbytes) in enumerate(of_kind):
            total += nbytes
            if number < kept_runs and (total <= kept_bytes or number == 0):
                continue
            connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
            remove_files(run_id)
    connection.execute("PRAGMA incremental_vacuum").fetchall()
