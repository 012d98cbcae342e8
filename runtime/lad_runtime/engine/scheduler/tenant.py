"""One tenant's part of the fair queue: its waiting requests, and the device time it has had."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from lad_runtime.engine.scheduler.job import AnyJob


@dataclass(frozen=True, slots=True)
class Waiting:
    """A waiting job with its request's figures, which are computed once."""

    job: AnyJob
    number: int  # counts arrivals at the queue
    group: Hashable
    tokens: int
    cost: int


class Tenant:
    """A tenant's waiting jobs, FIFO within a group, and its clock: the sum of cost / weight computed for it.

    Adding and removing a job takes constant time.
    """

    def __init__(self, clock: float) -> None:
        self.clock = clock
        self.weight = 1.0
        self.had = 0  # cost computed for it since it joined
        self.head: Waiting | None = None  # the job that has waited longest
        self._queues: dict[Hashable, OrderedDict[AnyJob, Waiting]] = {}

    def __iter__(self) -> Iterator[AnyJob]:
        return (job for queue in self._queues.values() for job in queue)

    def of_group(self, group: Hashable) -> Iterator[Waiting]:
        """The waiting jobs of a group in order of arrival."""
        return iter(self._queues.get(group, {}).values())

    @property
    def due(self) -> float:
        """The clock after its next request."""
        assert self.head is not None
        return self.clock + self.head.cost / self.weight

    def is_new(self, token_budget: int) -> bool:
        """Whether its next request falls within its first token budget of cost (times its weight, if that is below 1)."""
        assert self.head is not None
        return self.had + self.head.cost <= token_budget * min(1.0, self.weight)

    def add(self, waiting: Waiting) -> None:
        self.weight = waiting.job.share_weight
        self._queues.setdefault(waiting.group, OrderedDict())[waiting.job] = waiting
        self.head = self.head or waiting

    def remove(self, job: AnyJob) -> Waiting:
        assert job.request is not None
        group = job.request.group
        waiting = self._queues[group].pop(job)
        if not self._queues[group]:
            del self._queues[group]
        if waiting is self.head:
            heads = (next(iter(queue.values())) for queue in self._queues.values())
            self.head = min(heads, key=lambda one: one.number, default=None)
        return waiting

    def charge(self, cost: int) -> None:
        """Adds the cost of a request that is being computed."""
        self.had += cost
        self.clock += cost / self.weight
