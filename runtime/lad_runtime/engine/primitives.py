"""The primitives that a training loop of the caller's own is made of."""

import secrets
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import Any

from lad_runtime.checks import check_number
from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.bases import check_fits, check_ids
from lad_runtime.engine.engine import Engine
from lad_runtime.engine.job import Job
from lad_runtime.engine.memory import Asker, Memory
from lad_runtime.engine.prepared import PreparedData
from lad_runtime.engine.promises import Promise
from lad_runtime.engine.readers import Readers
from lad_runtime.engine.registry import Registry
from lad_runtime.engine.residents import AdapterEntry
from lad_runtime.errors import invalid_option
from lad_runtime.types import (
    AttentionMode,
    ForwardSpec,
    LossSpec,
    NoisedExamples,
    NoiseSpec,
    OptimizerSpec,
    PreparedExample,
    TargetedSequence,
    WindowReport,
    WindowSpec,
    Work,
)


class Primitives:
    def __init__(
        self,
        engine: Engine,
        backend: AnyBackend,
        registry: Registry,
        prepared: PreparedData,
        memory: Memory,
        readers: Readers,
    ) -> None:
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._prepared = prepared
        self._memory = memory
        self._readers = readers

    def forward_backward(
        self,
        adapter_id: str,
        number: int,
        given: tuple[TargetedSequence, ...] | NoisedExamples,
        forward: ForwardSpec,
    ) -> "Future[Any]":
        """Adds the gradient of Σ weight · CE; blocks while a data set is prepared. Its value: ForwardBackwardResult."""
        entry = self._registry.trainable(adapter_id)
        sequences = self._noised(entry, given) if isinstance(given, NoisedExamples) else lambda: given
        if not isinstance(given, NoisedExamples):
            _check_sequences(entry, given)

        def work() -> Work:
            base, adapter, given = entry.base.resident, entry.resident, sequences()
            needs = self._backend.gradient_needs(base, adapter, given, forward)
            asker = Asker(
                what=f"forwardBackward of {entry.id}",
                option="microBatchTokens",
                value=forward.micro_batch_tokens,
                remedy="give smaller microBatchTokens or gradientCheckpointing",
            )
            computed = self._backend.forward_backward(base, adapter, given, forward)
            return (yield from self._memory.within(Promise(adapter=adapter, needs=needs), asker, computed))

        request = ("forwardBackward", hash((given, forward)))
        return self._numbered(entry, number, request, work)

    def optim_step(
        self,
        adapter_id: str,
        number: int,
        optimizer: OptimizerSpec,
        learning_rate: float,
        max_gradient_norm: float,
    ) -> "Future[Any]":
        """One step on the gradients gathered, which it clears. Its value: OptimStepResult."""
        check_number("learningRate", learning_rate, low=0)
        check_number("maxGradientNorm", max_gradient_norm, low=0)
        entry = self._registry.trainable(adapter_id)

        def work() -> Work:
            base, adapter = entry.base.resident, entry.resident
            needs = self._backend.step_needs(adapter, optimizer)
            asker = Asker(what=f"optimStep of {entry.id}", option="optimizer", value=optimizer.kind)
            taken = self._backend.optim_step(base, adapter, optimizer, learning_rate, max_gradient_norm)
            return (yield from self._memory.within(Promise(adapter=adapter, needs=needs), asker, taken))

        request = ("optimStep", hash((optimizer, learning_rate, max_gradient_norm)))
        return self._numbered(entry, number, request, work)

    def validate(
        self,
        base_id: str,
        adapter_id: str,
        dataset_id: str,
        window: WindowSpec,
        noise: NoiseSpec,
        loss: LossSpec,
        seed: int,
        max_examples: int,
        attention: AttentionMode,
    ) -> tuple[Job, WindowReport]:
        """Losses under noise fixed for each example; blocks while the data set is prepared. The outcome is a LossReport."""
        base, adapter = self._registry.weights(base_id, adapter_id)
        with self._registry.using(base, f"validation-{secrets.token_hex(6)}"):
            examples, report = self._prepared.get(base, dataset_id, window)
            chosen = examples[:max_examples] if max_examples else examples
            job = self._readers.submit(
                "validation",
                base,
                adapter,
                lambda weights: self._backend.validate(
                    base.resident, weights, chosen, noise, loss, seed, attention
                ),
            )
        return job, report

    def _numbered(
        self, entry: AdapterEntry, number: int, request: Hashable, work: Callable[[], Work]
    ) -> "Future[Any]":
        def start() -> Job:
            self._registry.trainable(entry.id)
            return self._engine.submit(work(), sharer=entry.id)

        return entry.calls.submit(number, request, start)

    def _noised(self, entry: AdapterEntry, given: NoisedExamples) -> Callable[[], Sequence[TargetedSequence]]:
        examples, _ = self._prepared.get(entry.base, given.dataset_id, given.window)
        rows: list[PreparedExample] = []
        for row in given.rows:
            if row >= len(examples):
                raise invalid_option(
                    "rows", row, f"the prepared data set has {len(examples)} rows", "Give rows from 0 on."
                )
            rows.append(examples[row])
        return lambda: self._backend.noise(
            entry.base.resident, rows, given.noise, given.loss, given.seed, given.epoch
        )


def _check_sequences(entry: AdapterEntry, sequences: Sequence[TargetedSequence]) -> None:
    if not sequences:
        raise invalid_option("sequences", [], "there is none", "Give at least one.")
    for sequence in sequences:
        check_fits(entry.base, "ids", len(sequence.ids))
        check_ids(entry.base, "ids", sequence.ids)
        check_ids(entry.base, "targets", [target for target in sequence.targets if target != -1])
