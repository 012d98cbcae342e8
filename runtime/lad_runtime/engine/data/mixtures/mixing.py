"""Mixes a data set of stored ones: the same bytes for the same specification."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.cancelling import cancelled_error, until
from lad_runtime.engine.data.datasets import DatasetStore, Upload
from lad_runtime.engine.data.mixtures.sieve import Counts, Sieve
from lad_runtime.engine.data.mixtures.spool import Spool, spools
from lad_runtime.engine.data.mixtures.turns import draws, turns
from lad_runtime.engine.resident.entries import BaseEntry
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.types.data import Example
from lad_runtime.types.mixtures import MixedSource, MixtureReport, MixtureSource, MixtureSpec

_KEPT = 64
_CHECKED_EVERY = 1024

Mixed = tuple[str, MixtureReport]
"""A data set's id, and what became of its sources."""


class Mixtures:
    """Mixes data sets of stored ones, and remembers what it mixed last."""

    def __init__(self, backend: AnyBackend, store: DatasetStore) -> None:
        self._backend = backend
        self._store = store
        self._known: OrderedDict[tuple[str, MixtureSpec], Mixed] = OrderedDict()
        self._lock = threading.Lock()

    def mix(self, base: BaseEntry | None, spec: MixtureSpec, cancelled: Callable[[], bool]) -> Mixed:
        """Stores the mixture; blocks while it reads all sources. The order in which the sources are named has no effect.

        Raises LadError: NOT_FOUND for a data set, INVALID_OPTION for limits in tokens without a base, INVALID_DATA for a source of
        which nothing is left, UNAVAILABLE without the library that finds near-duplicates, STORAGE, CANCELLED.
        """
        key = (base.id if base else "", spec)
        with self._lock:
            known = self._known.get(key)
        if known is not None and self._store.count(known[0]) is not None:
            return known
        try:
            mixed = self._mix(base, spec, cancelled)
        except Exception as error:
            raise typed_error(error, self._backend.describe) from None
        with self._lock:
            self._known[key] = mixed
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return mixed

    def _mix(self, base: BaseEntry | None, spec: MixtureSpec, cancelled: Callable[[], bool]) -> Mixed:
        sources = sorted(spec.sources, key=lambda source: source.name)
        sieve = self._sieve(base, spec)
        with self._store.upload() as upload, spools(self._store.folder, len(sources)) as kept:
            counts = []
            for source, spool in zip(sources, kept, strict=True):
                examples = until(self._store.examples(source.dataset_id), cancelled)
                counts.append(_fill(spool, source, sieve, examples))
            total = sum(source.share for source in sources)
            shares = [source.share / total for source in sources]
            uses, ended_by = _write(upload, spec, sources, shares, kept, cancelled)
            dataset_id, examples_count = upload.finish()
        mixed = tuple(map(_report, sources, shares, counts, uses))
        return dataset_id, MixtureReport(examples=examples_count, sources=mixed, ended_by=ended_by)

    def _sieve(self, base: BaseEntry | None, spec: MixtureSpec) -> Sieve:
        benchmarks = (
            example for each in spec.contamination.dataset_ids for example in self._store.examples(each)
        )
        limited = next((source for source in spec.sources if source.limits_lengths), None)
        if base is None and limited is not None:
            raise invalid_option(
                f"sources.{limited.name}",
                "in tokens",
                "limits in tokens need a base, whose tokenizer counts them",
                "Make the mixture with base.dataset(…) or base.mix(…), or leave the limits out.",
            )
        if base is None:
            return Sieve(spec, benchmarks, None, 0)
        cut = partial(self._backend.cut, base.resident)
        return Sieve(spec, benchmarks, cut, base.info.max_positions)


def _fill(spool: Spool, source: MixtureSource, sieve: Sieve, examples: Iterator[Example]) -> Counts:
    """Writes what stays of a source. Raises INVALID_DATA if nothing does."""
    counts = Counts()
    for example in sieve.sifted(source, examples, counts):
        spool.append(_line(source.name, example))
    if counts.kept == 0:
        reasons = ", ".join(
            f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(counts.left_out.items())
        )
        raise LadError(
            ErrorCode.INVALID_DATA,
            f"Nothing of the source {source.name} is left: of its {counts.read} examples, {reasons}.",
            option=f"sources.{source.name}",
            remedy="Leave the source out, or change what is left out of it.",
        )
    return counts


def _line(name: str, example: Example) -> bytes:
    """One row without an id: its number keys its noise, so that a repeat is noised anew."""
    messages = [{"role": turn.role, "content": turn.content} for turn in example.messages]
    weight = {} if example.weight == 1 else {"weight": example.weight}
    row = {"source": name, "messages": messages, **weight}
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _write(
    upload: Upload,
    spec: MixtureSpec,
    sources: list[MixtureSource],
    shares: list[float],
    kept: list[Spool],
    cancelled: Callable[[], bool],
) -> tuple[list[int], str]:
    """Writes the sources' examples by turns; returns how many of each, and the source that ran out too early."""
    uses = [0] * len(sources)
    drawn = [
        draws(spec.seed, source.name, len(spool), source.max_repeats if spec.examples else 0)
        for source, spool in zip(sources, kept, strict=True)
    ]
    for number, turn in enumerate(turns(shares)):
        if number == spec.examples and spec.examples:
            return uses, ""
        if number % _CHECKED_EVERY == 0 and cancelled():
            raise cancelled_error()
        row = next(drawn[turn], None)
        if row is None:
            return uses, sources[turn].name
        upload.write(kept[turn][row])
        uses[turn] += 1
    raise AssertionError("turns have no end")


def _report(source: MixtureSource, share: float, counts: Counts, uses: int) -> MixedSource:
    used = min(uses, counts.kept)
    return MixedSource(
        name=source.name,
        share=share,
        read=counts.read,
        too_long=counts.left_out["too_long"],
        contaminated=counts.left_out["contaminated"],
        duplicates=counts.left_out["duplicates"],
        near_duplicates=counts.left_out["near_duplicates"],
        kept=counts.kept,
        used=used,
        repeated=uses - used,
    )
