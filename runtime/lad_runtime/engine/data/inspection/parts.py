"""Counts what becomes of a data set's examples, in all and by source."""

from collections import Counter

from lad_runtime.types.data import CutExample, WindowSpec
from lad_runtime.types.inspection import InspectedPart

_MOST_SOURCES = 256
_OTHERS = "(other sources)"


class Parts:
    def __init__(self, window: WindowSpec) -> None:
        self._window = window
        self._whole: Counter[str] = Counter()
        self._sources: dict[str, Counter[str]] = {}

    @property
    def examples(self) -> int:
        return self._whole["examples"]

    def add(self, cut: CutExample) -> None:
        counts = self._counts_of(cut)
        self._whole.update(counts)
        name = cut.example.source
        if name not in self._sources and len(self._sources) >= _MOST_SOURCES:
            name = _OTHERS
        self._sources.setdefault(name, Counter()).update(counts)

    def whole(self) -> InspectedPart:
        return _part("", self._whole)

    def sources(self) -> tuple[InspectedPart, ...]:
        """By name; none if no example names its source."""
        if self._sources.keys() <= {""}:
            return ()
        return tuple(_part(name, counts) for name, counts in sorted(self._sources.items()))

    def _counts_of(self, cut: CutExample) -> Counter[str]:
        """What one example adds."""
        counts = Counter(examples=1)
        if not cut.fits:
            long = cut.tokens > self._window.window
            counts["longer_than_window" if long else "prompt_too_long"] = 1
        if cut.is_dropped:
            counts["dropped"] = 1
            return counts
        answers = sum(cut.answer)
        padded = self._window.window if self._window.pad_to_window else 0
        counts.update(
            kept=1,
            truncated=int(not cut.fits),
            prompt_tokens=len(cut.ids) - answers,
            answer_tokens=answers,
            tail_tokens=max(0, padded - len(cut.ids)),
            special_tokens=cut.special_tokens,
            mask_tokens=cut.mask_tokens,
        )
        return counts


def _part(name: str, counts: Counter[str]) -> InspectedPart:
    return InspectedPart(
        name=name,
        examples=counts["examples"],
        kept=counts["kept"],
        dropped=counts["dropped"],
        truncated=counts["truncated"],
        longer_than_window=counts["longer_than_window"],
        prompt_too_long=counts["prompt_too_long"],
        prompt_tokens=counts["prompt_tokens"],
        answer_tokens=counts["answer_tokens"],
        tail_tokens=counts["tail_tokens"],
        special_tokens=counts["special_tokens"],
        mask_tokens=counts["mask_tokens"],
    )
