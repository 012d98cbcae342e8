"""Inspections: counts of what a run would see, against plain counts over the prepared examples."""

import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.engine.data.datasets import DatasetStore
from lad_runtime.engine.data.inspection.inspecting import Inspections
from lad_runtime.engine.data.inspection.lengths import LengthCounts
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.gen.lad.v1 import training_pb2
from lad_runtime.method.loss_targets import supervised_positions
from lad_runtime.method.noise import apply_noise
from lad_runtime.method.windows import prepare
from lad_runtime.types.inspection import InspectDatasetRequest, Inspection
from lad_runtime.wire.codec import writer
from method_specs import lad_noise, loss_spec, mask_only_noise, window_spec
from mixture_support import BACKEND, BASE, INFO, TOKENIZER, stored

ROWS = [
    {"instruction": "x" * (n % 23), "input": "q", "output": "y" * (n % 7), "source": "ab"[n % 2]}
    for n in range(60)
]


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


def request(dataset_id: str, **options: Any) -> InspectDatasetRequest:
    given = {
        "base_id": "base",
        "window": window_spec(window=40),
        "noise": lad_noise(),
        "loss": loss_spec(),
        "seed": 3,
        "noised_examples": 1000,
        "shown_examples": 3,
        **options,
    }
    return InspectDatasetRequest(dataset_id=dataset_id, **given)


def inspected(store: DatasetStore, rows: list[dict[str, Any]] = ROWS, **options: Any) -> Inspection:
    asked = request(stored(store, rows), **options)
    return Inspections(BACKEND, store).inspect(BASE, asked, lambda: False)


@pytest.mark.parametrize("too_long", ["drop", "truncate"])
@pytest.mark.parametrize("supervise", ["all-tokens", "all-answer-tokens", "corrupted-answer-tokens"])
@pytest.mark.parametrize("tail", [True, False])
def test_an_inspection_counts_what_a_run_sees(
    store: DatasetStore, too_long: Any, supervise: Any, tail: bool
) -> None:
    window, loss = window_spec(window=40, too_long=too_long), loss_spec(supervise=supervise, tail=tail)
    result = inspected(store, window=window, loss=loss)
    examples, report = prepare(store.examples(stored(store, ROWS)), window, TOKENIZER, INFO)
    whole = result.whole
    assert (whole.examples, whole.kept, whole.dropped, whole.truncated) == (
        report.examples,
        report.kept,
        report.dropped,
        report.truncated,
    )
    assert whole.dropped + whole.truncated == whole.longer_than_window > 0
    assert (whole.prompt_tokens, whole.answer_tokens, whole.tail_tokens) == (
        report.prompt_tokens,
        report.answer_tokens,
        report.tail_tokens,
    )
    sums = dict.fromkeys(
        ("corrupted", "masked", "untouched", "prompt", "answer", "tail", "ends", "learnt"), 0
    )
    for example in examples:
        noised = apply_noise(
            example, lad_noise(), seed=3, epoch=0, mask_id=INFO.mask_token_id, vocab_size=INFO.vocab_size
        )
        supervised = supervised_positions(example, noised, loss)
        sums["corrupted"] += sum(noised.corrupted)
        sums["masked"] += sum(noised.masked)
        sums["untouched"] += noised.ids == example.ids
        for place, is_supervised in enumerate(supervised):
            part = "tail" if example.tail[place] else "answer" if example.answer[place] else "prompt"
            sums[part] += is_supervised
        ends = [i for i, id in enumerate(example.ids) if id == INFO.eos_token_id and not example.tail[i]]
        sums["ends"] += len(ends)
        sums["learnt"] += sum(supervised[i] for i in ends)
    noise = result.noise
    assert sums == {
        "corrupted": noise.corrupted_tokens,
        "masked": noise.masked_tokens,
        "untouched": noise.untouched,
        "prompt": noise.supervised_prompt_tokens,
        "answer": noise.supervised_answer_tokens,
        "tail": noise.supervised_tail_tokens,
        "ends": noise.ends,
        "learnt": noise.supervised_ends,
    }
    assert noise.examples == report.kept
    assert noise.open_tokens == report.answer_tokens + report.tail_tokens


def test_the_parts_by_source_add_up_to_the_whole(store: DatasetStore) -> None:
    result = inspected(store)
    assert [part.name for part in result.sources] == ["a", "b"]
    for field in ("examples", "kept", "dropped", "longer_than_window", "prompt_tokens", "tail_tokens"):
        assert sum(getattr(part, field) for part in result.sources) == getattr(result.whole, field)
    without = [{key: value for key, value in row.items() if key != "source"} for row in ROWS]
    assert inspected(store, without).sources == ()


def test_a_prompt_above_its_own_limit_is_told_apart_from_a_window_that_is_too_short(
    store: DatasetStore,
) -> None:
    rows = [{"instruction": "x" * n, "output": "y"} for n in (1, 10, 100)]
    window = window_spec(window=40, max_prompt_tokens=20)
    whole = inspected(store, rows, window=window).whole
    assert (whole.kept, whole.prompt_too_long, whole.longer_than_window, whole.dropped) == (1, 1, 1, 2)


