"""The CPU time of a computation's busiest thread: a measure of its time on an idle machine that also works on a busy one."""

import os
import time
from collections.abc import Callable
from contextlib import suppress


def busiest_thread_seconds(compute: Callable[[], object]) -> float:
    """The CPU seconds of the busiest thread of `compute`. On systems without a clock for each thread (other than Linux), its
    wall-clock seconds."""
    before, started = _thread_clocks(), time.perf_counter_ns()
    compute()
    passed, after = time.perf_counter_ns() - started, _thread_clocks()
    spent = [clock - before.get(thread, 0) for thread, clock in after.items()]
    return max(spent, default=0) * 1e-9 or passed * 1e-9


def _thread_clocks() -> dict[str, int]:
    """The CPU nanoseconds of each thread of this process."""
    clocks = {}
    with suppress(OSError):
        for thread in os.listdir("/proc/self/task"):
            with suppress(OSError):  # the thread has ended
                clocks[thread] = time.clock_gettime_ns(~int(thread) << 3 | _CLOCK_OF_THREAD)
    return clocks


_CLOCK_OF_THREAD = 0b110
"""The low bits of a Linux clock id that stand for a thread's CPU clock; the high bits are the complement of the thread's id."""
