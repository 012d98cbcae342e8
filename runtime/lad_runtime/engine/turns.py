"""Whose turn it is: the waiting wishes, and which of them are computed next."""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator

from lad_runtime.engine.job import Job


class Turns:
    """Round-robin over sharers (a run, a request), first come first served within one.

    The sharer whose turn it is gets its first wish computed; wishes of the same group ride along, its own first, while the
    batch stays within the token budget. Whoever was served goes to the back, so nobody waits for more than one turn of
    each other sharer.
    """

    def __init__(self) -> None:
        self._queues: OrderedDict[Hashable, deque[Job]] = OrderedDict()

    def __iter__(self) -> Iterator[Job]:
        """A snapshot of all waiting jobs."""
        return iter([job for queue in self._queues.values() for job in queue])

    def __bool__(self) -> bool:
        return bool(self._queues)

    def add(self, job: Job) -> None:
        self._queues.setdefault(job.sharer, deque()).append(job)

    def remove(self, job: Job) -> None:
        queue = self._queues[job.sharer]
        queue.remove(job)
        if not queue:
            del self._queues[job.sharer]

    def next(self, token_budget: int) -> list[Job]:
        """Takes the jobs to compute in one batch; empty when none waits. The first one is taken whatever its size."""
        batch: list[Job] = []
        group, room = None, token_budget
        for job in self:
            assert job.wish is not None
            if batch and (job.wish.group != group or job.wish.tokens > room):
                continue
            group, room = job.wish.group, room - job.wish.tokens
            batch.append(job)
            if room <= 0:
                break
        for job in batch:
            self.remove(job)
            if job.sharer in self._queues:
                self._queues.move_to_end(job.sharer)
        return batch
