"""Whose turn it is: the waiting wishes, and which of them are computed next."""

import itertools
from collections import OrderedDict
from collections.abc import Hashable, Iterator

from lad_runtime.engine.job import Job
from lad_runtime.engine.share import Share, Waiting


class Turns:
    """Stride scheduling over sharers (a run, a request), first come first served within one.

    Each sharer has a clock of its own, which every wish of its that is computed advances by cost / share weight. The one
    furthest behind leads the next batch; wishes of the same group ride along, its own first, while the batch stays within the
    token budget, and those of others unless their clock is a full batch ahead of the leader's. So sharers that always want
    something get the device in proportion to their weights, up to a batch, and idle time is nobody's credit: a newcomer's
    clock starts where the leader's stands, so that it waits for one batch at most and can starve no one.

    A batch takes time in proportion to the jobs in it and the sharers that wait, not to the jobs that wait: of a sharer's
    wishes of one group, the first that no longer fits ends its part.
    """

    def __init__(self) -> None:
        self.tokens = 0  # of all waiting wishes
        self._shares: OrderedDict[Hashable, Share] = OrderedDict()  # of those who wait, longest first
        self._clocks: dict[Hashable, float] = {}  # of those who want nothing at the moment
        self._now = 0.0  # the clock of the last leader
        self._numbers = itertools.count()

    def __iter__(self) -> Iterator[Job]:
        """A snapshot of all waiting jobs."""
        return iter([job for share in self._shares.values() for job in share])

    def __bool__(self) -> bool:
        return bool(self._shares)

    def add(self, job: Job) -> None:
        assert job.wish is not None
        share = self._shares.get(job.sharer)
        if share is None:
            clock = max(self._clocks.pop(job.sharer, 0.0), self._now)
            share = self._shares[job.sharer] = Share(clock)
        wish = job.wish
        waiting = Waiting(job, next(self._numbers), wish.group, wish.tokens, wish.cost)
        self.tokens += waiting.tokens
        share.add(waiting)

    def remove(self, job: Job) -> None:
        share = self._shares[job.sharer]
        self.tokens -= share.remove(job).tokens
        if not share:
            self._clocks[job.sharer] = share.clock
            del self._shares[job.sharer]

    def next(self, token_budget: int) -> list[Job]:
        """Takes the jobs to compute in one batch; empty when none waits. The first one is taken whatever its size."""
        if not self._shares:
            return []
        order = sorted(
            self._shares.values(), key=lambda share: share.clock
        )  # of equal clocks, who waited longest
        self._now = order[0].clock
        batch = self._batch(order, token_budget)
        for waiting in batch:
            job = waiting.job
            self._shares[job.sharer].clock += waiting.cost / job.share_weight
            self.remove(job)
            if job.sharer in self._shares:
                self._shares.move_to_end(job.sharer)
        self._forget_those_behind()
        return [waiting.job for waiting in batch]

    def _batch(self, order: list[Share], token_budget: int) -> list[Waiting]:
        leader = order[0]
        first = leader.head
        batch, room = [first], token_budget - first.tokens
        for share in order:
            if share is not leader and share.clock - self._now > token_budget / share.weight:
                continue
            for waiting in share.of_group(first.group):
                if waiting is first:
                    continue
                if waiting.tokens > room:
                    break
                batch.append(waiting)
                room -= waiting.tokens
            if room <= 0:
                break
        return batch

    def _forget_those_behind(self) -> None:
        """Drop the clocks of sharers that want nothing and would start from now anyway."""
        gone = [sharer for sharer, clock in self._clocks.items() if clock <= self._now]
        for sharer in gone:
            del self._clocks[sharer]
