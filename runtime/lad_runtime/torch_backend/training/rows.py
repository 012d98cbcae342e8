"""The sequences of one optimizer step, made one after another as they are computed: of however many, few are in memory."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lad_runtime.method.data_order import Draw
from lad_runtime.method.loss_targets import SUPERVISIONS, supervised_positions, targeted
from lad_runtime.method.noise import NoisedExample, apply_noise
from lad_runtime.method.random import Purpose
from lad_runtime.method.row import NoisedRow
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.host_time import HostTime
from lad_runtime.torch_backend.forward.requests import HostRequest
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
    purpose: Purpose = Purpose.NOISE

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

    def row(self, example: PreparedExample, noised: NoisedExample, counted: int) -> NoisedRow:
        sequence = targeted(example, noised, self.loss, counted)
        return NoisedRow(sequence=sequence, example=example, noised=noised)


class NoisedBatch(Iterable[NoisedRow]):
    """One step's rows. A row's weights depend on how many examples of the batch have a loss: `count` has to have run."""

    def __init__(
        self, noising: Noising, examples: Sequence[PreparedExample], draws: Callable[[], Iterable[Draw]]
    ) -> None:
        self._noising = noising
        self._examples = examples
        self._draws = draws  # begins anew with each call
        self._kept: list[tuple[PreparedExample, NoisedExample]] = []  # of the first draws
        self._counted = 0

    def count(self) -> Generator[HostRequest, None, None]:
        """Work that counts the examples of which something is supervised."""
        host, loss = HostTime(), self._noising.loss
        room, depends_on_noise = _KEPT_TOKENS, SUPERVISIONS[loss.supervise].corrupted
        for draw in self._draws():
            example, noised = self._examples[draw.row], None
            yield from host.spend(len(example.ids))
            if room > 0 or depends_on_noise:
                noised = self._noising.corrupt(example, draw.epoch)
            if room > 0 and noised is not None:
                self._kept.append((example, noised))
                room -= len(example.ids)
            self._counted += any(supervised_positions(example, noised, loss))

    def __iter__(self) -> Iterator[NoisedRow]:
        for index, draw in enumerate(self._draws()):
            if index < len(self._kept):
                example, noised = self._kept[index]
            else:
                example = self._examples[draw.row]
                noised = self._noising.corrupt(example, draw.epoch)
            yield self._noising.row(example, noised, self._counted)
