"""One sharer's part of the queue: what it wants computed, in the order in which it asked."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from lad_runtime.engine.job import Job


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job and its wish's figures, which are asked for once."""

    job: Job
    number: int  # in order of arrival
    group: Hashable
    tokens: int
    cost: int


class Share:
    """A sharer's waiting jobs, first come first served within a group, and its clock.

    Whatever is done with one job takes the same time however many wait.
    """

    def __init__(self, clock: float) -> None:
        self.clock = clock
        self.weight = 1.0
        self._queues: dict[Hashable, OrderedDict[Job, Waiting]] = {}

    def __bool__(self) -> bool:
        return bool(self._queues)

    def __iter__(self) -> Iterator[Job]:
        return (job for queue in self._queues.values() for job in queue)

    def add(self, waiting: Waiting) -> None:
        self.weight = waiting.job.share_weight
        self._queues.setdefault(waiting.group, OrderedDict())[waiting.job] = waiting

    def remove(self, job: Job) -> Waiting:
        assert job.wish is not None
        group = job.wish.group
        waiting = self._queues[group].pop(job)
        if not self._queues[group]:
            del self._queues[group]
        return waiting

    @property
    def head(self) -> Waiting:
        """Who has waited longest."""
        return min(
            (next(iter(q.values())) for q in self._queues.values()), key=lambda waiting: waiting.number
        )

    def of_group(self, group: Hashable) -> Iterator[Waiting]:
        """Those of a group in order."""
        return iter(self._queues.get(group, {}).values())
