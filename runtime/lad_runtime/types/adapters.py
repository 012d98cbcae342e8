"""LoRA adapters."""

from dataclasses import dataclass

from lad_runtime.checks import check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.types.limits import MAX_UINT64


@dataclass(frozen=True, kw_only=True)
class AdapterSpec:
    """A LoRA adapter (arXiv 2106.09685): W x + (alpha / rank) · B A x on each targeted projection of every layer.

    Which ranks and targets its base allows is checked where an adapter is created (engine/calls/adapters.py).
    """

    rank: int
    alpha: float
    targets: tuple[str, ...]
    dropout: float
    seed: int

    def __post_init__(self) -> None:
        check_whole("rank", self.rank, low=1)
        check_number("alpha", self.alpha, above=0)
        check_number("dropout", self.dropout, low=0, below=1)
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        if not self.targets or len(set(self.targets)) < len(self.targets):
            raise invalid_option(
                "targets",
                list(self.targets),
                "it must name each projection once",
                'Give for instance ["q_proj", "v_proj"].',
            )


@dataclass(frozen=True, kw_only=True)
class AdapterInfo:
    id: str
    base_id: str
    spec: AdapterSpec
    parameter_count: int
    nbytes: int  # weights, gradients and optimizer state now held
    steps: int  # optimizer steps taken
    last_sequence: int = 0  # number of its last primitive; 0: none yet
