"""What the engine, the backend and the wire say to each other: plain values, no torch, no protobuf.

Every default of the method stands in the TypeScript SDK (`sdk/src/options.ts`); specifications arrive here complete. Ranges are
checked where a specification is made (`__post_init__`), so that no work starts on a bad one.
"""

import math
from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from lad_runtime.checks import check_choice, check_name, check_number, check_whole
from lad_runtime.errors import LadError, invalid_option

MAX_UINT64 = 2**64 - 1
MAX_TOKENS = 2**20
"""No window, span or answer is longer, whatever the base."""
MIN_SHARE_WEIGHT, MAX_SHARE_WEIGHT = 1e-3, 1e3

AttentionMode = Literal["full", "causal", "prefix", "causal-prefix"]
"""How the tokens of a sequence attend (METHOD §1).

`full`: each to its whole sequence. `causal`: to itself and what precedes it. `prefix`: prompt tokens to the prompt, answer
tokens to everything. `causal-prefix`: the prompt runs through the unadapted causal base, answer tokens attend to it and to
each other.
"""
DenoisingAttention = Literal["full", "prefix", "causal-prefix"]
ATTENTION_MODES: tuple[AttentionMode, ...] = ("full", "causal", "prefix", "causal-prefix")
DENOISING_ATTENTION: tuple[DenoisingAttention, ...] = ("full", "prefix", "causal-prefix")


# --- work -----------------------------------------------------------------------------------------------------------


class Wish(Protocol):
    """A computation that a piece of work asks for. Wishes of equal `group` may share one flat batch."""

    @property
    def tokens(self) -> int:
        """Rows of the flat batch."""
        ...

    @property
    def cost(self) -> int:
        """What it takes of the device's time: 1 is the forward of one token."""
        ...

    @property
    def group(self) -> Hashable: ...


class Park:
    """What a work yields when it has nothing to compute until its job is resumed; it is sent None then."""


Work = Generator[Any, Any, Any]
"""Yields wishes (and is sent each one's result), events (and is sent None) and `Park`s; returns its outcome.

Closing the generator cancels the work. It never computes a forward itself, so that whatever runs at the same time can be
computed in one batch.
"""


# --- bases ----------------------------------------------------------------------------------------------------------

DTypeName = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True)
class BaseSpec:
    """Which base to load: `stub`, `tiny`, `smollm2-135m`, a hub id or a folder."""

    name: str
    revision: str = ""  # a hub revision; empty: the default branch, resolved to a commit and reported
    dtype: DTypeName = "auto"  # auto: float32 on the CPU, bfloat16 on CUDA
    mask_token: str = ""  # empty: the base's entry in the registry
    chat_template: str = ""  # empty: the model's own
    system_prompt: str | None = None  # None: the default of the base's entry
    hub_token: str = ""
    seed: int = 0  # of the `stub` base's weights
    compile: bool = False  # the kernels beside the matmuls, with torch.compile

    def __post_init__(self) -> None:
        if not self.name:
            raise invalid_option(
                "base", self.name, "it names no base", "Give stub, tiny, smollm2-135m, a hub id or a folder."
            )
        check_choice("dataType", self.dtype, ("auto", "float32", "bfloat16", "float16"))
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)


Token = tuple[str, int]
"""A token's text and its id."""
MatmulKernel = Literal["mkl", "onednn"]
MatrixLayout = Literal["out-in", "in-out"]


@dataclass(frozen=True, kw_only=True)
class MatrixKernel:
    """How rows are multiplied with a kind of matrix (qkv, o, gate_up, down or head) on the CPU, and how it lies in memory.

    `mkl` is `torch.mm`, which goes to whatever BLAS PyTorch was built with.
    """

    matrix: str
    kernel: MatmulKernel
    layout: MatrixLayout


