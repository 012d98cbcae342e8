"""How long a computation keeps its busiest thread busy: its time on an idle machine, measured on a busy one too."""

import os
import time
from collections.abc import Callable
from contextlib import suppress


def busiest_thread_seconds(compute: Callable[[], object]) -> float:
    """Of `compute`, divided between threads or not. Where the system keeps no clock of each thread (it is not Linux), its seconds
    by the wall's clock."""
    before, started = _thread_clocks(), time.perf_counter_ns()
    compute()
    passed, after = time.perf_counter_ns() - started, _thread_clocks()
    spent = [clock - before.get(thread, 0) for thread, clock in after.items()]
    return max(spent, default=0) * 1e-9 or passed * 1e-9


def _thread_clocks() -> dict[str, int]:
    """Nanoseconds that each thread of this process has been on a core."""
    clocks = {}
    with suppress(OSError):
        for thread in os.listdir("/proc/self/task"):
            with suppress(OSError):  # it has ended
                clocks[thread] = time.clock_gettime_ns(~int(thread) << 3 | _CLOCK_OF_THREAD)
    return clocks


_CLOCK_OF_THREAD = 0b110
"""Linux's clock id of a thread is the complement of its number and these three bits: a thread's own, precise."""
