"""What a training run is told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lad_runtime.checks import check_choice, check_name, check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.learning_rate import ScheduleSpec as ScheduleSpec
from lad_runtime.method.loss_targets import LossSpec as LossSpec
from lad_runtime.method.loss_targets import check_answer_supervised
from lad_runtime.method.noise import NoiseSpec as NoiseSpec
from lad_runtime.method.random_split import CONTEXTS, Context, check_split
from lad_runtime.types.attention import DENOISING_ATTENTION, DenoisingAttention
from lad_runtime.types.data import Prepared, WindowSpec
from lad_runtime.types.limits import MAX_SHARE_WEIGHT, MAX_UINT64, MIN_SHARE_WEIGHT
from lad_runtime.types.task import Task
from lad_runtime.types.training_events import TrainingOutcome


@dataclass(frozen=True, kw_only=True)
class OptimizerSpec:
    """AdamW (arXiv 1711.05101), or Muon on the LoRA matrices. Learning rates come from the schedule."""

    kind: Literal["adamw", "muon"]
    weight_decay: float
    beta1: float
    beta2: float
    epsilon: float
    momentum: float  # Muon
    newton_schulz_steps: int  # Muon

    def __post_init__(self) -> None:
        check_choice("optimizer", self.kind, ("adamw", "muon"))
        check_number("optimizer.weightDecay", self.weight_decay, low=0)
        check_number("optimizer.beta1", self.beta1, low=0, below=1)
        check_number("optimizer.beta2", self.beta2, low=0, below=1)
        check_number("optimizer.epsilon", self.epsilon, above=0)
        check_number("optimizer.momentum", self.momentum, low=0, below=1)
        check_whole("optimizer.newtonSchulzSteps", self.newton_schulz_steps, low=1, high=100)


@dataclass(frozen=True, kw_only=True)
class ValidationSpec:
    """Validation with noise fixed per example, before the first step, every `every_steps` (0: never), and after the last."""

    dataset_id: str
    max_examples: int  # 0: all
    every_steps: int
    seed: int
    keep_best: str  # name of the checkpoint of the lowest CE; empty: none
    overwrite_best: bool  # replace the checkpoint of that name
    patience: int  # validations in a row without an improvement that end the run; 0: none do
    min_delta: float  # in nats, by which an improvement is more than lower
    restore_best: bool  # set the adapter back to that checkpoint as the run ends by itself

    def __post_init__(self) -> None:
        check_whole("validation.maxExamples", self.max_examples, low=0)
        check_whole("validation.everySteps", self.every_steps, low=0)
        check_whole("validation.seed", self.seed, low=0, high=MAX_UINT64)
        check_whole("validation.patience", self.patience, low=0, high=2**32 - 1)
        check_number("validation.minDelta", self.min_delta, low=0)
        if self.keep_best:
            check_name("validation.keepBest", self.keep_best)
        elif self.restore_best:
            raise invalid_option(
                "validation.restoreBest",
                True,
                "no checkpoint keeps the best",
                'Give keepBest a name, for instance "run-1-best".',
            )
        if self.patience and not self.every_steps:
            raise invalid_option(
                "validation.patience",
                self.patience,
                "the run validates only before its first step and after its last",
                "Give validation.everySteps.",
            )


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """One training run. Batches are `batch_size` examples in an order that is a pure function of (seed, epoch)."""

    dataset_id: str
    window: WindowSpec
    noise: NoiseSpec
    loss: LossSpec
    optimizer: OptimizerSpec
    schedule: ScheduleSpec
    steps: int
    batch_size: int
    micro_batch_tokens: int  # a step is split into micro-batches of at most this many tokens
    max_gradient_norm: float  # 0: no clipping
    seed: int
    validation: ValidationSpec | None
    checkpoint_every_steps: int
    checkpoint: str  # name; written at the end and every `checkpoint_every_steps`
    resume: bool  # go on from the checkpoint of that name
    overwrite: bool  # replace the checkpoint of that name
    attention: DenoisingAttention
    context: Context  # random-split: each answer's beginning belongs to the causal past
    canvas_tokens: int  # the most tokens of an answer that its canvas has then; 0: all that follow the cut
    gradient_checkpointing: bool  # compute activations again in the backward instead of keeping them
    share_weight: float  # share of the device while others want it too, relative to theirs
    tensorboard: bool  # write TensorBoard's event files beside the run's metrics

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, low=1, high=2**32 - 1)
        check_whole("batchSize", self.batch_size, low=1, high=2**20)
        check_whole("microBatchTokens", self.micro_batch_tokens, low=1)
        check_number("maxGradientNorm", self.max_gradient_norm, low=0)
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        check_whole("checkpoint.everySteps", self.checkpoint_every_steps, low=0)
        check_choice("attention", self.attention, DENOISING_ATTENTION)
        check_number("shareWeight", self.share_weight, low=MIN_SHARE_WEIGHT, high=MAX_SHARE_WEIGHT)
        check_choice("context", self.context, CONTEXTS)
        check_split(self.context, self.attention, self.canvas_tokens)
        if self.attention == "causal-prefix":
            check_answer_supervised(self.loss)
        if self.checkpoint:
            check_name("checkpoint.name", self.checkpoint)
        elif self.checkpoint_every_steps or self.resume:
            raise invalid_option(
                "checkpoint.name",
                "",
                "everySteps and resume need a name",
                'Give a name, for instance "run-1".',
            )
        if self.validation is not None and self.validation.keep_best == self.checkpoint != "":
            raise invalid_option(
                "validation.keepBest",
                self.checkpoint,
                "the run's own checkpoint has that name",
                f'Give another name, for instance "{self.checkpoint}-best".',
            )


@dataclass(frozen=True, kw_only=True)
class TrainingControl:
    """What a training run asks between two steps, from the engine's thread."""

    stopping: Callable[[], bool] = lambda: False  # write the checkpoint, if there is a name for it, and end
    pausing: Callable[[], bool] = lambda: False  # park, holding as little memory as possible


@dataclass(frozen=True, kw_only=True)
class TrainTask(Task[TrainingOutcome]):
    """A run: TrainingStarted, then steps, validations and checkpoints.

    Where `control.stopping()` is true after a step, it writes its checkpoint, if it has a name, and raises LadError(CANCELLED).
    Where `control.pausing()` is true before one, it parks, its gradients freed, its optimizer on disk. Closed or failed, it
    leaves the adapter as the last whole step left it, without gradients.
    """

    spec: TrainingSpec
    data: Prepared | None = (
        None  # None until it is prepared: what is known before suffices to check and to reserve
    )
    validation: Prepared | None = None
    goes_on: bool = False  # from its own checkpoint, whatever `spec.resume` says
    control: TrainingControl = TrainingControl()
