"""Whose turn it is: the waiting wishes, and which of them are computed next."""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator

from lad_runtime.engine.job import Job


class Turns:
    """Stride scheduling over sharers (a run, a request), first come first served within one.

    Each sharer has a clock of its own, which every wish of its that is computed advances by cost / share weight. The one
    furthest behind leads the next batch; wishes of the same group ride along, its own first, while the batch stays within the
    token budget, and those of others unless their clock is a full batch ahead of the leader's. So sharers that always want
    something get the device in proportion to their weights, up to a batch, and idle time is nobody's credit: a newcomer's
    clock starts where the leader's stands, so that it waits for one batch at most and can starve no one.
    """

    def __init__(self) -> None:
        self._queues: OrderedDict[Hashable, deque[Job]] = OrderedDict()
        self._clocks: dict[Hashable, float] = {}
        self._now = 0.0  # the clock of the last leader

    def __iter__(self) -> Iterator[Job]:
        """A snapshot of all waiting jobs."""
        return iter([job for queue in self._queues.values() for job in queue])

    def __bool__(self) -> bool:
        return bool(self._queues)

    @property
    def tokens(self) -> int:
        """Tokens of all waiting wishes."""
        return sum(job.wish.tokens for job in self if job.wish is not None)

    def add(self, job: Job) -> None:
        if job.sharer not in self._queues:
            self._queues[job.sharer] = deque()
            self._clocks[job.sharer] = max(self._clocks.get(job.sharer, 0.0), self._now)
        self._queues[job.sharer].append(job)

    def remove(self, job: Job) -> None:
        queue = self._queues[job.sharer]
        queue.remove(job)
        if not queue:
            del self._queues[job.sharer]

    def next(self, token_budget: int) -> list[Job]:
        """Takes the jobs to compute in one batch; empty when none waits. The first one is taken whatever its size."""
        if not self._queues:
            return []
        order = sorted(self._queues, key=self._clocks.__getitem__)  # of equal clocks, who has waited longest
        self._now = self._clocks[order[0]]
        batch: list[Job] = []
        group, room = None, token_budget
        for sharer in order:
            for job in self._queues[sharer]:
                assert job.wish is not None
                if batch and not (job.wish.group == group and job.wish.tokens <= room):
                    continue
                if sharer != order[0] and self._clocks[sharer] - self._now > token_budget / job.share_weight:
                    break
                group, room = job.wish.group, room - job.wish.tokens
                batch.append(job)
        for job in batch:
            assert job.wish is not None
            self.remove(job)
            self._clocks[job.sharer] += job.wish.cost / job.share_weight
            if job.sharer in self._queues:
                self._queues.move_to_end(job.sharer)
        self._forget_those_behind()
        return batch

    def _forget_those_behind(self) -> None:
        """Drop the clocks of sharers that want nothing and would start from now anyway."""
        gone = [s for s, clock in self._clocks.items() if clock <= self._now and s not in self._queues]
        for sharer in gone:
            del self._clocks[sharer]