@dataclass(frozen=True, kw_only=True)
class BaseInfo:
    """A resident base. `projections` are the names an adapter may target.

    `eos_token` is the one that answers learn to end with, and their tails are made of: the chat template closes a turn with it.
    An answer ends with the first of the `stop_tokens`, which it is one of.
    """

    id: str
    name: str
    revision: str
    parameter_count: int
    nbytes: int
    dtype: str
    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    max_positions: int
    projections: tuple[str, ...]
    max_rank: int
    mask_token: str
    mask_token_id: int
    eos_token: str
    eos_token_id: int
    other_stops: tuple[Token, ...] = ()
    system_prompt: str
    has_chat_template: bool
    compile_seconds: float = 0.0  # 0: its kernels are not compiled
    warnings: tuple[str, ...] = ()  # what is odd about its files, in a sentence each

    @property
    def stop_tokens(self) -> tuple[str, ...]:
        return (self.eos_token, *(text for text, _ in self.other_stops))

    @property
    def stop_token_ids(self) -> tuple[int, ...]:
        return (self.eos_token_id, *(id for _, id in self.other_stops))

    kernels: tuple[MatrixKernel, ...] = ()  # empty where none were chosen: on CUDA, and in half precision


@dataclass(frozen=True, kw_only=True)
class LoadProgress:
    """`phase` is download | convert | read | place; `done` and `total` count bytes (total 0: not known)."""

    phase: str
    done: int
    total: int


# --- text and data --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str

    def __post_init__(self) -> None:
        check_choice("role", self.role, ("system", "user", "assistant"))


@dataclass(frozen=True, kw_only=True)
class Example:
    """One training or validation example. `id` keys its noise; it is the row number unless the data gives one."""

    id: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, kw_only=True)
class HubDataset:
    """A split of a data set on the hub. Empty: the default configuration or revision; `max_examples` 0: all."""

    name: str
    config: str
    split: str
    revision: str
    hub_token: str
    max_examples: int


@dataclass(frozen=True, kw_only=True)
class WindowSpec:
    """How examples become token windows (METHOD §2). `window` in tokens, prompt and answer and tail together."""

    window: int = 256
    pad_to_window: bool = True  # pad with EOS; the tail is visible and part of the answer
    too_long: Literal["drop", "truncate", "error"] = "drop"
    max_prompt_tokens: int = 0  # 0: no limit of its own
    supervise: Literal["last", "all-assistant"] = "last"
    allow_special: bool = False  # control tokens that a message writes out are those tokens, not text

    def __post_init__(self) -> None:
        check_whole("windowTokens", self.window, low=2, high=MAX_TOKENS)
        check_choice("tooLong", self.too_long, ("drop", "truncate", "error"))
        check_whole("maxPromptTokens", self.max_prompt_tokens, low=0, high=MAX_TOKENS)
        check_choice("superviseTurns", self.supervise, ("last", "all-assistant"))


@dataclass(frozen=True, kw_only=True)
class WindowReport:
    """What became of a data set's examples; nothing is dropped or cut without being counted here."""

    examples: int
    kept: int
    dropped: int
    truncated: int
    prompt_tokens: int
    answer_tokens: int  # the token that ends an answer included, the tail not
    tail_tokens: int
    special_tokens: int = 0  # that messages write out
    mask_tokens: int = 0  # in the answers' own text, where the mask is ordinary text
    end_token: str = ""  # that each answer ends with, and its tail is made of
    end_token_id: int = 0


@dataclass(frozen=True, kw_only=True)
class PreparedExample:
    """Token ids of one example's window. `answer` marks the positions that are noised (tail included), `tail` the EOS padding."""

    id: int
    ids: tuple[int, ...]
    answer: tuple[bool, ...]
    tail: tuple[bool, ...]


# --- adapters -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AdapterSpec:
    """A LoRA adapter (arXiv 2106.09685): W x + (alpha / rank) · B A x on each targeted projection of every layer."""

    rank: int
    alpha: float
    targets: tuple[str, ...]
    dropout: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("rank", self.rank, low=1)
        check_number("alpha", self.alpha, above=0)
        check_number("dropout", self.dropout, low=0, below=1)
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        if not self.targets or len(set(self.targets)) < len(self.targets):
            raise invalid_option(
                "targets",
                list(self.targets),
                "it must name each projection once",
                'Give for instance ["q_proj", "v_proj"].',
            )


