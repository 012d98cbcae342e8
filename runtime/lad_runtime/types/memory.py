"""Memory that is held, and memory that will be needed."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingNeeds:
    """The bytes that training holds beside the base and the adapter's weights."""

    state: int  # gradients and the optimizer's state, for as long as a run is not paused
    activations: int  # of the largest micro-batch, while it is computed
    tokens: int  # of that micro-batch


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What tasks take beside weights: bytes of keys and values that they read and of drafts they keep, or what training takes."""

    caches: int = 0
    training: TrainingNeeds | None = None


@dataclass(frozen=True, kw_only=True)
class HeldMemory:
    """Bytes that are held now, storage that is shared counted once."""

    lasting: int  # bases; weights, gradients and optimizer states of adapters
    snapshots: int = (
        0  # weights that no adapter has any more: snapshots keep them, or requests under way read them
    )
    caches: int = 0  # keys and values that works read
    kept: int = 0  # prompts' keys and values that are kept for those who come later
    reserved: int = 0  # not held yet: the copies that adapters make at their next steps because snapshots share their weights

    @property
    def nbytes(self) -> int:
        return self.lasting + self.snapshots + self.caches + self.kept
