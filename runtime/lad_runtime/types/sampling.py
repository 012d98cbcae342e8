"""Sampling runs, single forwards, and what comes of them."""

import math
from dataclasses import dataclass, field
from typing import Literal

from lad_runtime.checks import check_choice, check_count, check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.policies.specs import LladaSpec as LladaSpec
from lad_runtime.method.policies.specs import RemaskSpec as RemaskSpec
from lad_runtime.types.attention import (
    ATTENTION_MODES,
    DENOISING_ATTENTION,
    AttentionMode,
    DenoisingAttention,
)
from lad_runtime.types.bases import BaseInfo
from lad_runtime.types.data import Message
from lad_runtime.types.limits import (
    MAX_PARTS,
    MAX_REPLY_BYTES,
    MAX_SHARE_WEIGHT,
    MAX_UINT64,
    MIN_SHARE_WEIGHT,
)
from lad_runtime.types.task import ReadingTask, Task
from lad_runtime.types.work import Event


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
class SamplingSpec:
    """One denoising (or autoregressive) run over canvases of prompt + `answer_tokens` positions.

    `iterations` counts forwards of remask, refine and llada (which needs no more than it has positions) for each canvas; `ar`
    takes one forward a token.
    """

    mode: Literal["remask", "refine", "llada", "ar"]
    answer_tokens: int
    iterations: int = 32
    draw: DrawSpec = DrawSpec()
    remask: RemaskSpec = field(default_factory=RemaskSpec)
    llada: LladaSpec = field(default_factory=LladaSpec)
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
    allow_special: bool  # as in WindowSpec

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
class FrameEvent(Event):
    """One iteration of one canvas. `answer` is what was sampled at every position, before re-masking."""

    canvas: int
    iteration: int  # from 0
    iterations: int
    edits: tuple[Edit, ...]
    answer: tuple[int, ...]
    masked: int  # MASK positions of the next input


@dataclass(frozen=True, kw_only=True)
class AnswerEvent(Event):
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


@dataclass(frozen=True, kw_only=True)
class SampleTask(Task[AnswerEvent]):
    """One canvas, number `index` of its run: FrameEvents, then its AnswerEvent."""

    canvas: Canvas
    index: int
    spec: SamplingSpec

    @property
    def tokens(self) -> int:
        return len(self.canvas.prompt) + self.spec.answer_tokens


@dataclass(frozen=True, kw_only=True)
class PredictTask(ReadingTask[tuple[Prediction, ...]]):
    """One forward over each canvas, and a Prediction for each."""

    canvases: tuple[PredictCanvas, ...]
    spec: PredictSpec
    user = "prediction"

    def __post_init__(self) -> None:
        check_count("canvases", len(self.canvases), MAX_PARTS)

    def check(self, info: BaseInfo) -> None:
        positions = sum(len(canvas.ids) - canvas.answer_start for canvas in self.canvases)
        reply_bytes = 4 * positions * (info.vocab_size if self.spec.logits else 2 * self.spec.top)
        if reply_bytes > MAX_REPLY_BYTES:
            raise invalid_option(
                "logits" if self.spec.logits else "top",
                self.spec.logits or self.spec.top,
                f"{positions} positions make {reply_bytes} bytes, and a reply holds {MAX_REPLY_BYTES}",
                "Ask for fewer canvases or answer positions at once.",
            )

    @property
    def parts(self) -> tuple[str, int]:
        return "canvases", len(self.canvases)

    @property
    def tokens(self) -> int:
        return sum(len(canvas.ids) for canvas in self.canvases)
