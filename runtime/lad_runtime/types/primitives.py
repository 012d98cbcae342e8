"""What a training loop of the caller's own sends, and is sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from lad_runtime.checks import check_choice, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.loss_targets import LossSpec
from lad_runtime.method.noise import NoiseSpec
from lad_runtime.method.targeted_sequence import TargetedSequence as TargetedSequence
from lad_runtime.types.attention import ATTENTION_MODES, AttentionMode
from lad_runtime.types.data import WindowSpec
from lad_runtime.types.limits import MAX_UINT64


@dataclass(frozen=True, kw_only=True)
class NoisedExamples:
    """Examples of a data set, noised and weighted by the worker as a run would that takes them as one batch."""

    dataset_id: str
    window: WindowSpec
    noise: NoiseSpec
    loss: LossSpec
    seed: int
    epoch: int
    rows: tuple[int, ...]  # of the prepared data set

    def __post_init__(self) -> None:
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        check_whole("epoch", self.epoch, low=0, high=2**32 - 1)
        if not self.rows:
            raise invalid_option("rows", [], "it names no example", "Give at least one row.")


@dataclass(frozen=True, kw_only=True)
class ForwardSpec:
    """How sequences go through the model to their gradients."""

    attention: AttentionMode = "full"
    micro_batch_tokens: int = 2048  # they are split into micro-batches of at most this many tokens
    gradient_checkpointing: bool = False  # compute activations again in the backward instead of keeping them

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


@dataclass(frozen=True, kw_only=True)
class OptimStepResult:
    gradient_norm: float  # before clipping
    step: int  # optimizer steps taken by this adapter
