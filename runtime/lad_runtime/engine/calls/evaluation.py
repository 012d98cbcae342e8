"""Measures that the worker computes."""

from collections.abc import Sequence

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.calls.readers import Readers
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import invalid_option
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.evaluation import ScoreItem

_MAX_ITEMS = 4096


class Evaluation:
    def __init__(self, backend: AnyBackend, registry: Registry, readers: Readers) -> None:
        self._backend = backend
        self._registry = registry
        self._readers = readers

    def score(self, base_id: str, adapter_id: str, items: Sequence[ScoreItem], mode: AttentionMode) -> Job:
        """log p(continuation | prompt); the outcome is a Score for each item."""
        if not 1 <= len(items) <= _MAX_ITEMS:
            raise invalid_option(
                "items",
                len(items),
                f"a request holds from 1 to {_MAX_ITEMS}",
                "Split it, or give at least one.",
            )
        if mode != "causal":
            raise invalid_option("attention", mode, "likelihoods are those of a causal model", "Give causal.")
        base, adapter = self._registry.weights(base_id, adapter_id)
        self._backend.check_scoring(base.resident, items)
        return self._readers.submit(
            "score",
            base,
            adapter,
            lambda weights: self._backend.score(base.resident, weights, items),
            tokens=sum(len(item.prompt) + len(item.continuation) for item in items),
        )