@dataclass(frozen=True, kw_only=True)
class AdapterInfo:
    id: str
    base_id: str
    spec: AdapterSpec
    parameter_count: int
    nbytes: int  # weights, gradients and optimizer state now held
    steps: int  # optimizer steps taken
    last_sequence: int = 0  # number of its last primitive; 0: none yet


# --- training -------------------------------------------------------------------------------------------------------

NoiseKind = Literal["lad", "mask-only", "cover", "uniform", "none"]


@dataclass(frozen=True, kw_only=True)
class NoiseSpec:
    """Structural noise of METHOD §3. The defaults are the method's."""

    kind: NoiseKind = "lad"
    tail_noise: bool = True  # False: the EOS tail stays clean and visible
    full_mask_probability: float = 0.1
    mask_probability: float = 0.5
    max_mask_fraction: float = 0.5
    swap_scale: float = 0.25
    duplicate_scale: float = 0.25
    shift_scale: float = 0.25
    max_span: int = 3
    max_shift: int = 4
    min_time: float = 1e-3  # t_min of mask-only and uniform

    def __post_init__(self) -> None:
        check_choice("noise", self.kind, ("lad", "mask-only", "cover", "uniform", "none"))
        check_number("noise.fullMaskProbability", self.full_mask_probability, low=0, high=1)
        check_number("noise.maskProbability", self.mask_probability, low=0, high=1)
        check_number("noise.maxMaskFraction", self.max_mask_fraction, low=0, high=1)
        check_number("noise.swapScale", self.swap_scale, low=0, high=1)
        check_number("noise.duplicateScale", self.duplicate_scale, low=0, high=1)
        check_number("noise.shiftScale", self.shift_scale, low=0, high=1)
        check_whole("noise.maxSpan", self.max_span, low=1, high=MAX_TOKENS)
        check_whole("noise.maxShift", self.max_shift, low=1, high=MAX_TOKENS)
        check_number("noise.minTime", self.min_time, above=0, high=1)


@dataclass(frozen=True, kw_only=True)
class LossSpec:
    """METHOD §4: which tokens are supervised and how they are weighted."""

    supervise: Literal["all-tokens", "all-answer-tokens", "corrupted-answer-tokens"] = "all-tokens"
    tail: bool = True  # supervise the EOS tail
    weighting: Literal["uniform", "inverse-time"] = "uniform"  # inverse-time: LLaDA's 1/t, masked-only losses

    def __post_init__(self) -> None:
        check_choice(
            "loss.supervise", self.supervise, ("all-tokens", "all-answer-tokens", "corrupted-answer-tokens")
        )
        check_choice("loss.weighting", self.weighting, ("uniform", "inverse-time"))


@dataclass(frozen=True, kw_only=True)
class OptimizerSpec:
    """AdamW (arXiv 1711.05101), or Muon on the LoRA matrices. Learning rates come from the schedule."""

    kind: Literal["adamw", "muon"] = "adamw"
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    momentum: float = 0.95  # Muon
    newton_schulz_steps: int = 5  # Muon

    def __post_init__(self) -> None:
        check_choice("optimizer", self.kind, ("adamw", "muon"))
        check_number("optimizer.weightDecay", self.weight_decay, low=0)
        check_number("optimizer.beta1", self.beta1, low=0, below=1)
        check_number("optimizer.beta2", self.beta2, low=0, below=1)
        check_number("optimizer.epsilon", self.epsilon, above=0)
        check_number("optimizer.momentum", self.momentum, low=0, below=1)
        check_whole("optimizer.newtonSchulzSteps", self.newton_schulz_steps, low=1, high=100)


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec:
    """Learning rate at step k (from 0): linear warm-up, then the decay to `final_fraction` of the peak, reached as the run ends."""

    learning_rate: float = 1e-5
    warmup_steps: int = 100
    decay: Literal["cosine", "linear", "constant"] = "cosine"
    final_fraction: float = 0.0

    def __post_init__(self) -> None:
        check_number("learningRate", self.learning_rate, low=0)
        check_whole("warmupSteps", self.warmup_steps, low=0)
        check_choice("decay", self.decay, ("cosine", "linear", "constant"))
        check_number("finalFraction", self.final_fraction, low=0, high=1)


