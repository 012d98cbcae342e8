"""Inspects a data set: one pass over its examples, without a forward."""

from collections.abc import Callable, Iterator
from functools import partial

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.cancelling import until
from lad_runtime.engine.data.datasets import DatasetStore
from lad_runtime.engine.data.inspection.lengths import LengthCounts
from lad_runtime.engine.data.inspection.noised import NoisedCounts, shown_example
from lad_runtime.engine.data.inspection.parts import Parts
from lad_runtime.engine.resident.entries import BaseEntry
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.method.windows import nothing_left, padded
from lad_runtime.types.data import CutExample, PreparedExample
from lad_runtime.types.inspection import InspectDatasetRequest, Inspection


class Inspections:
    """Reports what a training run would see of stored data sets."""

    def __init__(self, backend: AnyBackend, store: DatasetStore) -> None:
        self._backend = backend
        self._store = store

    def inspect(
        self, base: BaseEntry, asked: InspectDatasetRequest, cancelled: Callable[[], bool]
    ) -> Inspection:
        """Blocks while it tokenises. Raises LadError as a preparation of the same data does."""
        total = self._store.count(asked.dataset_id) or 0
        examples = until(self._store.examples(asked.dataset_id), cancelled)
        try:
            cuts = self._backend.cut(base.resident, examples, asked.window)
            return self._inspected(base, asked, cuts, total)
        except Exception as error:
            raise typed_error(error, self._backend.describe) from None

    def _inspected(
        self, base: BaseEntry, asked: InspectDatasetRequest, cuts: Iterator[CutExample], total: int
    ) -> Inspection:
        info = base.info
        decode = partial(self._backend.decode, base.resident, keep_special=True)
        parts, noise = Parts(asked.window), NoisedCounts(asked, info)
        windows, prompts, answers = LengthCounts(), LengthCounts(), LengthCounts()
        noised_rows, shown_rows = _Spread(total, asked.noised_examples), _Spread(total, asked.shown_examples)
        shown = []
        for row, cut in enumerate(cuts):
            parts.add(cut)
            windows.add(cut.tokens)
            prompts.add(cut.prompt_tokens)
            answers.add(cut.tokens - cut.prompt_tokens)
            if cut.is_dropped or not noised_rows.takes(row):
                continue
            example = noise.add(_window(cut, asked))
            if shown_rows.takes(row):
                shown.append(shown_example(example, row, cut.example.source, decode))
        whole = parts.whole()
        if whole.kept == 0:
            raise nothing_left(whole.examples, asked.window)
        return Inspection(
            whole=whole,
            sources=parts.sources(),
            window_lengths=windows.lengths(),
            prompt_lengths=prompts.lengths(),
            answer_lengths=answers.lengths(),
            noise=noise.sums(),
            shown=tuple(shown),
            end_token=info.eos_token,
            end_token_id=info.eos_token_id,
        )


class _Spread:
    """So many rows, evenly spaced: of each stretch of a data set the first row from its middle on that can be taken."""

    def __init__(self, rows: int, count: int) -> None:
        self._rows = rows
        self._count = min(rows, count)
        self._taken = 0

    def is_due(self, row: int) -> bool:
        return self._taken < self._count and row >= (2 * self._taken + 1) * self._rows // (2 * self._count)

    def takes(self, row: int) -> bool:
        """Whether a row that can be taken is; notes it."""
        due = self.is_due(row)
        self._taken += due
        return due


def _window(cut: CutExample, asked: InspectDatasetRequest) -> PreparedExample:
    length = asked.window.window if asked.window.pad_to_window else 0
    return padded(cut.example.id, cut.ids, cut.answer, length, cut.padding, weight=cut.example.weight)
