"""The registry's entries: a resident base, and a resident adapter or snapshot."""

import time
from collections import Counter
from dataclasses import dataclass, field, replace

from lad_runtime.engine.backend import ResidentAdapter, ResidentBase
from lad_runtime.engine.resident.numbered_calls import Sequence
from lad_runtime.types.adapters import AdapterInfo
from lad_runtime.types.bases import BaseInfo, BaseSpec


@dataclass(kw_only=True)
class BaseEntry:
    id: str
    spec: BaseSpec
    resident: ResidentBase
    uses: Counter[str] = field(default_factory=Counter)  # by id; an adapter and a run may have equal ids

    @property
    def info(self) -> BaseInfo:
        return replace(self.resident.info, id=self.id)


@dataclass(kw_only=True)
class AdapterEntry:
    id: str
    base: BaseEntry
    resident: ResidentAdapter
    is_snapshot: bool
    is_created: bool = False  # from its specification alone, without files or a checkpoint
    trained_by: str = ""  # the run that trains it now
    last_used: float = field(default_factory=time.monotonic)  # when it was last trained, in monotonic seconds
    calls: Sequence = field(default_factory=Sequence)

    @property
    def is_fresh(self) -> bool:
        """Whether its weights are as its specification makes them: created, and not trained yet."""
        return self.is_created and self.resident.steps == 0

    @property
    def info(self) -> AdapterInfo:
        return AdapterInfo(
            id=self.id,
            base_id=self.base.id,
            spec=self.resident.spec,
            parameter_count=self.resident.parameter_count,
            nbytes=self.resident.nbytes,
            steps=self.resident.steps,
            last_sequence=self.calls.last,
            claims=self.resident.claims,
        )
