"""Reservations of memory, and their total together with the memory that is held."""

from collections.abc import Iterable
from dataclasses import dataclass

from lad_runtime.engine.backend import ResidentAdapter
from lad_runtime.types.memory import HeldMemory, Needs, TrainingNeeds


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Bytes kept free for one owner until the reservation ends."""

    making: int = 0  # for a new object; once the reservation ends it counts as held
    snapshot_of: ResidentAdapter | None = None  # the adapter whose present weights a request will read
    caches: int = 0  # keys and values that a request reads, including those it holds already
    adapter: ResidentAdapter | None = None  # the adapter that is trained, with these `needs`
    needs: TrainingNeeds | None = None

    @classmethod
    def of(cls, needs: Needs, adapter: ResidentAdapter | None = None) -> "Reservation":
        """The reservation for tasks; `adapter` is the one that they train, if they train."""
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
    """Bytes that are held or reserved, without cached prompts, which are evicted when anything else needs their memory.

    Caches in use belong to a request that has reserved them, and gradients and optimizer state to the run that trains the
    adapter. Each counts once, as the larger of reserved and held. All readers of an adapter's present weights share one
    snapshot.
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
    """Activations of the largest batch: runs' micro-batches are merged up to the token budget; a larger one is computed alone."""
    if not needs:
        return 0
    together = sum(need.activations for need in needs)
    merged = token_budget * max(-(-need.activations // need.tokens) for need in needs)
    return max(min(together, merged), max(need.activations for need in needs))
