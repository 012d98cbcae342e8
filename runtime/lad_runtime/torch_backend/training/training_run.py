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
from lad_runtime.torch_backend.training.best_checkpoint import BestCheckpoint
from lad_runtime.torch_backend.training.own_drafts import with_drafts
from lad_runtime.torch_backend.training.primitives import accumulate
from lad_runtime.torch_backend.training.rows import NoisedBatch, Noising
from lad_runtime.torch_backend.training.validate import validate
from lad_runtime.types.adapters import AdapterClaims
from lad_runtime.types.data import Prepared, PreparedExample
from lad_runtime.types.early_stopping import UNWATCHED, ValidationWatch, validation_ce
from lad_runtime.types.primitives import ForwardSpec
from lad_runtime.types.training import TrainingSpec, ValidationSpec
from lad_runtime.types.training_events import (
    BestValidation,
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
    watch: ValidationWatch = UNWATCHED
    best: BestCheckpoint | None = None  # None: nothing keeps it
    seconds: float = 0.0
    tokens: int = 0
    warnings: tuple[str, ...] = ()
    ahead: Prefetch[NoisedBatch] | None = None  # rows of the step to come

    def begin(self) -> None:
        """Takes over the checkpoint to resume from, where there is one."""
        name, validation = self.spec.checkpoint, self.spec.validation
        if validation is not None and validation.keep_best:
            self.best = BestCheckpoint(self.checkpoints, validation.keep_best)
        if (self.spec.resume or self.goes_on) and name and self.checkpoints.has(name):
            checkpoint = self.checkpoints.read(name)
            position = resume(self.trained, checkpoint, self.base.info, self.spec)
            self.warnings = resume_warnings(checkpoint, self.base.info)
            self.step = self.saved_step = position.step
            self.report, self.validated = position.report, position.validation
            if validation is not None:
                self._go_on_watching(position, validation)
        if self.best is not None and self.best.is_first:
            self.best.begin(self.trained, self.spec)
        self.trained.optimizer_for(self.spec.optimizer)

    def _go_on_watching(self, position: RunPosition, validation: ValidationSpec) -> None:
        """Takes over the best so far, where it was measured as it will be, and is kept where it is to be kept."""
        step, before = position.watch.best_step, position.spec.get("validation") or {}
        if step is None:
            self.watch = position.watch
        elif any(before.get(name) != getattr(validation, name) for name in _MEASURED):
            self.warnings += (_not_gone_on_from(step, self.step, "other examples are validated now"),)
        elif self.best is not None and not (
            before.get("keep_best") == self.best.name and self.best.go_on(step)
        ):
            self.warnings += (_not_gone_on_from(step, self.step, f"{self.best.name} does not keep it"),)
        else:
            self.watch = position.watch

    @property
    def is_over(self) -> bool:
        """Whether all steps are taken, or validations have brought no improvement for long enough."""
        return self.step >= self.spec.steps or self._is_exhausted

    @property
    def _is_exhausted(self) -> bool:
        validation = self.spec.validation
        return validation is not None and self.watch.is_exhausted(validation.patience)

    def take_step(self) -> Work[StepEvent]:
        started, spec, trained = time.perf_counter(), self.spec, self.trained
        rows = yield from self._rows()
        if self._drafts:
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

    @property
    def _drafts(self) -> bool:
        """Whether the model drafts in the next step."""
        drafting = self.spec.noise.drafting
        return drafting is not None and self.step >= drafting.after * self.spec.steps

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
        ce = validation_ce(self.validated)
        self.watch = self.watch.after(self.step, ce, self.spec.validation.min_delta)
        yield ValidationEvent(step=self.step, report=self.validated, best=self._best_validation)
        if self.best is not None and self.watch.best_step == self.step:
            self.best.write(self.trained, self.base.info, self._position)
            yield CheckpointEvent(step=self.step, name=self.best.name)

    def save(self, due: bool) -> Work[None]:
        if not due or self.step == self.saved_step:
            return
        is_first = self.saved_step < 0  # a checkpoint already under this name is not from this run
        self.checkpoints.write(
            self.spec.checkpoint,
            self.trained,
            self.base.info,
            self._position,
            replace=is_first and self.spec.overwrite,
        )
        self.saved_step = self.step
        if self.best is not None:
            self.best.spared = self.watch.best_step
        yield CheckpointEvent(step=self.step, name=self.spec.checkpoint)

    def restore_best(self) -> None:
        """Sets the adapter back to the best validation, where that is asked for and was not after the last step."""
        validation, step = self.spec.validation, self.watch.best_step
        if validation is None or not validation.restore_best or step in (None, self.step):
            return
        assert self.best is not None and step is not None, "it is kept"
        self.best.restore(self.trained, step)

    @property
    def _position(self) -> RunPosition:
        return RunPosition(
            spec=spec_json(self.spec),
            step=self.step,
            report=self.report,
            validation=self.validated,
            watch=self.watch,
        )

    @property
    def _best_validation(self) -> BestValidation | None:
        if self.watch.best_step is None:
            return None
        kept_as = self.best.name if self.best is not None else ""
        return BestValidation(step=self.watch.best_step, ce=self.watch.best_ce, checkpoint=kept_as)

    def outcome(self) -> TrainingOutcome:
        return TrainingOutcome(
            steps=self.step,
            report=self.report,
            validation=self.validated,
            seconds=self.seconds,
            tokens_per_second=self.tokens / self.seconds if self.seconds else 0.0,
            best=self._best_validation,
            stopped="steps" if self.step >= self.spec.steps else "early",
        )


_MEASURED = ("dataset_id", "max_examples", "seed")
"""What validates otherwise, so that a CE is no longer comparable; the run's noise, loss and window may not change."""


def _not_gone_on_from(best: int, step: int, why: str) -> str:
    return (
        f"The best validation before, of step {best}, is not gone on from, since {why}: the best is found anew among those after "
        f"step {step}."
    )
