"""What a piece of work asks to have computed. Requests of one base and of equal `group` may share a flat batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lad_runtime.errors import invalid_option
from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from lad_runtime.torch_backend.model.segment import Segment


@dataclass(frozen=True, kw_only=True)
class _Forward:
    """What every request is: segments that go through the model."""

    segments: tuple[Segment, ...]

    def check(self, *, vocab_size: int, max_positions: int) -> None:
        """Raises LadError on ids and targets that the model does not have, and on sequences longer than it."""
        for segment in self.segments:
            segment.check(vocab_size=vocab_size, max_positions=max_positions)

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
class _Supervised(_Forward):
    """`targets[i]` [L] int64 are the ids that segment i should predict at the same position, or IGNORE_INDEX."""

    targets: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        _check_lengths("targets", self.segments, self.targets)

    def check(self, *, vocab_size: int, max_positions: int) -> None:
        super().check(vocab_size=vocab_size, max_positions=max_positions)
        _check_targets(self.targets, vocab_size)


@dataclass(frozen=True, kw_only=True)
class GradientRequest(_Supervised):
    """Gradients of Σ weight · CE over all supervised tokens, added to `.grad` of every segment's adapter parameters.

    `weights[i]` [L] float32 are what each token of segment i counts. Result: the unweighted CE in nats of every segment, [L]
    float32 on the CPU, 0 where unsupervised.
    """

    weights: tuple[Tensor, ...]
    checkpointing: bool = False  # compute a layer's activations again in the backward instead of keeping them

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_lengths("weights", self.segments, self.weights)

    @property
    def cost(self) -> int:
        """A frozen weight takes 2 FLOP a token in the forward and 2 in the backward, and 2 to compute the forward again."""
        return (3 if self.checkpointing else 2) * self.tokens

    @property
    def group(self) -> str:
        return "checkpointed gradient" if self.checkpointing else "gradient"


@dataclass(frozen=True, kw_only=True)
class LossRequest(_Supervised):
    """The cross-entropies of a `GradientRequest`, without gradients."""


@dataclass(frozen=True, kw_only=True)
class LogitsRequest(_Forward):
    """Scores of the vocabulary at some tokens of every segment: `rows[i]` [R] int64 are positions within segment i.

    Result: one tensor [R, V] float32 for each segment, on the model's device.
    """

    rows: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.segments):
            raise invalid_option(
                "rows", len(self.rows), f"there are {len(self.segments)} segments", "Give one each."
            )
        for segment, rows in zip(self.segments, self.rows, strict=True):
            if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(segment.ids):
                raise invalid_option(
                    "rows",
                    rows.tolist(),
                    f"the segment has {len(segment.ids)} tokens",
                    "Give positions within it.",
                )


@dataclass(frozen=True, kw_only=True)
class ContextRequest(_Forward):
    """Caches filled with their segments' tokens, whose hidden states nobody asks for. Result: None.

    Several works may ask for the same cache: a segment whose cache has come to its end meanwhile is not computed again.
    """

    ends: tuple[int, ...]  # what the length of each segment's cache is to be

    @classmethod
    def of(cls, *segments: Segment) -> "ContextRequest":
        assert all(segment.cache is not None for segment in segments)
        return cls(segments=segments, ends=tuple(segment.end for segment in segments))

    @property
    def missing(self) -> list[Segment]:
        """Segments whose caches are not there yet."""
        pairs = zip(self.segments, self.ends, strict=True)
        return [segment for segment, end in pairs if segment.cache and segment.cache.length < end]

    def check(self, *, vocab_size: int, max_positions: int) -> None:
        for segment in self.missing:
            segment.check(vocab_size=vocab_size, max_positions=max_positions)


@dataclass(frozen=True, kw_only=True)
class HeadRequest:
    """Scores of the vocabulary for hidden states that are there already. Result: [R, V] float32 on the model's device."""

    hidden_RD: Tensor
    segments: tuple[Segment, ...] = ()

    def check(self, *, vocab_size: int, max_positions: int) -> None:
        """Nothing of it can be out of range."""

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
class HostRequest:
    """A turn for what the work does itself next: to make or look at about so many tokens. Result: None."""

    tokens: int
    segments: tuple[Segment, ...] = ()

    def check(self, *, vocab_size: int, max_positions: int) -> None:
        """Nothing of it can be out of range."""

    @property
    def cost(self) -> int:
        """Noise and targets of a token take three quarters of a forward through `stub`, a twentieth through `tiny`."""
        return -(-self.tokens // 4)

    @property
    def group(self) -> str:
        return "host"


ForwardRequest = GradientRequest | LossRequest | LogitsRequest | ContextRequest | HeadRequest | HostRequest


def _check_lengths(option: str, segments: tuple[Segment, ...], values: tuple[Tensor, ...]) -> None:
    lengths, wanted = [len(value) for value in values], [len(segment.ids) for segment in segments]
    if lengths != wanted:
        raise invalid_option(
            option, lengths, f"the segments have {wanted} tokens", "Give one value for each token."
        )
    if option == "weights" and not all(bool(torch.isfinite(value).all()) for value in values):
        raise invalid_option(
            option, "not finite", "every weight must be a finite number", "Check the loss weights."
        )


def _check_targets(targets: tuple[Tensor, ...], vocab_size: int) -> None:
    for target in targets:
        supervised = target[target != IGNORE_INDEX]
        if len(supervised) and not 0 <= int(supervised.min()) <= int(supervised.max()) < vocab_size:
            raise invalid_option(
                "targets",
                supervised.tolist(),
                f"the vocabulary has ids 0 to {vocab_size - 1}",
                "Give ids of this base, or −1 for tokens without a loss.",
            )
