"""What has been reserved: memory that somebody may come to hold, and how much that is of all of them together."""

from collections.abc import Iterable
from dataclasses import dataclass

from lad_runtime.engine.backend import ResidentAdapter
from lad_runtime.types.memory import HeldMemory, Needs, TrainingNeeds


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Bytes that are kept free for somebody until its end."""

    making: int = 0  # of something that is held, and counted there, by the end of the reservation
    snapshot_of: ResidentAdapter | None = None  # whose weights will be read, whatever becomes of the adapter
    caches: int = 0  # keys and values that the works of a request read, those that they hold already included
    adapter: ResidentAdapter | None = None  # which is trained: `needs` are its own
    needs: TrainingNeeds | None = None

    @classmethod
    def of(cls, needs: Needs, adapter: ResidentAdapter | None = None) -> "Reservation":
        """For tasks, with the adapter that they train where they train one."""
        trained = adapter if needs.training else None
        return cls(caches=needs.caches, adapter=trained, needs=needs.training)

    @property
    def nbytes(self) -> int:
        training = self.needs.state + self.needs.activations if self.needs else 0
        copy = self.snapshot_of.snapshot_nbytes if self.snapshot_of else 0
        return self.making + copy + self.caches + training

    @property
    def state_to_come(self) -> int:
        """Gradients and optimizer state that the adapter does not hold yet."""
        if self.needs is None or self.adapter is None:
            return 0
        return max(0, self.needs.state - self.adapter.state_nbytes)


def committed(reservations: Iterable[Reservation], held: HeldMemory, token_budget: int) -> int:
    """Bytes that are held or may come to be; kept prompts, which give way to everything, are not among them.

    Caches that are read belong to a request for which they were reserved, and an adapter's gradients and optimizer state to its
    trainer: each counts once, as what is reserved or as what is held, whichever is more. All who will read an adapter's
    present weights share one snapshot.
    """
    reservations = list(reservations)
    read = {id(p.snapshot_of): p.snapshot_of for p in reservations if p.snapshot_of is not None}
    return (
        held.lasting
        + held.snapshots
        + held.reserved
        + max(held.caches, sum(p.caches for p in reservations))
        + sum(p.making for p in reservations)
        + sum(adapter.snapshot_nbytes for adapter in read.values())
        + sum(p.state_to_come for p in reservations)
        + _activations([p.needs for p in reservations if p.needs and p.needs.activations], token_budget)
    )


def _activations(needs: list[TrainingNeeds], token_budget: int) -> int:
    """Of the largest batch: micro-batches of several runs are merged up to the token budget, a larger one goes alone."""
    if not needs:
        return 0
    together = sum(need.activations for need in needs)
    merged = token_budget * max(-(-need.activations // need.tokens) for need in needs)
    return max(min(together, merged), max(need.activations for need in needs))
