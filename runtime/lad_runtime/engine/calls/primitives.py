"""The primitives of a caller's own training loop."""

import secrets
from collections.abc import Hashable, Sequence
from dataclasses import replace

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.calls.bases import check_fits, check_ids
from lad_runtime.engine.calls.tasks import Tasks
from lad_runtime.engine.data.prepared import PreparedData
from lad_runtime.engine.memory.budget import Memory, Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.entries import AdapterEntry
from lad_runtime.engine.resident.numbered_calls import Call
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import invalid_option
from lad_runtime.method.loss_report import ExampleLosses
from lad_runtime.method.random_split import Context
from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.data import WindowReport, WindowSpec
from lad_runtime.types.primitives import (
    ForwardBackwardTask,
    ForwardSpec,
    NoisedExamples,
    NoisedForwardBackwardTask,
    OptimStepTask,
    TargetedSequence,
    ValidateTask,
)
from lad_runtime.types.task import Task
from lad_runtime.types.training import LossSpec, NoiseSpec, OptimizerSpec
from lad_runtime.types.training_events import LossReport
from lad_runtime.types.work import OutcomeT, Work

MAX_SEQUENCES = 4096
"""The most sequences, or rows of a data set, in one call of `forwardBackward`."""


class Primitives:
    def __init__(
        self,
        engine: Engine,
        backend: AnyBackend,
        registry: Registry,
        prepared: PreparedData,
        memory: Memory,
        tasks: Tasks,
    ) -> None:
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._prepared = prepared
        self._memory = memory
        self._tasks = tasks

    def forward_backward(
        self,
        adapter_id: str,
        number: int,
        given: tuple[TargetedSequence, ...] | NoisedExamples,
        forward: ForwardSpec,
    ) -> Call:
        """Adds the gradient of Σ weight · CE; blocks while a data set is prepared. The reply is a ForwardBackwardResult."""
        entry = self._registry.trainable(adapter_id)
        task: ForwardBackwardTask | NoisedForwardBackwardTask
        if isinstance(given, NoisedExamples):
            task = self._noised(entry, given, forward)
        else:
            task = self._given(entry, given, forward)
        requester = Requester(
            what=f"forwardBackward of {entry.id}",
            option="microBatchTokens",
            value=forward.micro_batch_tokens,
            remedy="give smaller microBatchTokens or gradientCheckpointing",
        )
        request = ("forwardBackward", hash((given, forward)))
        return self._numbered(entry, number, request, task, requester)

    def optim_step(
        self,
        adapter_id: str,
        number: int,
        optimizer: OptimizerSpec,
        learning_rate: float,
        max_gradient_norm: float,
    ) -> Call:
        """Makes one optimizer step with the accumulated gradients and clears them. The reply is an OptimStepResult."""
        task = OptimStepTask(
            optimizer=optimizer, learning_rate=learning_rate, max_gradient_norm=max_gradient_norm
        )
        entry = self._registry.trainable(adapter_id)
        requester = Requester(what=f"optimStep of {entry.id}", option="optimizer", value=optimizer.kind)
        return self._numbered(entry, number, ("optimStep", hash(task)), task, requester)

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
        context: Context,
        canvas_tokens: int,
    ) -> "Job[tuple[LossReport, WindowReport, ExampleLosses]]":
        """Computes losses under noise that is fixed for each example; blocks while the data set is prepared.

        The outcome is a LossReport, the data set's WindowReport, and the examples' own losses.
        """
        base, _ = self._registry.weights(base_id, adapter_id)
        with self._registry.using(base, f"validation-{secrets.token_hex(6)}"):
            examples, report = self._prepared.get(base, dataset_id, window)
            chosen = examples[:max_examples] if max_examples else examples
            task = ValidateTask(
                data=(chosen, report),
                noise=noise,
                loss=loss,
                seed=seed,
                attention=attention,
                context=context,
                canvas_tokens=canvas_tokens,
            )
            return self._tasks.submit(base_id, adapter_id, task)

    def _numbered(
        self, entry: AdapterEntry, number: int, request: Hashable, task: Task[object], requester: Requester
    ) -> Call:
        def start() -> "Job[object]":
            self._registry.trainable(entry.id)
            return self._engine.submit(self._work(entry, task, requester), tenant=entry.id)

        return entry.calls.submit(number, request, start)

    def _work(self, entry: AdapterEntry, task: Task[OutcomeT], requester: Requester) -> Work[OutcomeT]:
        base, adapter = entry.base.resident, entry.resident
        self._backend.check(base, task)
        reservation = Reservation.of(self._backend.needs(base, adapter, [task]), adapter)
        work = self._backend.work(base, adapter, task)
        return (yield from self._memory.within(reservation, requester, work))

    def _given(
        self, entry: AdapterEntry, sequences: Sequence[TargetedSequence], forward: ForwardSpec
    ) -> ForwardBackwardTask:
        _check_count("sequences", len(sequences))
        for sequence in sequences:
            check_fits(entry.base, "ids", len(sequence.ids))
            check_ids(entry.base, "ids", sequence.ids)
            check_ids(
                entry.base, "targets", [target for target in sequence.targets if target != IGNORE_INDEX]
            )
        return ForwardBackwardTask(sequences=tuple(sequences), forward=forward)

    def _noised(
        self, entry: AdapterEntry, given: NoisedExamples, forward: ForwardSpec
    ) -> NoisedForwardBackwardTask:
        _check_count("rows", len(given.rows))
        examples, _ = self._prepared.get(entry.base, given.dataset_id, given.window)
        beyond = next((row for row in given.rows if row >= len(examples)), None)
        if beyond is not None:
            raise invalid_option(
                "rows", beyond, f"the prepared data set has {len(examples)} rows", "Give rows from 0 on."
            )
        cached = forward.cache_prompts and given.context == "prompt"  # pasts of random cuts come once
        return NoisedForwardBackwardTask(
            examples=examples, given=given, forward=replace(forward, cache_prompts=cached)
        )


def _check_count(option: str, count: int) -> None:
    if not 1 <= count <= MAX_SEQUENCES:
        raise invalid_option(
            option,
            count,
            f"a call holds from 1 to {MAX_SEQUENCES}",
            "Give at least one, and a larger batch in several calls: their gradients add up.",
        )
