"""What a training run does and how far it is: batches in a seeded order, noise, gradients, steps, validation, checkpoints."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from lad_runtime.method.data_order import Draw, batch
from lad_runtime.method.learning_rate import learning_rate
from lad_runtime.method.loss_report import LossTally
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore, RunPosition, spec_json
from lad_runtime.torch_backend.adapters.claims import claims_of
from lad_runtime.torch_backend.adapters.resume import resume, resume_warnings
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.prefetch import Prefetch
from lad_runtime.torch_backend.training.own_drafts import with_drafts
from lad_runtime.torch_backend.training.primitives import accumulate
from lad_runtime.torch_backend.training.rows import NoisedBatch, Noising
from lad_runtime.torch_backend.training.validate import validate
from lad_runtime.types.adapters import AdapterClaims
from lad_runtime.types.data import Prepared, PreparedExample
from lad_runtime.types.primitives import ForwardSpec
from lad_runtime.types.training import TrainingSpec
from lad_runtime.types.training_events import (
    CheckpointEvent,
    LossReport,
    StepEvent,
    TrainingOutcome,
    ValidationEvent,
)
from lad_runtime.types.work import Work


@dataclass
class TrainingRun:
    """`step` counts the steps taken, those before a resume included; times and tokens are of this process's steps."""

    base: Base
    trained: TrainedAdapter
    examples: Sequence[PreparedExample]
    spec: TrainingSpec
    validation: Prepared | None
    checkpoints: CheckpointStore
    goes_on: bool = False  # from its own checkpoint, whatever `spec.resume` says
    step: int = 0
    saved_step: int = -1
    report: LossReport | None = None
    validated: LossReport | None = None
    seconds: float = 0.0
    tokens: int = 0
    warnings: tuple[str, ...] = ()
    ahead: Prefetch[NoisedBatch] | None = None  # rows of the step to come

    def begin(self) -> None:
        """Takes over the checkpoint to resume from, where there is one."""
        name = self.spec.checkpoint
        if (self.spec.resume or self.goes_on) and name and self.checkpoints.has(name):
            checkpoint = self.checkpoints.read(name)
            position = resume(self.trained, checkpoint, self.base.info, self.spec)
            self.warnings = resume_warnings(checkpoint, self.base.info)
            self.step = self.saved_step = position.step
            self.report, self.validated = position.report, position.validation
        self.trained.optimizer_for(self.spec.optimizer)

    def take_step(self) -> Work[StepEvent]:
        started, spec, trained = time.perf_counter(), self.spec, self.trained
        rows = yield from self._rows()
        rows = yield from with_drafts(rows, trained.adapter, self._forward)
        tally = LossTally()
        yield from accumulate(
            self.base,
            trained,
            rows,
            self._forward,
            see=lambda _, row, losses: tally.add(row, losses),
            skip=lambda _, row: tally.skip(row),
        )
        trained.learn(self._claims)
        rate = learning_rate(spec.schedule, self.step, spec.steps)
        norm = trained.step(spec.optimizer, rate, spec.max_gradient_norm)
        self.step += 1
        self.report = tally.report()
        seconds = time.perf_counter() - started
        self.seconds += seconds
        self.tokens += tally.tokens
        return StepEvent(
            step=self.step,
            epoch=self.step * spec.batch_size / len(self.examples),
            report=self.report,
            gradient_norm=norm,
            learning_rate=rate,
            seconds=seconds,
            tokens_per_second=tally.tokens / seconds,
        )

    @cached_property
    def _claims(self) -> AdapterClaims:
        return claims_of(
            self.base.info,
            attention=self.spec.attention,
            context=self.spec.context,
            noise=self.spec.noise,
            loss=self.spec.loss,
            lengths=(len(example.ids) for example in self.examples),
            canvas_tokens=self.spec.canvas_tokens,
            pad_tokens=self.spec.window.padding,
        )

    def rest(self) -> None:
        """Forgets what is made ahead: until the next step no thread is at work, and no rows are held."""
        if self.ahead is not None:
            self.ahead.stop()
        self.ahead = None

    def _rows(self) -> Work[NoisedBatch]:
        """Those of this step, drawn during the last one; those of the next are begun."""
        self.ahead = self.ahead or self._drawing(self.step)
        rows = yield from self.ahead.result()
        self.ahead = self._drawing(self.step + 1) if self.step + 1 < self.spec.steps else None
        return rows

    def _drawing(self, step: int) -> Prefetch[NoisedBatch]:
        spec, examples = self.spec, self.examples
        noising = Noising(
            base=self.base,
            noise=spec.noise,
            loss=spec.loss,
            context=spec.context,
            canvas_tokens=spec.canvas_tokens,
            seed=spec.seed,
        )

        def draws() -> Iterable[Draw]:
            return batch(spec.seed, len(examples), spec.batch_size, step)

        return Prefetch(lambda unwanted: NoisedBatch.drawn(noising, examples, draws, unwanted))

    @property
    def _forward(self) -> ForwardSpec:
        return ForwardSpec(
            attention=self.spec.attention,
            micro_batch_tokens=self.spec.micro_batch_tokens,
            gradient_checkpointing=self.spec.gradient_checkpointing,
            cache_prompts=self.spec.context == "prompt",
        )

    def validate(self, due: bool) -> Work[None]:
        if self.validation is None or self.spec.validation is None or not due:
            return
        chosen = self.validation[0]
        if self.spec.validation.max_examples > 0:
            chosen = chosen[: self.spec.validation.max_examples]
        self.validated = yield from validate(
            self.base,
            self.trained.adapter,
            chosen,
            self.spec.noise,
            self.spec.loss,
            self.spec.validation.seed,
            attention=self.spec.attention,
            context=self.spec.context,
            canvas_tokens=self.spec.canvas_tokens,
        )
        yield ValidationEvent(step=self.step, report=self.validated)

    def save(self, due: bool) -> Work[None]:
        if not due or self.step == self.saved_step:
            return
        position = RunPosition(
            spec=spec_json(self.spec), step=self.step, report=self.report, validation=self.validated
        )
        is_first = self.saved_step < 0  # a checkpoint already under this name is not from this run
        self.checkpoints.write(
            self.spec.checkpoint,
            self.trained,
            self.base.info,
            position,
            replace=is_first and self.spec.overwrite,
        )
        self.saved_step = self.step
        yield CheckpointEvent(step=self.step, name=self.spec.checkpoint)

    def outcome(self) -> TrainingOutcome:
        return TrainingOutcome(
            steps=self.step,
            report=self.report,
            validation=self.validated,
            seconds=self.seconds,
            tokens_per_second=self.tokens / self.seconds if self.seconds else 0.0,
        )
