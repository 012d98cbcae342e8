"""Examples as a run's first epoch shows them: what is corrupted, what is supervised, and how some of them look."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from lad_runtime.method.loss_targets import supervised_positions
from lad_runtime.method.noise import NoisedExample, apply_noise, noised_positions
from lad_runtime.method.prepared_example import PreparedExample
from lad_runtime.types.bases import BaseInfo
from lad_runtime.types.inspection import (
    InspectDatasetRequest,
    InspectedExample,
    InspectedNoise,
    ShownAs,
    ShownSegment,
    WindowPart,
)

Decode = Callable[[Sequence[Sequence[int]]], list[str]]
"""The texts of token ids, special tokens written out."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An example as training shows it, and which of its positions the loss counts."""

    example: PreparedExample
    noised: NoisedExample
    supervised: Sequence[bool]


class NoisedCounts:
    """Sums over noised examples."""

    def __init__(self, asked: InspectDatasetRequest, info: BaseInfo) -> None:
        self._asked = asked
        self._info = info
        self._sums: Counter[str] = Counter()

    def add(self, example: PreparedExample) -> Shown:
        """Noises an example as the first epoch of a run with this seed does, and counts what that does."""
        noised = apply_noise(
            example,
            self._asked.noise,
            seed=self._asked.seed,
            epoch=0,
            mask_id=self._info.mask_token_id,
            vocab_size=self._info.vocab_size,
        )
        supervised = supervised_positions(example, noised, self._asked.loss)
        self._count(example, noised, supervised)
        return Shown(example=example, noised=noised, supervised=supervised)

    def sums(self) -> InspectedNoise:
        return InspectedNoise(
            examples=self._sums["examples"],
            open_tokens=self._sums["open"],
            corrupted_tokens=self._sums["corrupted"],
            masked_tokens=self._sums["masked"],
            untouched=self._sums["untouched"],
            supervised_prompt_tokens=self._sums["prompt"],
            supervised_answer_tokens=self._sums["answer"],
            supervised_tail_tokens=self._sums["tail"],
            ends=self._sums["ends"],
            supervised_ends=self._sums["supervised ends"],
        )

    def _count(self, example: PreparedExample, noised: NoisedExample, supervised: Sequence[bool]) -> None:
        self._sums.update(
            examples=1,
            open=len(noised_positions(example, self._asked.noise)),
            corrupted=sum(noised.corrupted),
            masked=sum(noised.masked),
            untouched=int(not any(noised.corrupted)),
        )
        self._sums.update(
            part for part, is_counted in zip(_parts(example), supervised, strict=True) if is_counted
        )
        last = len(example.ids) - sum(example.tail) - 1  # the last token before the tail
        if example.answer[last] and example.ids[last] == self._info.eos_token_id:
            self._sums["ends"] += 1
            self._sums["supervised ends"] += supervised[last]


def shown_example(shown: Shown, row: int, source: str, decode: Decode) -> InspectedExample:
    """Its text in segments of tokens that are shown alike."""
    segments = list(_segments(shown))
    ids = shown.example.ids
    texts = decode([ids[start:end] for start, end, *_ in segments])
    shown_texts = decode([shown.noised.ids[start:end] for start, end, *_ in segments])
    return InspectedExample(
        row=row,
        source=source,
        segments=tuple(
            ShownSegment(
                part=part,
                shown=state,
                supervised=supervised,
                tokens=end - start,
                text=text,
                shown_text=shown_text,
            )
            for (start, end, part, state, supervised), text, shown_text in zip(
                segments, texts, shown_texts, strict=True
            )
        ),
    )


def _segments(shown: Shown) -> Iterator[tuple[int, int, WindowPart, ShownAs, bool]]:
    """Start, end and kind of each run of positions of one kind."""
    kinds = zip(_parts(shown.example), _states(shown.noised), shown.supervised, strict=True)
    start = 0
    for (part, state, supervised), run in groupby(kinds):
        end = start + len(list(run))
        yield start, end, part, state, supervised
        start = end


def _parts(example: PreparedExample) -> Iterator[WindowPart]:
    for answer, tail in zip(example.answer, example.tail, strict=True):
        yield "tail" if tail else "answer" if answer else "prompt"


def _states(noised: NoisedExample) -> Iterator[ShownAs]:
    for masked, corrupted in zip(noised.masked, noised.corrupted, strict=True):
        yield "masked" if masked else "changed" if corrupted else "clean"
