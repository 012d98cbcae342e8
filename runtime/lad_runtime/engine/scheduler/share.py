"""One tenant's part of the queue: what it wants computed, in the order in which it asked, and what it has had."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from lad_runtime.engine.scheduler.job import AnyJob


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job and its request's figures, which are asked for once."""

    job: AnyJob
    number: int  # in order of arrival
    group: Hashable
    tokens: int
    cost: int


class Share:
    """A tenant's waiting jobs, first come first served within a group, and its clock: cost / weight that it has had.

    Whatever is done with one job takes the same time however many wait.
    """

    def __init__(self, clock: float) -> None:
        self.clock = clock
        self.weight = 1.0
        self.had = 0  # cost computed for it since it joined
        self.head: Waiting | None = None  # who has waited longest
        self._queues: dict[Hashable, OrderedDict[AnyJob, Waiting]] = {}

    def __iter__(self) -> Iterator[AnyJob]:
        return (job for queue in self._queues.values() for job in queue)

    def of_group(self, group: Hashable) -> Iterator[Waiting]:
        """Those of a group in order."""
        return iter(self._queues.get(group, {}).values())

    @property
    def due(self) -> float:
        """Where the clock will stand when the first request has been computed."""
        assert self.head is not None
        return self.clock + self.head.cost / self.weight

    def is_new(self, token_budget: int) -> bool:
        """Whether its first request is still of its first token budget of cost; with a weight below 1, of that part of one."""
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
        """Counts what is being computed for it."""
        self.had += cost
        self.clock += cost / self.weight
