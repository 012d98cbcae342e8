"""The sequences of one optimizer step, made one after another as they are computed: of however many, few are in memory."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lad_runtime.method.data_order import Draw
from lad_runtime.method.loss_targets import SUPERVISIONS, supervised_positions, targeted
from lad_runtime.method.noise import NoisedExample, apply_noise
from lad_runtime.method.noises.draft import draft_seed, drafted
from lad_runtime.method.random import Purpose
from lad_runtime.method.random_split import Context, seen_in
from lad_runtime.method.row import NoisedRow
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.prefetch import Unwanted
from lad_runtime.types.data import PreparedExample
from lad_runtime.types.training import LossSpec, NoiseSpec

_KEPT_TOKENS = 65_536
"""Noise of so many tokens is kept between counting and computing; what is beyond is drawn again, to the same numbers."""


@dataclass(frozen=True, kw_only=True)
class Noising:
    """How examples become rows: a pure function of each example's id and epoch, and of how many examples a batch counts."""

    base: Base
    noise: NoiseSpec
    loss: LossSpec
    seed: int
    context: Context = "prompt"
    canvas_tokens: int = 0
    purpose: Purpose = Purpose.NOISE

    def seen(self, example: PreparedExample, epoch: int) -> PreparedExample:
        """The example in the run's context."""
        return seen_in(
            example,
            self.context,
            seed=self.seed,
            epoch=epoch,
            purpose=self.purpose,
            canvas_tokens=self.canvas_tokens,
        )

    def corrupt(self, example: PreparedExample, epoch: int) -> NoisedExample:
        info = self.base.info
        return apply_noise(
            example,
            self.noise,
            seed=self.seed,
            epoch=epoch,
            mask_id=info.mask_token_id,
            vocab_size=info.vocab_size,
            purpose=self.purpose,
        )

    def draft_seed(self, example: PreparedExample, epoch: int) -> int | None:
        """Keys the draws of the answer that the model is to draft; None: it is shown as it is noised."""
        return draft_seed(example, self.noise, seed=self.seed, epoch=epoch)

    def drafted(
        self, example: PreparedExample, noised: NoisedExample, canvas_ids: NDArray[np.int32]
    ) -> NoisedExample:
        return drafted(example, noised, self.noise, canvas_ids)

    def row(self, example: PreparedExample, noised: NoisedExample, counted: int) -> NoisedRow:
        sequence = targeted(example, noised, self.loss, counted)
        return NoisedRow(sequence=sequence, example=example, noised=noised, soft=self.loss.soft)


@dataclass(frozen=True, kw_only=True)
class NoisedDraw:
    """One example of a step, as its noise made it."""

    example: PreparedExample
    noised: NoisedExample
    epoch: int


@dataclass(frozen=True, kw_only=True)
class NoisedBatch(Iterable[NoisedRow]):
    """One step's rows, whose weights depend on how many examples of the batch have a loss."""

    noising: Noising
    examples: Sequence[PreparedExample]
    draws: Callable[[], Iterable[Draw]]  # begins anew with each call
    kept: Sequence[tuple[PreparedExample, NoisedExample]]  # of the first draws
    counted: int  # examples of which something is supervised
    drafts: Mapping[int, NDArray[np.int32]] = field(default_factory=dict)
    """By the number of the draw: what the model wrote on its canvas, a token for each position."""

    @classmethod
    def drawn(
        cls,
        noising: Noising,
        examples: Sequence[PreparedExample],
        draws: Callable[[], Iterable[Draw]],
        unwanted: Unwanted,
    ) -> "NoisedBatch":
        """Draws the noise, beside the device's work, and counts."""
        kept: list[tuple[PreparedExample, NoisedExample]] = []
        counted, room = 0, _KEPT_TOKENS
        depends_on_noise = SUPERVISIONS[noising.loss.supervise].corrupted
        for draw in draws():
            if unwanted():
                break
            example, noised = noising.seen(examples[draw.row], draw.epoch), None
            if room > 0 or depends_on_noise:
                noised = noising.corrupt(example, draw.epoch)
            if room > 0 and noised is not None:
                kept.append((example, noised))
                room -= len(example.ids)
            counted += any(supervised_positions(example, noised, noising.loss))
            time.sleep(0)  # the interpreter is the engine's thread's first
        return cls(noising=noising, examples=examples, draws=draws, kept=kept, counted=counted)

    def __iter__(self) -> Iterator[NoisedRow]:
        for index, draw in enumerate(self.noised()):
            noised = draw.noised
            if index in self.drafts:
                noised = self.noising.drafted(draw.example, noised, self.drafts[index])
            yield self.noising.row(draw.example, noised, self.counted)

    def noised(self) -> Iterator[NoisedDraw]:
        """The examples before the model drafts any."""
        for index, draw in enumerate(self.draws()):
            if index < len(self.kept):
                example, noised = self.kept[index]
            else:
                example = self.noising.seen(self.examples[draw.row], draw.epoch)
                noised = self.noising.corrupt(example, draw.epoch)
            yield NoisedDraw(example=example, noised=noised, epoch=draw.epoch)
