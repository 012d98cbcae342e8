"""What a training run would see of a data set."""

from dataclasses import dataclass
from typing import Literal

from lad_runtime.checks import MAX_UINT64, check_whole
from lad_runtime.method.loss_targets import LossSpec, check_loss
from lad_runtime.method.noise import NoiseSpec
from lad_runtime.method.window_spec import WindowSpec

MAX_NOISED = 1_000_000
MAX_SHOWN = 64


@dataclass(frozen=True, kw_only=True)
class InspectDatasetRequest:
    base_id: str
    dataset_id: str
    window: WindowSpec
    noise: NoiseSpec
    loss: LossSpec
    seed: int  # of the run whose first epoch is inspected
    noised_examples: int  # evenly spaced over the data set
    shown_examples: int  # of them

    def __post_init__(self) -> None:
        check_loss(self.loss, self.noise)
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        check_whole("noisedExamples", self.noised_examples, low=1, high=MAX_NOISED)
        check_whole("shownExamples", self.shown_examples, low=0, high=min(MAX_SHOWN, self.noised_examples))


@dataclass(frozen=True, kw_only=True)
class InspectedPart:
    """What becomes of a source's examples. The two reasons are those of the examples that are dropped or truncated."""

    name: str
    examples: int
    kept: int
    dropped: int
    truncated: int
    longer_than_window: int
    prompt_too_long: int  # within the window, with a prompt above its own limit
    prompt_tokens: int
    answer_tokens: int
    tail_tokens: int
    special_tokens: int
    mask_tokens: int


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """In tokens. A quantile is the least length that so many of the examples do not exceed."""

    mean: float
    least: int
    p5: int
    p25: int
    median: int
    p75: int
    p95: int
    p99: int
    most: int
    bin_tokens: int  # bin i: the lengths i · bin_tokens + 1 to (i + 1) · bin_tokens
    bins: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class InspectedNoise:
    """Sums over the noised examples."""

    examples: int
    open_tokens: int  # that the noise may change
    corrupted_tokens: int
    masked_tokens: int
    untouched: int  # examples
    supervised_prompt_tokens: int
    supervised_answer_tokens: int
    supervised_tail_tokens: int
    ends: int  # examples whose last answer has its end in the window
    supervised_ends: int  # those in which the loss counts that end


WindowPart = Literal["prompt", "answer", "tail"]
ShownAs = Literal["clean", "masked", "changed"]


@dataclass(frozen=True, kw_only=True)
class ShownSegment:
    """Consecutive tokens of one part that are shown alike."""

    part: WindowPart
    shown: ShownAs
    supervised: bool
    tokens: int
    text: str
    shown_text: str


@dataclass(frozen=True, kw_only=True)
class InspectedExample:
    row: int
    source: str
    segments: tuple[ShownSegment, ...]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    whole: InspectedPart
    sources: tuple[InspectedPart, ...]
    window_lengths: Lengths  # before anything is cut or left out, as the other two
    prompt_lengths: Lengths
    answer_lengths: Lengths
    noise: InspectedNoise
    shown: tuple[InspectedExample, ...]
    end_token: str
    end_token_id: int
