"""Sampling runs, single forwards, and what comes of them."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from lad_runtime.checks import check_choice, check_count, check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.answer_end import MAX_STOP_CHARACTERS, MAX_STOP_STRINGS
from lad_runtime.method.policy import PolicySpec
from lad_runtime.method.random import CanvasKey
from lad_runtime.method.random_split import CONTEXTS, Context, check_context
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
from lad_runtime.types.sampling_state import SamplingState
from lad_runtime.types.task import ReadingTask, Task
from lad_runtime.types.work import Event


@dataclass(frozen=True, kw_only=True)
class DrawSpec:
    """How one token is drawn from logits: temperature 0 is the arg-max; top_k 0 and top_p 1 leave the distribution whole.

    In this order: MASK and `eos_bias`, confidence of the unfiltered distribution, temperature, top-k, top-p, the draw.
    `inverse-cdf` takes one uniform number a position, `gumbel` (LLaDA's Gumbel-max) one for each vocabulary entry.
    """

    temperature: float
    top_k: int
    top_p: float
    method: Literal["inverse-cdf", "gumbel"]
    confidence: Literal["unfiltered", "filtered"]
    eos_bias: float  # added to the logits of the stop tokens (−inf forbids them)
    allow_mask: bool  # False: MASK's logit is −inf

    def __post_init__(self) -> None:
        check_number("temperature", self.temperature, low=0)
        check_whole("topK", self.top_k, low=0)
        check_number("topP", self.top_p, above=0, high=1)
        check_choice("drawMethod", self.method, ("inverse-cdf", "gumbel"))
        check_choice("confidence", self.confidence, ("unfiltered", "filtered"))
        if self.eos_bias != -math.inf:
            check_number("eosBias", self.eos_bias)


@dataclass(frozen=True, kw_only=True)
class AnswerSize:
    """The positions of one answer: `answer_tokens`, or as many as `window_tokens` has left behind its prompt, if those are more."""

    answer_tokens: int
    window_tokens: int  # 0: none

    def __post_init__(self) -> None:
        _check_size(self.answer_tokens, self.window_tokens)


@dataclass(frozen=True, kw_only=True)
class SamplingSpec:
    """One run over canvases of prompt and answer. `sized` says how many positions an answer has."""

    policy: PolicySpec
    answer_tokens: int
    window_tokens: int  # >0: answers have the positions that it has left behind the prompt, if those are more
    draw: DrawSpec
    frames: bool  # False: only the result
    attention: DenoisingAttention  # of policies that denoise or draft; the adapter's should be trained in it
    context: Context  # random-split: the last finished token opens the next canvas, visible; prompt: all are its past
    canvas_tokens: int  # >0: denoise so many positions at once, each canvas behind the finished ones; draft from so many MASKs
    share_weight: float  # share of the device while others want it too, relative to theirs
    pad_tokens: tuple[str, ...]  # what the adapter's tails were filled with, as in WindowSpec
    stop: tuple[str, ...]  # strings before the first of which the answer's text ends
    total_tokens: int  # >0: of a prompt and its answer together, at most, where the run's size holds

    def __post_init__(self) -> None:
        _check_size(self.answer_tokens, self.window_tokens)
        _check_stop(self.stop)
        check_choice("attention", self.attention, DENOISING_ATTENTION)
        check_choice("context", self.context, CONTEXTS)
        check_context(self.context, self.attention)
        check_whole("canvasTokens", self.canvas_tokens, low=0)
        check_whole("totalTokens", self.total_tokens, low=0)
        check_number("shareWeight", self.share_weight, low=MIN_SHARE_WEIGHT, high=MAX_SHARE_WEIGHT)
        self.policy.check_attention(self.attention)
        if not self.window_tokens:
            self.policy.check_answer(self.answer_tokens, min(self.most_at_once, self.answer_tokens))

    def sized(self, prompt_tokens: int, size: AnswerSize | None) -> "SamplingSpec":
        """The settings of an answer behind a prompt of so many tokens; its size is `size` or the run's.

        Raises INVALID_OPTION if its window, or the total of prompt and answer, has no room for any.
        """
        if size is not None:
            own = replace(
                self,
                answer_tokens=size.answer_tokens,
                window_tokens=size.window_tokens,
                total_tokens=0,
            )
            return own.sized(prompt_tokens, None)
        if self.total_tokens:
            return self._within(prompt_tokens).sized(prompt_tokens, None)
        if not self.window_tokens:
            return self
        answer_tokens = max(self.answer_tokens, self.window_tokens - prompt_tokens)
        if answer_tokens < 1:
            raise invalid_option(
                "answerTokens",
                "left out",
                f"the prompt takes {prompt_tokens} tokens, and the adapter was trained in windows of {self.window_tokens}",
                "Give answerTokens, or a shorter prompt.",
            )
        return replace(self, answer_tokens=answer_tokens, window_tokens=0)

    def _within(self, prompt_tokens: int) -> "SamplingSpec":
        """The settings of an answer that the total leaves room for behind a prompt of so many tokens."""
        room = self.total_tokens - prompt_tokens
        if room < 1:
            raise invalid_option(
                "totalTokens",
                self.total_tokens,
                f"the prompt takes {prompt_tokens} tokens, and leaves none for an answer",
                "Give a shorter prompt, or more tokens.",
            )
        return replace(
            self,
            answer_tokens=min(self.answer_tokens, room),
            window_tokens=min(self.window_tokens, self.total_tokens),
            total_tokens=0,
        )

    @property
    def most_at_once(self) -> int:
        """Answer positions of each canvas; the last canvas may have fewer."""
        return self.canvas_tokens or self.answer_tokens


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """What one sampler starts from: prompt token ids and a seed. The same canvas gives the same answer in any company.

    A canvas without a seed uses the seed 0 and its number in the run, so that equal prompts get different answers.
    """

    prompt: tuple[int, ...]
    seed: int | None
    begin: SamplingState | None  # None: from MASKs alone
    size: AnswerSize | None  # None: its run's

    def __post_init__(self) -> None:
        _check_seed(self.seed)

    def key(self, number: int) -> CanvasKey:
        if self.begin is not None and self.begin.key is not None:
            return self.begin.key
        return _key(self.seed, number)


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A canvas whose prompt is still to be rendered with the base's template."""

    messages: tuple[Message, ...]
    seed: int | None
    begin: SamplingState | None
    size: AnswerSize | None
    allow_special: bool  # as in WindowSpec

    def __post_init__(self) -> None:
        _check_seed(self.seed)
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
class SpeculationRound:
    """One draft and its check. The tokens of the answer that follow the accepted ones are the base's own."""

    drafted: tuple[int, ...]  # of a new draft, or what is left of the last one
    accepted: int  # of the first drafted ones


@dataclass(frozen=True, kw_only=True)
class Speculation:
    """What an answer of self-speculation took, beside the prompt's forward, which gives its first token."""

    rounds: int
    draft_forwards: int
    check_forwards: int
    drafted: int  # up to the first stop token of each draft; each token once, however often it was checked
    accepted: int  # tokens of the answer that were drafted


@dataclass(frozen=True, kw_only=True)
class FrameEvent(Event):
    """One iteration of one canvas. `answer` is what was sampled at every position, before re-masking."""

    canvas: int
    iteration: int  # from 0
    iterations: int
    edits: tuple[Edit, ...]
    answer: tuple[int, ...]
    masked: int  # MASK positions of the next input
    state: (
        SamplingState | None
    )  # from which a run goes on as this one; None: of a policy that does not denoise
    speculation: SpeculationRound | None = None


@dataclass(frozen=True, kw_only=True)
class AnswerEvent(Event):
    """One canvas is done. `ids` is the answer up to and without its first stop token, or as far as its text goes before a stop
    string; `canvas_ids` all answer positions."""

    canvas: int
    ids: tuple[int, ...]
    canvas_ids: tuple[int, ...]
    text: str
    iterations: int  # forwards computed
    stopped: Literal["iterations", "settled", "eos", "length", "stop"]
    pinned: tuple[int, ...]  # positions
    speculation: Speculation | None = None
    stop: str | None = None  # the stop string that it ended before


@dataclass(frozen=True, kw_only=True)
class SamplingOutcome:
    canvases: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class PredictSpec:
    """One forward over canvases. Draws are keyed by (seed, canvas, iteration, position), as in a run's iteration of that number.

    In mode `causal` the prediction at a position is of the token that follows it.
    """

    draw: DrawSpec
    iteration: int
    top: int  # how many most probable tokens to return beside the sampled one
    logits: bool
    mode: AttentionMode
    guidance_scale: float  # >0: classifier-free guidance against the canvas with a masked prompt

    def __post_init__(self) -> None:
        check_whole("iteration", self.iteration, low=0, high=2**32 - 1)
        check_whole("top", self.top, low=0)
        check_choice("attention", self.mode, ATTENTION_MODES)
        check_number("guidanceScale", self.guidance_scale, low=0)


@dataclass(frozen=True, kw_only=True)
class PredictCanvas:
    """Token ids of a whole canvas; positions `answer_start`… are predicted. Draw number p is keyed by its offset there.

    A canvas without a seed uses the seed 0 and its number in the request.
    """

    ids: tuple[int, ...]
    answer_start: int
    seed: int | None
    stop_from: int  # stop tokens are sampled only from this answer position on

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        check_whole("stopFrom", self.stop_from, low=0, high=2**32 - 1)
        check_whole("answerStart", self.answer_start, low=0, high=len(self.ids) - 1)

    def key(self, number: int) -> CanvasKey:
        return _key(self.seed, number)


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Per answer position: sampled id, its confidence, entropy in nats, the probability of the token in the input.

    `top_*` are [positions × top], most probable first, lower id on ties; `logits` [positions × V] little-endian float32.
    """

    ids: tuple[int, ...]
    confidences: tuple[float, ...]
    entropies: tuple[float, ...]
    standing: tuple[float, ...]
    top_ids: tuple[int, ...]
    top_probabilities: tuple[float, ...]
    logits: bytes


@dataclass(frozen=True, kw_only=True)
class SampleTask(Task[AnswerEvent]):
    """One canvas, number `index` of its run: FrameEvents, then its AnswerEvent."""

    canvas: Canvas
    index: int
    spec: SamplingSpec  # its run's

    @cached_property
    def sized(self) -> SamplingSpec:
        """The run's settings for this canvas's answer. Raises INVALID_OPTION if there is no room for any."""
        return self.spec.sized(len(self.canvas.prompt), self.canvas.size)

    @property
    def tokens(self) -> int:
        return len(self.canvas.prompt) + self.sized.answer_tokens


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


def _check_size(answer_tokens: int, window_tokens: int) -> None:
    check_whole("windowTokens", window_tokens, low=0)
    check_whole("answerTokens", answer_tokens, low=0 if window_tokens else 1)


def _check_stop(stop: tuple[str, ...]) -> None:
    check_whole("stop.length", len(stop), low=0, high=MAX_STOP_STRINGS)
    for string in stop:
        if not 1 <= len(string) <= MAX_STOP_CHARACTERS:
            problem = f"a stop string has from 1 to {MAX_STOP_CHARACTERS} characters"
            raise invalid_option("stop", string, problem, "Give such a string, or leave it out.")


def _check_seed(seed: int | None) -> None:
    if seed is not None:
        check_whole("seed", seed, low=0, high=MAX_UINT64)


def _key(seed: int | None, number: int) -> CanvasKey:
    return CanvasKey(seed=0, canvas=number) if seed is None else CanvasKey(seed=seed, canvas=0)
