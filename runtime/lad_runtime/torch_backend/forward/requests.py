"""The computations that work requests. Requests of one base and of equal `group` may share a flat batch."""

from dataclasses import dataclass

from torch import Tensor

from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from lad_runtime.torch_backend.kernels.frozen_head_loss import SoftRows
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.work import Request, ResultT_co


@dataclass(frozen=True, kw_only=True)
class _Forward(Request[ResultT_co]):
    """Segments that go through the model."""

    segments: tuple[Segment, ...]

    @property
    def tokens(self) -> int:
        return sum(len(segment.ids) for segment in self.segments)

    @property
    def cost(self) -> int:
        return self.tokens

    @property
    def group(self) -> str:
        return "inference"


@dataclass(frozen=True, kw_only=True)
class _Supervised(_Forward[tuple[Tensor, ...]]):
    """`targets[i]` [L] int64 are the ids that segment i should predict at the same position, or IGNORE_INDEX. With `soft`,
    segment i has a distribution for each of its L tokens, all of them of equally many ids.

    Result: the unweighted losses in nats of every segment on the CPU, float32, 0 where unsupervised: the CE [L]; with `soft` the CE
    and the soft targets' loss, [2, L].
    """

    targets: tuple[Tensor, ...]
    soft: tuple[SoftRows, ...] = ()

    def __post_init__(self) -> None:
        assert _lengths(self.targets) == _lengths(self.ids), "one target for each token"
        if self.soft:
            given = [len(soft.label_share_R) for soft in self.soft]
            assert given == _lengths(self.ids), "one distribution for each token"
            assert len({soft.ids_RK.shape[1] for soft in self.soft}) == 1, "equally many ids"

    @property
    def ids(self) -> tuple[Tensor, ...]:
        return tuple(segment.ids for segment in self.segments)

    @property
    def soft_width(self) -> int:
        """How many ids a distribution has; 0: labels alone."""
        return self.soft[0].ids_RK.shape[1] if self.soft else 0

    def assert_predictable(self, vocab_size: int) -> None:
        """Every target is one of the vocabulary's ids, or none."""
        for target in self.targets:
            in_range = (target >= IGNORE_INDEX) & (target < vocab_size)
            assert bool(in_range.all()), f"the vocabulary has ids 0 to {vocab_size - 1}"


@dataclass(frozen=True, kw_only=True)
class GradientRequest(_Supervised):
    """Gradients of Σ weight · loss over all supervised tokens, added to `.grad` of every segment's adapter parameters.

    `weights[i]` [L] float32 are the weights of segment i's tokens.
    """

    weights: tuple[Tensor, ...]
    checkpointing: bool = False  # compute a layer's activations again in the backward instead of keeping them

    def __post_init__(self) -> None:
        super().__post_init__()
        assert _lengths(self.weights) == _lengths(self.ids), "one weight for each token"

    @property
    def cost(self) -> int:
        """A frozen weight takes 2 FLOP a token in the forward, 2 in the backward, and 2 in a recomputed forward."""
        return (3 if self.checkpointing else 2) * self.tokens

    @property
    def group(self) -> str:
        kind = "checkpointed gradient" if self.checkpointing else "gradient"
        return f"{kind} of {self.soft_width} soft targets" if self.soft else kind


@dataclass(frozen=True, kw_only=True)
class LossRequest(_Supervised):
    """The losses of a `GradientRequest`, without gradients."""


@dataclass(frozen=True, kw_only=True)
class LogitsRequest(_Forward[tuple[Tensor, ...]]):
    """Scores of the vocabulary at some tokens of every segment: `rows[i]` [R] int64 are positions within segment i.

    Result: one tensor [R, V] float32 for each segment, on the model's device.
    """

    rows: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        for segment, rows in zip(self.segments, self.rows, strict=True):
            within = rows.numpy()  # many times as fast as torch for the few rows that there are
            assert not within.size or (within.min() >= 0 and within.max() < len(segment.ids)), (
                "rows are positions within the segment"
            )


@dataclass(frozen=True, kw_only=True)
class HiddenRequest(_Forward[tuple[Tensor, ...]]):
    """The hidden states at some tokens of every segment, whose scores a `HeadRequest` asks for: `rows[i]` [R] int64 are positions
    within segment i.

    Result: one tensor [R, D] for each segment, on the model's device.
    """

    rows: tuple[Tensor, ...]


@dataclass(frozen=True, kw_only=True)
class DistributionRequest(_Forward[tuple[tuple[Tensor, Tensor], ...]]):
    """The most probable tokens at some tokens of every segment: `rows[i]` [R] int64 are positions within segment i.

    `before[i]` [1, D], where it is not None, is the hidden state of the token before the segment, computed earlier; its
    distribution comes first. Result: for each segment ids [R, `count`] int64 and probabilities [R, `count`] float32 that sum to 1,
    on the CPU.
    """

    rows: tuple[Tensor, ...]
    before: tuple[Tensor | None, ...]
    count: int


@dataclass(frozen=True, kw_only=True)
class ContextRequest(_Forward[None]):
    """Fills caches with their segments' tokens; the hidden states are not returned. Result: None.

    Several requests may fill the same cache: a segment whose cache has been filled meanwhile is not computed again.
    """

    ends: tuple[int, ...]  # the length of each segment's filled cache

    @classmethod
    def of(cls, *segments: Segment) -> "ContextRequest":
        assert all(segment.cache is not None for segment in segments)
        return cls(segments=segments, ends=tuple(segment.end for segment in segments))

    @property
    def missing(self) -> list[Segment]:
        """The segments whose caches are not filled yet."""
        pairs = zip(self.segments, self.ends, strict=True)
        return [segment for segment, end in pairs if segment.cache and segment.cache.length < end]


@dataclass(frozen=True, kw_only=True)
class HeadRequest(Request[Tensor]):
    """Scores of the vocabulary for hidden states computed before. Result: [R, V] float32 on the model's device."""

    hidden_RD: Tensor
    segments: tuple[Segment, ...] = ()

    @property
    def tokens(self) -> int:
        return len(self.hidden_RD)

    @property
    def cost(self) -> int:
        return self.tokens

    @property
    def group(self) -> str:
        return "inference"


@dataclass(frozen=True, kw_only=True)
class HostRequest(Request[None]):
    """A turn for the job's own computation on the host, over about so many tokens. Result: None."""

    next_tokens: int
    segments: tuple[Segment, ...] = ()

    @property
    def tokens(self) -> int:
        return self.next_tokens

    @property
    def cost(self) -> int:
        """Noise and targets of a token take a fifth of a forward through `stub`, a fiftieth through `tiny`."""
        return -(-self.tokens // 4)

    @property
    def group(self) -> str:
        return "host"


ForwardRequest = (
    GradientRequest
    | LossRequest
    | LogitsRequest
    | HiddenRequest
    | DistributionRequest
    | ContextRequest
    | HeadRequest
    | HostRequest
)


def _lengths(values: tuple[Tensor, ...]) -> list[int]:
    return [len(value) for value in values]