@dataclass(frozen=True, kw_only=True)
class ValidationSpec:
    """Validation with noise fixed per example, before the first step, every `every_steps` (0: never), and after the last."""

    dataset_id: str
    max_examples: int = 0  # 0: all
    every_steps: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("validation.maxExamples", self.max_examples, low=0)
        check_whole("validation.everySteps", self.every_steps, low=0)
        check_whole("validation.seed", self.seed, low=0, high=MAX_UINT64)


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
    batch_size: int = 8
    micro_batch_tokens: int = 2048  # a step is split into micro-batches of at most this many tokens
    max_gradient_norm: float = 0.5  # 0: no clipping
    seed: int = 0
    validation: ValidationSpec | None = None
    checkpoint_every_steps: int = 0
    checkpoint: str = ""  # name; written at the end and every `checkpoint_every_steps`
    resume: bool = False  # go on from the checkpoint of that name
    overwrite: bool = False  # replace the checkpoint of that name
    attention: DenoisingAttention = "full"
    gradient_checkpointing: bool = False  # compute activations again in the backward instead of keeping them
    share_weight: float = 1.0  # share of the device while others want it too, relative to theirs

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, low=1, high=2**32 - 1)
        check_whole("batchSize", self.batch_size, low=1, high=2**20)
        check_whole("microBatchTokens", self.micro_batch_tokens, low=1)
        check_number("maxGradientNorm", self.max_gradient_norm, low=0)
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        check_whole("checkpoint.everySteps", self.checkpoint_every_steps, low=0)
        check_choice("attention", self.attention, DENOISING_ATTENTION)
        check_number("shareWeight", self.share_weight, low=MIN_SHARE_WEIGHT, high=MAX_SHARE_WEIGHT)
        if self.attention == "causal-prefix" and self.loss.supervise == "all-tokens":
            raise invalid_option(
                "loss.supervise",
                self.loss.supervise,
                "in causal-prefix attention the prompt runs through the unadapted base, which learns nothing",
                "Set loss.supervise to all-answer-tokens or corrupted-answer-tokens.",
            )
        if self.checkpoint:
            check_name("checkpoint.name", self.checkpoint)
        elif self.checkpoint_every_steps or self.resume:
            raise invalid_option(
                "checkpoint.name",
                "",
                "everySteps and resume need a name",
                'Give a name, for instance "run-1".',
            )


@dataclass(frozen=True, kw_only=True)
class TrainingControl:
    """What a training run asks between two steps, from the engine's thread."""

    stopping: Callable[[], bool] = lambda: False  # write the checkpoint, if there is a name for it, and end
    pausing: Callable[[], bool] = lambda: False  # park, holding as little memory as possible


@dataclass(frozen=True, kw_only=True)
class TrainingNeeds:
    """The bytes that training holds beside the base and the adapter's weights."""

    state: int  # gradients and the optimizer's state, for as long as a run is not paused
    activations: int  # of the largest micro-batch, while it is computed
    tokens: int  # of that micro-batch


@dataclass(frozen=True, kw_only=True)
class HeldMemory:
    """Bytes that are held now, storage that is shared counted once."""

    lasting: int  # bases; weights, gradients and optimizer states of adapters
    snapshots: int = (
        0  # weights that no adapter has any more: snapshots keep them, or requests under way read them
    )
    caches: int = 0  # keys and values that works read
    kept: int = 0  # prompts' keys and values that are kept for those who come later
    reserved: int = 0  # not held yet: the copies that adapters make at their next steps because snapshots share their weights

    @property
    def nbytes(self) -> int:
        return self.lasting + self.snapshots + self.caches + self.kept


@dataclass(frozen=True, kw_only=True)
class LossReport:
    """Losses in nats. `loss` is what is optimised; the others are plain means per token over the kinds of token named.

    A mean over no tokens is NaN; `*_tokens` say over how many.
    """

    loss: float
    ce: float  # over supervised tokens
    content_ce: float  # supervised, not tail
    tail_ce: float
    corrupted_ce: float  # input differs from label, tail included
    corrupted_content_ce: float
    tokens: int  # all tokens computed
    supervised_tokens: int
    content_tokens: int
    tail_tokens: int
    corrupted_tokens: int
    corrupted_content_tokens: int