def test_an_answer_that_is_cut_has_no_end_to_learn(store: DatasetStore) -> None:
    rows = [{"instruction": "x", "output": "y" * n} for n in (3, 100)]
    window = window_spec(window=40, too_long="truncate")
    noise = inspected(store, rows, window=window).noise
    assert (noise.examples, noise.ends, noise.supervised_ends) == (2, 1, 1)


def test_an_inspection_of_a_single_example_can_be_sent(store: DatasetStore) -> None:
    write = writer(Inspection, training_pb2.InspectDatasetResponse)
    message = write(inspected(store, [{"instruction": "x", "output": "y"}], seed=1))
    assert (message.noise.examples, message.whole.kept, len(message.shown)) == (1, 1, 1)


def test_the_shown_examples_are_their_windows_in_pieces(store: DatasetStore) -> None:
    result = inspected(store, noise=mask_only_noise(), loss=loss_spec(supervise="corrupted-answer-tokens"))
    examples, _ = prepare(store.examples(stored(store, ROWS)), window_spec(window=40), TOKENIZER, INFO)
    by_id = {example.id: example for example in examples}
    assert len(result.shown) == 3
    assert [shown.source for shown in result.shown] == ["ab"[shown.row % 2] for shown in result.shown]
    assert [shown.row // 20 for shown in result.shown] == [0, 1, 2]
    for shown in result.shown:
        example = by_id[shown.row]
        assert "".join(segment.text for segment in shown.segments) == TOKENIZER.decode(example.ids, False)
        assert sum(segment.tokens for segment in shown.segments) == 40
        assert [segment.part for segment in shown.segments if segment.part == "prompt"] == ["prompt"]
        for segment in shown.segments:
            assert segment.supervised == (segment.shown != "clean")
            if segment.shown == "masked":
                assert segment.shown_text == TOKENIZER.mask_token * segment.tokens
            else:
                assert segment.shown_text == segment.text


def test_a_part_of_the_examples_is_noised_evenly_over_the_data(store: DatasetStore) -> None:
    rows = [{"instruction": "x", "output": "yyy"}] * 40
    result = inspected(store, rows, noised_examples=4, shown_examples=4)
    assert result.noise.examples == 4
    assert [shown.row for shown in result.shown] == [5, 15, 25, 35]
    assert result.whole.examples == 40


def test_sources_beyond_a_report_are_counted_together(store: DatasetStore) -> None:
    rows = [{"instruction": "x", "output": "y", "source": f"s{n}"} for n in range(300)]
    parts = inspected(store, rows).sources
    assert len(parts) == 257
    assert next(part.examples for part in parts if part.name == "(other sources)") == 44
    odd = [{"instruction": "x", "output": "y", "source": name} for name in (5, "a\nb", "z" * 65, "")]
    assert inspected(store, odd).sources == ()


def test_what_a_preparation_refuses_an_inspection_does(store: DatasetStore) -> None:
    with pytest.raises(LadError, match="positions"):
        inspected(store, window=window_spec(window=4096))
    with pytest.raises(LadError, match="and the window has 30"):
        inspected(store, window=window_spec(window=30, too_long="error"))
    with pytest.raises(LadError, match="None of the 60 examples fits"):
        inspected(store, window=window_spec(window=2))
    with pytest.raises(LadError, match="no time t"):
        request("0" * 64, loss=loss_spec(weighting="inverse-time", supervise="corrupted-answer-tokens"))
    with pytest.raises(LadError, match="shownExamples"):
        request("0" * 64, noised_examples=2)
    with pytest.raises(LadError) as error:
        Inspections(BACKEND, store).inspect(BASE, request("0" * 64), lambda: False)
    assert error.value.code is ErrorCode.NOT_FOUND


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_lengths_are_those_of_a_sorted_list(tokens: list[int]) -> None:
    counts = LengthCounts()
    for each in tokens:
        counts.add(each)
    lengths, ordered = counts.lengths(), sorted(tokens)

    def quantile(hundredths: int) -> int:
        return ordered[max(0, -(-hundredths * len(ordered) // 100) - 1)]

    assert lengths.mean == pytest.approx(statistics.fmean(tokens))
    assert (lengths.least, lengths.most) == (ordered[0], ordered[-1])
    assert [lengths.p5, lengths.p25, lengths.median, lengths.p75, lengths.p95, lengths.p99] == [
        quantile(q) for q in (5, 25, 50, 75, 95, 99)
    ]
    assert sum(lengths.bins) == len(tokens) and len(lengths.bins) <= 20
    for number, count in enumerate(lengths.bins):
        low = number * lengths.bin_tokens
        assert count == sum(low < each <= low + lengths.bin_tokens for each in tokens)
