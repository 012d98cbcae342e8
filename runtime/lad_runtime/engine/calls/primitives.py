"""The primitives that a training loop of the caller's own is made of."""

import secrets
from collections.abc import Callable, Hashable, Sequence
from functools import partial

from lad_runtime.checks import check_number
from lad_runtime.engine.backend import AnyBackend, ResidentAdapter
from lad_runtime.engine.calls.bases import check_fits, check_ids
from lad_runtime.engine.calls.readers import Readers
from lad_runtime.engine.data.prepared import PreparedData
from lad_runtime.engine.memory.budget import Memory, Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.entries import AdapterEntry
from lad_runtime.engine.resident.numbered_calls import Call
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import invalid_option
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.data import WindowSpec
from lad_runtime.types.primitives import ForwardSpec, NoisedExamples, TargetedSequence
from lad_runtime.types.training import LossSpec, NoiseSpec, OptimizerSpec
from lad_runtime.types.work import Work

MAX_SEQUENCES = 4096
"""Of one call of `forwardBackward`, rows of a data set as well."""

Gradients = tuple[Callable[[], Work], int, int]
"""Makes the work of a call, over sequences the longest of which has so many tokens, and all together so many."""


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
    ) -> Call:
        """Adds the gradient of Σ weight · CE; blocks while a data set is prepared. Its value: ForwardBackwardResult."""
        entry = self._registry.trainable(adapter_id)
        if isinstance(given, NoisedExamples):
            compute, longest, total = self._noised(entry, given, forward)
        else:
            compute, longest, total = self._given(entry, given, forward)

        def work() -> Work:
            needs = self._backend.gradient_needs(entry.base.resident, entry.resident, longest, total, forward)
            requester = Requester(
                what=f"forwardBackward of {entry.id}",
                option="microBatchTokens",
                value=forward.micro_batch_tokens,
                remedy="give smaller microBatchTokens or gradientCheckpointing",
            )
            reservation = Reservation(adapter=entry.resident, needs=needs)
            return (yield from self._memory.within(reservation, requester, compute()))

        request = ("forwardBackward", hash((given, forward)))
        return self._numbered(entry, number, request, work)

    def optim_step(
        self,
        adapter_id: str,
        number: int,
        optimizer: OptimizerSpec,
        learning_rate: float,
        max_gradient_norm: float,
    ) -> Call:
        """One step on the gradients gathered, which it clears. Its value: OptimStepResult."""
        check_number("learningRate", learning_rate, low=0)
        check_number("maxGradientNorm", max_gradient_norm, low=0)
        entry = self._registry.trainable(adapter_id)

        def work() -> Work:
            base, adapter = entry.base.resident, entry.resident
            needs = self._backend.step_needs(adapter, optimizer)
            requester = Requester(what=f"optimStep of {entry.id}", option="optimizer", value=optimizer.kind)
            taken = self._backend.optim_step(base, adapter, optimizer, learning_rate, max_gradient_norm)
            return (
                yield from self._memory.within(Reservation(adapter=adapter, needs=needs), requester, taken)
            )

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
    ) -> Job:
        """Losses under noise fixed for each example; blocks while the data set is prepared.

        The outcome is a LossReport, and the data set's WindowReport.
        """
        base, adapter = self._registry.weights(base_id, adapter_id)
        with self._registry.using(base, f"validation-{secrets.token_hex(6)}"):
            examples, report = self._prepared.get(base, dataset_id, window)
            chosen = examples[:max_examples] if max_examples else examples

            def work(weights: ResidentAdapter | None) -> Work:
                losses = yield from self._backend.validate(
                    base.resident, weights, chosen, noise, loss, seed, attention
                )
                return losses, report

            return self._readers.submit("validation", base, adapter, work)

    def _numbered(
        self, entry: AdapterEntry, number: int, request: Hashable, work: Callable[[], Work]
    ) -> Call:
        def start() -> Job:
            self._registry.trainable(entry.id)
            return self._engine.submit(work(), tenant=entry.id)

        return entry.calls.submit(number, request, start)

    def _given(
        self, entry: AdapterEntry, sequences: Sequence[TargetedSequence], forward: ForwardSpec
    ) -> Gradients:
        _check_count("sequences", len(sequences))
        for sequence in sequences:
            check_fits(entry.base, "ids", len(sequence.ids))
            check_ids(entry.base, "ids", sequence.ids)
            check_ids(entry.base, "targets", [target for target in sequence.targets if target != -1])
        lengths = [len(sequence.ids) for sequence in sequences]
        base, adapter = entry.base.resident, entry.resident
        compute = partial(self._backend.forward_backward, base, adapter, sequences, forward)
        return compute, max(lengths), sum(lengths)

    def _noised(self, entry: AdapterEntry, given: NoisedExamples, forward: ForwardSpec) -> Gradients:
        _check_count("rows", len(given.rows))
        examples, _ = self._prepared.get(entry.base, given.dataset_id, given.window)
        beyond = next((row for row in given.rows if row >= len(examples)), None)
        if beyond is not None:
            raise invalid_option(
                "rows", beyond, f"the prepared data set has {len(examples)} rows", "Give rows from 0 on."
            )
        base, adapter, longest = entry.base.resident, entry.resident, given.window.window
        compute = partial(self._backend.forward_backward_noised, base, adapter, examples, given, forward)
        return compute, longest, longest * len(given.rows)


def _check_count(option: str, count: int) -> None:
    if not 1 <= count <= MAX_SEQUENCES:
        raise invalid_option(
            option,
            count,
            f"a call holds from 1 to {MAX_SEQUENCES}",
            "Give at least one, and a larger batch in several calls: their gradients add up.",
        )
