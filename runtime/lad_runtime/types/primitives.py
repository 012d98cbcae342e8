"""What a training loop of the caller's own sends, and is sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from lad_runtime.checks import check_choice, check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.loss_report import ExampleLosses
from lad_runtime.method.loss_targets import LossSpec
from lad_runtime.method.noise import NoiseSpec
from lad_runtime.method.random_split import CONTEXTS, Context, check_split
from lad_runtime.method.targeted_sequence import TargetedSequence as TargetedSequence
from lad_runtime.types.attention import ATTENTION_MODES, AttentionMode
from lad_runtime.types.data import Prepared, PreparedExample, WindowReport, WindowSpec
from lad_runtime.types.limits import MAX_UINT64
from lad_runtime.types.task import ReadingTask, Task
from lad_runtime.types.training import OptimizerSpec
from lad_runtime.types.training_events import LossReport


@dataclass(frozen=True, kw_only=True)
class NoisedExamples:
    """Examples of a data set, noised and weighted by the worker as a run would that takes them as one batch."""

    dataset_id: str
    window: WindowSpec
    noise: NoiseSpec
    loss: LossSpec
    context: Context
    canvas_tokens: int  # as in TrainingSpec
    seed: int
    epoch: int
    rows: tuple[int, ...]  # of the prepared data set

    def __post_init__(self) -> None:
        check_choice("context", self.context, CONTEXTS)
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        check_whole("epoch", self.epoch, low=0, high=2**32 - 1)
        if not self.rows:
            raise invalid_option("rows", [], "it names no example", "Give at least one row.")
        if self.noise.drafting is not None and self.noise.drafting.after > 0:
            raise invalid_option(
                "noise.after", self.noise.drafting.after, "a call is no step of a run", "Leave it out."
            )


@dataclass(frozen=True, kw_only=True)
class ForwardSpec:
    """How sequences go through the model to their gradients."""

    attention: AttentionMode
    micro_batch_tokens: int  # they are split into micro-batches of at most this many tokens
    gradient_checkpointing: bool  # compute activations again in the backward instead of keeping them
    cache_prompts: bool  # keep the keys and values of prompts that were computed apart, for later calls

    def __post_init__(self) -> None:
        check_choice("attention", self.attention, ATTENTION_MODES)
        check_whole("microBatchTokens", self.micro_batch_tokens, low=1)


@dataclass(frozen=True, kw_only=True)
class ForwardBackwardResult:
    """`loss` is Σ weight · CE; `ce` holds each sequence's CE at every position in nats, 0 where nothing was predicted."""

    loss: float
    tokens: int
    supervised_tokens: int
    ce: tuple[Sequence[float], ...]


@dataclass(frozen=True, kw_only=True)
class ValidateRequest:
    """The losses of a data set under noise that is fixed for each example, without training."""

    base_id: str
    adapter_id: str  # empty: the base without an adapter
    dataset_id: str
    window: WindowSpec
    noise: NoiseSpec
    loss: LossSpec
    seed: int
    max_examples: int  # 0: all
    attention: AttentionMode
    context: Context
    canvas_tokens: int  # as in TrainingSpec
    per_example: bool  # whether the response has each example's own losses

    def __post_init__(self) -> None:
        check_choice("context", self.context, CONTEXTS)
        check_split(self.context, self.attention, self.canvas_tokens)


@dataclass(frozen=True, kw_only=True)
class OptimStepResult:
    gradient_norm: float  # before clipping
    step: int  # optimizer steps taken by this adapter


@dataclass(frozen=True, kw_only=True)
class ForwardBackwardTask(Task[ForwardBackwardResult]):
    """Adds the gradient of Σ weight · CE to the adapter's. Closed or failed, it adds nothing."""

    sequences: tuple[TargetedSequence, ...]
    forward: ForwardSpec

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence."""
        return max(len(sequence.ids) for sequence in self.sequences)

    @property
    def tokens(self) -> int:
        return sum(len(sequence.ids) for sequence in self.sequences)


@dataclass(frozen=True, kw_only=True)
class NoisedForwardBackwardTask(Task[ForwardBackwardResult]):
    """The same of the sequences that a run with these options would compute for the rows of `examples` as one batch."""

    examples: Sequence[PreparedExample]
    given: NoisedExamples
    forward: ForwardSpec

    def __post_init__(self) -> None:
        check_split(self.given.context, self.forward.attention, self.given.canvas_tokens)

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence, at most."""
        return self.given.window.window

    @property
    def tokens(self) -> int:
        return self.longest * len(self.given.rows)


@dataclass(frozen=True, kw_only=True)
class OptimStepTask(Task[OptimStepResult]):
    """One step on the gradients gathered, which it clears."""

    optimizer: OptimizerSpec
    learning_rate: float
    max_gradient_norm: float

    def __post_init__(self) -> None:
        check_number("learningRate", self.learning_rate, low=0)
        check_number("maxGradientNorm", self.max_gradient_norm, low=0)


@dataclass(frozen=True, kw_only=True)
class ValidateTask(ReadingTask[tuple[LossReport, WindowReport, ExampleLosses]]):
    """Losses under noise that is fixed for each example, the report of the data as it was given, and each example's own losses."""

    data: Prepared
    noise: NoiseSpec
    loss: LossSpec
    seed: int
    attention: AttentionMode
    context: Context
    canvas_tokens: int  # as in TrainingSpec
    user = "validation"

    @property
    def parts(self) -> tuple[str, int]:
        return "examples", len(self.data[0])

    @property
    def tokens(self) -> int:
        """Not known: what is computed at a time is cut as it comes."""
        return 0