@dataclass(frozen=True, kw_only=True)
class TrainingStarted:
    report: WindowReport
    validation_report: WindowReport | None
    trainable_parameters: int
    accounted_bytes: int
    from_step: int
    warnings: tuple[str, ...] = ()  # what the caller should know, in a sentence each


@dataclass(frozen=True, kw_only=True)
class StepEvent:
    step: int  # from 1: steps taken
    epoch: float
    report: LossReport
    gradient_norm: float  # before clipping
    learning_rate: float
    seconds: float  # of this step
    tokens_per_second: float


@dataclass(frozen=True, kw_only=True)
class ValidationEvent:
    step: int
    report: LossReport


@dataclass(frozen=True, kw_only=True)
class CheckpointEvent:
    step: int
    name: str


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome:
    steps: int
    report: LossReport | None  # of the last step
    validation: LossReport | None  # the last one
    seconds: float
    tokens_per_second: float  # of the training steps alone


# --- training primitives --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TargetedSequence:
    """One sequence of the caller's own making: what stands at each position, what is predicted there, with what weight.

    A target of -1 supervises nothing. Weights are float32 values. In the attention modes `prefix` and `causal-prefix` the
    first `prompt_tokens` are the prompt.
    """

    ids: tuple[int, ...]
    targets: tuple[int, ...]
    weights: tuple[float, ...]
    prompt_tokens: int = 0

    def __post_init__(self) -> None:
        check_whole("promptTokens", self.prompt_tokens, low=0, high=len(self.ids))
        for option, values in (("targets", self.targets), ("weights", self.weights)):
            if len(values) != len(self.ids):
                raise invalid_option(
                    option,
                    len(values),
                    f"a sequence of {len(self.ids)} ids needs as many",
                    "Give one for each id.",
                )
        if not self.ids:
            raise invalid_option("ids", [], "the sequence is empty", "Give at least one token.")
        if not all(map(math.isfinite, self.weights)):
            raise invalid_option("weights", "NaN or infinite", "they must be finite", "Give finite numbers.")


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
class OptimStepResult:
    gradient_norm: float  # before clipping
    step: int  # optimizer steps taken by this adapter


# --- sampling -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DrawSpec:
    """How one token is drawn from logits: temperature 0 is the arg-max; top_k 0 and top_p 1 leave the distribution whole.

    In this order: `eos_bias`, confidence of the unfiltered distribution, temperature, top-k, top-p, the draw. `inverse-cdf`
    takes one uniform number a position, `gumbel` (LLaDA's Gumbel-max) one for each vocabulary entry.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    method: Literal["inverse-cdf", "gumbel"] = "inverse-cdf"
    confidence: Literal["unfiltered", "filtered"] = "unfiltered"
    eos_bias: float = 0.0  # added to the logits of the stop tokens (−inf forbids them)

    def __post_init__(self) -> None:
        check_number("temperature", self.temperature, low=0)
        check_whole("topK", self.top_k, low=0)
        check_number("topP", self.top_p, above=0, high=1)
        check_choice("drawMethod", self.method, ("inverse-cdf", "gumbel"))
        check_choice("confidence", self.confidence, ("unfiltered", "filtered"))
        if self.eos_bias != -math.inf:
            check_number("eosBias", self.eos_bias)


@dataclass(frozen=True, kw_only=True)
class RemaskSpec:
    """Scheduled denoising with re-masking (METHOD §6.1).

    `retention` says what becomes of a position that an iteration did not re-mask: `none`, it may be re-masked later;
    `editable`, it is never MASK again, but its token is sampled anew in every iteration; `locked`, its token is final.
    """

    schedule: Literal["exponential", "linear"] = "exponential"
    sharpness: float = 5.0
    noise_start: float = 1.0
    positions: Literal["random", "clustered", "confidence"] = "random"
    min_guidance_weight: float = 0.1
    cluster_span: int = 4  # mean length of a cluster, in tokens
    retention: Literal["none", "editable", "locked"] = "none"

    def __post_init__(self) -> None:
        check_choice("schedule", self.schedule, ("exponential", "linear"))
        check_number("sharpness", self.sharpness, above=0)
        check_number("noiseStart", self.noise_start, low=0, high=1)
        check_choice("positions", self.positions, ("random", "clustered", "confidence"))
        check_number("minGuidanceWeight", self.min_guidance_weight, above=0, high=1)
        check_whole("clusterSpan", self.cluster_span, low=1)
        check_choice("retention", self.retention, ("none", "editable", "locked"))


@dataclass(frozen=True, kw_only=True)
class LladaSpec:
    """LLaDA's fixed budget (arXiv 2502.09992): each step commits its share of the most confident masks, for good."""

    block_tokens: int = 0  # 0: one block
    guidance_scale: float = 0.0  # classifier-free guidance
    eos_confidence_off: bool = False  # a stop token never wins by confidence

    def __post_init__(self) -> None:
        check_whole("blockTokens", self.block_tokens, low=0)
        check_number("guidanceScale", self.guidance_scale, low=0)


@dataclass(frozen=True, kw_only=True)
class SamplingSpec:
    """One denoising (or autoregressive) run over canvases of prompt + `answer_tokens` positions.

    `iterations` counts forwards of remask, refine and llada (which needs no more than it has positions) for each canvas; `ar`
    takes one forward a token.
    """

    mode: Literal["remask", "refine", "llada", "ar"]
    answer_tokens: int
    iterations: int = 32
    draw: DrawSpec = DrawSpec()
    remask: RemaskSpec = RemaskSpec()
    llada: LladaSpec = LladaSpec()
    early_stop: bool = True  # remask, refine: stop when three consecutive iterations sample the same answer
    grow_tokens: int = 0  # >0: begin with so many MASKs, append as many per iteration, up to answer_tokens
    frames: bool = True  # False: only the result
    attention: DenoisingAttention = (
        "full"  # of remask, refine and llada; the adapter's should be trained in it
    )
    canvas_tokens: int = 0  # >0: denoise so many positions at once, each canvas behind the finished ones
    share_weight: float = 1.0  # share of the device while others want it too, relative to theirs

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, ("remask", "refine", "llada", "ar"))
        check_whole("answerTokens", self.answer_tokens, low=1)
        check_whole("iterations", self.iterations, low=1, high=2**32 - 1)
        check_whole("growTokens", self.grow_tokens, low=0)
        check_choice("attention", self.attention, DENOISING_ATTENTION)
        check_whole("canvasTokens", self.canvas_tokens, low=0)
        check_number("shareWeight", self.share_weight, low=MIN_SHARE_WEIGHT, high=MAX_SHARE_WEIGHT)
        if self.grow_tokens and self.mode in ("llada", "ar"):
            raise invalid_option(
                "growTokens",
                self.grow_tokens,
                f"mode {self.mode} has no growing canvas",
                "Leave it out, or use mode remask or refine.",
            )
        if self.grow_tokens and 0 < self.canvas_tokens < self.answer_tokens:
            raise invalid_option(
                "growTokens",
                self.grow_tokens,
                f"an answer that goes canvas by canvas (canvasTokens {self.canvas_tokens}) has canvases of fixed size",
                "Leave out growTokens or canvasTokens.",
            )
        canvas_tokens = min(self.canvas_tokens or self.answer_tokens, self.answer_tokens)
        blocks = -(-canvas_tokens // (self.llada.block_tokens or canvas_tokens))
        if self.mode == "llada" and self.iterations < blocks:
            raise invalid_option(
                "iterations",
                self.iterations,
                f"{blocks} blocks need at least one iteration each",
                f"Give at least {blocks}, or a larger blockTokens.",
            )


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """What one sampler starts from: prompt token ids and a seed. The same canvas gives the same answer in any company."""

    prompt: tuple[int, ...]
    seed: int

    def __post_init__(self) -> None:
        check_whole("seed", self.seed, low=0, high=2**64 - 1)


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A canvas whose prompt is still to be rendered with the base's template."""

    messages: tuple[Message, ...]
    seed: int
    allow_special: bool = False  # as in WindowSpec

    def __post_init__(self) -> None:
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        if not self.messages:
            raise invalid_option("messages", [], "the chat is empty", "Give at least one message.")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One answer position (from 0) that an iteration touched: what stood in the input, what was sampled, what stands now.

    Touched means: MASK in the input, another token sampled, or MASK in the next input. So the next input is the last one
    with every edit written into it: MASK where `remasked`, else `new` (and MASK at the positions that a canvas grows by).
    """

    position: int
    old: int  # the mask token where the input showed MASK, or nothing yet (ar)
    new: int
    confidence: float  # probability of the sampled token
    remasked: bool  # the next input shows MASK here
    kept: bool  # retained from re-masking (editable, locked), or committed for good (llada, ar)


@dataclass(frozen=True, kw_only=True)
class FrameEvent:
    """One iteration of one canvas. `answer` is what was sampled at every position, before re-masking."""

    canvas: int
    iteration: int  # from 0
    iterations: int
    edits: tuple[Edit, ...]
    answer: tuple[int, ...]
    masked: int  # MASK positions of the next input


@dataclass(frozen=True, kw_only=True)
class AnswerEvent:
    """One canvas is done. `ids` is the answer up to and without its first stop token; `canvas_ids` all answer positions."""

    canvas: int
    ids: tuple[int, ...]
    canvas_ids: tuple[int, ...]
    text: str
    iterations: int  # forwards computed
    stopped: Literal["iterations", "settled", "eos", "length"]


@dataclass(frozen=True, kw_only=True)
class SamplingOutcome:
    canvases: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class PredictSpec:
    """One forward over canvases. Draws are keyed by (seed, iteration, position), as in a run's iteration of that number.

    In mode `causal` the prediction at a position is of the token that follows it.
    """

    draw: DrawSpec = DrawSpec()
    iteration: int = 0
    top: int = 0  # how many most probable tokens to return beside the sampled one
    logits: bool = False
    mode: AttentionMode = "full"
    guidance_scale: float = 0.0  # >0: classifier-free guidance against the canvas with a masked prompt

    def __post_init__(self) -> None:
        check_whole("iteration", self.iteration, low=0, high=2**32 - 1)
        check_whole("top", self.top, low=0)
        check_choice("attention", self.mode, ATTENTION_MODES)
        check_number("guidanceScale", self.guidance_scale, low=0)


@dataclass(frozen=True, kw_only=True)
class PredictCanvas:
    """Token ids of a whole canvas; positions `answer_start`… are predicted. Draw number p is keyed by its offset there."""

    ids: tuple[int, ...]
    answer_start: int
    seed: int

    def __post_init__(self) -> None:
        check_whole("seed", self.seed, low=0, high=2**64 - 1)
        check_whole("answerStart", self.answer_start, low=0, high=len(self.ids) - 1)


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Per answer position: sampled id, its confidence, entropy in nats.

    `top_*` are [positions × top], most probable first, lower id on ties; `logits` [positions × V] little-endian float32.
    """

    ids: tuple[int, ...]
    confidences: tuple[float, ...]
    entropies: tuple[float, ...]
    top_ids: tuple[int, ...]
    top_probabilities: tuple[float, ...]
    logits: bytes


# --- scoring --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ScoreItem:
    """log p(continuation | prompt) under a causal model; both are token ids.

    A continuation ends with its first stop token: that one counts, what follows it does not.
    """

    prompt: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Score:
    """Log-likelihoods in nats, one per continuation token up to the first stop token; `greedy`: every one was the arg-max."""

    log_likelihood: float
    token_log_likelihoods: tuple[float, ...]
    greedy: bool


# --- runs -----------------------------------------------------------------------------------------------------------

RunKind = Literal["training", "sampling"]
RunState = Literal["queued", "running", "paused", "finished", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    id: str
    kind: RunKind
    state: RunState
    base_id: str
    adapter_id: str  # empty: the base itself
    next_seq: int  # number of the next event
    error: LadError | None


@dataclass(frozen=True, kw_only=True)
class RunPaused:
    steps: int  # optimizer steps taken by then


@dataclass(frozen=True, kw_only=True)
class RunResumed:
    steps: int  # optimizer steps taken by then


@dataclass(frozen=True, kw_only=True)
class RunCancelled:
    steps: int  # optimizer steps or iterations taken by then
