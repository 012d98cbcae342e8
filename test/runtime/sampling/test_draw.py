"""Tokens drawn from logits: against a plain oracle, alone and in company, at every edge."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.random import CanvasKey, Purpose, uniforms
from lad_runtime.torch_backend.sampling import draw as drawing
from lad_runtime.torch_backend.sampling.draw import (
    Drawn,
    arg_max,
    draw,
    entropies,
    filtered_probabilities,
    most_probable,
)
from lad_runtime.types.sampling import DrawSpec
from sampling_specs import answer_canvas, draw_spec

EOS_ID, MASK_ID = 2, 3
TOKENS = answer_canvas(1, mask_token_id=MASK_ID, stop_token_ids=(EOS_ID,))

specs = st.builds(
    DrawSpec,
    temperature=st.sampled_from([0.0, 0.3, 1.0, 2.5]),
    top_k=st.integers(0, 14),
    top_p=st.sampled_from([0.05, 0.5, 0.9, 1.0]),
    method=st.sampled_from(["inverse-cdf", "gumbel"]),
    confidence=st.sampled_from(["unfiltered", "filtered"]),
    eos_bias=st.sampled_from([0.0, -1.5, 4.0, -math.inf]),
    allow_mask=st.booleans(),
)


def some_logits(seed: int, rows: int, vocab: int = 11) -> torch.Tensor:
    """Multiples of ¼, so that there are ties."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-12, 13, (rows, vocab), generator=generator) / 4.0


def drawn_from(
    logits_RV: torch.Tensor, spec: DrawSpec, *, seed: int = 0, canvas: int = 0, iteration: int = 0
) -> Drawn:
    rows = np.arange(len(logits_RV))
    key = CanvasKey(seed=seed, canvas=canvas)
    return draw(logits_RV, spec, tokens=TOKENS, key=key, iteration=iteration, positions_R=rows)


def plain_softmax(logits: list[float]) -> list[float]:
    highest = max(logits)
    weights = [math.exp(logit - highest) for logit in logits]
    return [weight / math.fsum(weights) for weight in weights]


def plain_draw(
    logits: list[float], spec: DrawSpec, key: CanvasKey, iteration: int, position: int
) -> tuple[int, float]:
    """The same with lists and loops, one row at a time."""
    logits = [logit + spec.eos_bias if id == EOS_ID else logit for id, logit in enumerate(logits)]
    if not spec.allow_mask:
        logits[MASK_ID] = -math.inf
    whole = plain_softmax(logits)
    by_probability = sorted(range(len(logits)), key=lambda id: (-logits[id], id))
    if spec.temperature == 0:
        id = by_probability[0]
        return id, 1.0 if spec.confidence == "filtered" else whole[id]
    left = by_probability[: spec.top_k or None]
    scaled = plain_softmax([logits[id] / spec.temperature for id in left])
    length = next((k for k in range(1, len(left)) if math.fsum(scaled[:k]) >= spec.top_p - 1e-12), len(left))
    left, scaled = left[:length], scaled[:length]
    shares = {id: share / math.fsum(scaled) for id, share in zip(left, scaled, strict=True)}
    if spec.method == "gumbel":
        numbers = uniforms(
            key.seed, Purpose.DRAW, key.canvas, iteration, len(logits), lane=1 + position
        ).tolist()
        possible = [id for id in sorted(left) if shares[id] > 0]
        id = max(possible, key=lambda id: math.log(shares[id]) - math.log(-math.log(numbers[id])))
    else:
        number = uniforms(key.seed, Purpose.DRAW, key.canvas, iteration, position + 1)[position].item()
        sum = 0.0
        for id in sorted(left):
            sum += shares[id]
            if sum > number:
                break
    return id, shares[id] if spec.confidence == "filtered" else whole[id]


@settings(deadline=None, max_examples=150)
@given(
    spec=specs,
    seed=st.integers(0, 2**64 - 1),
    canvas=st.sampled_from([0, 1, 4095]),
    iteration=st.integers(0, 5),
    rows=st.integers(1, 6),
)
def test_draws_are_those_of_the_plain_version(
    spec: DrawSpec, seed: int, canvas: int, iteration: int, rows: int
) -> None:
    logits_RV, key = some_logits(seed % 1000, rows), CanvasKey(seed=seed, canvas=canvas)
    drawn = drawn_from(logits_RV, spec, seed=seed, canvas=canvas, iteration=iteration)
    for row, logits in enumerate(logits_RV.tolist()):
        id, confidence = plain_draw(logits, spec, key, iteration, row)
        assert drawn.ids_R[row] == id
        assert drawn.confidences_R[row] == pytest.approx(confidence, rel=1e-5)


@pytest.mark.parametrize("method", ["inverse-cdf", "gumbel"])
def test_a_row_draws_the_same_token_alone_and_in_company(method: str) -> None:
    """A vocabulary as long as Llama's, so that a reduction over one row would be split between threads."""
    logits_RV = torch.randn(5, 40_000, generator=torch.Generator().manual_seed(0)) * 3
    spec = draw_spec(temperature=0.9, top_p=0.95, method=method)  # type: ignore[arg-type]
    together = drawn_from(logits_RV, spec)
    entropies_R = entropies(logits_RV)
    for row in range(5):
        alone = draw(
            logits_RV[row : row + 1],
            spec,
            tokens=TOKENS,
            key=CanvasKey(seed=0, canvas=0),
            iteration=0,
            positions_R=np.array([row]),
        )
        assert alone.ids_R[0] == together.ids_R[row]
        assert alone.confidences_R[0] == together.confidences_R[row]
        assert entropies(logits_RV[row : row + 1])[0] == entropies_R[row]


def test_rows_that_are_drawn_in_chunks_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    logits_RV, spec = some_logits(4, 10), draw_spec(temperature=1.0, top_k=5)
    whole = drawn_from(logits_RV, spec, seed=8)
    monkeypatch.setattr(drawing, "_CHUNK_ELEMENTS", 33)
    chunked = drawn_from(logits_RV, spec, seed=8)
    assert chunked.ids_R.tolist() == whole.ids_R.tolist()
    assert chunked.confidences_R.tolist() == whole.confidences_R.tolist()


def test_temperature_zero_takes_the_lowest_id_of_equals() -> None:
    logits_RV = torch.tensor([[0.0, 3.0, -1.0, 3.0], [1.0, 1.0, 1.0, 1.0]])
    assert drawn_from(logits_RV, draw_spec()).ids_R.tolist() == [1, 0]


def test_confidence_is_of_the_whole_distribution_unless_asked_otherwise() -> None:
    logits_RV = torch.tensor([[math.log(0.5), math.log(0.3), math.log(0.2)]])
    narrow = draw_spec(temperature=1.0, top_k=1, allow_mask=True)
    assert drawn_from(logits_RV, narrow).confidences_R[0] == pytest.approx(0.5)
    filtered = draw_spec(temperature=1.0, top_k=1, confidence="filtered", allow_mask=True)
    assert drawn_from(logits_RV, filtered).confidences_R[0] == 1.0


def test_an_eos_bias_of_minus_infinity_forbids_eos() -> None:
    logits_RV = torch.zeros(400, 4)
    logits_RV[:, EOS_ID] = 50
    for temperature in (0.0, 1.0):
        ids = drawn_from(logits_RV, draw_spec(temperature=temperature, eos_bias=-math.inf)).ids_R
        assert EOS_ID not in ids


@pytest.mark.parametrize("temperature", [1e-320, 1e-300, 1e-270])
def test_no_temperature_is_too_low_for_logits_that_a_float32_holds(temperature: float) -> None:
    logits_RV = torch.tensor([[0.0, 3e38, 1.0, 3e38, -3e38], [-3e38, -1e-45, 0.0, -1.0, -torch.inf]])
    probabilities_RV = filtered_probabilities(logits_RV, draw_spec(temperature=temperature, top_p=0.999))
    assert probabilities_RV.tolist() == [[0, 0.5, 0, 0.5, 0], [0, 0, 1, 0, 0]]


def test_top_k_keeps_exactly_k_of_equals() -> None:
    probabilities_RV = filtered_probabilities(torch.zeros(1, 6), draw_spec(temperature=1.0, top_k=4))
    assert probabilities_RV.tolist() == [[0.25, 0.25, 0.25, 0.25, 0, 0]]


def test_top_p_keeps_the_shortest_run_that_reaches_it() -> None:
    logits_RV = torch.tensor([[0.1, 0.4, 0.2, 0.3]]).log()
    kept = filtered_probabilities(logits_RV, draw_spec(temperature=1.0, top_p=0.65)) > 0
    assert kept.tolist() == [[False, True, False, True]]
    kept = filtered_probabilities(logits_RV, draw_spec(temperature=1.0, top_p=1e-09)) > 0
    assert kept.tolist() == [[False, True, False, False]]


@pytest.mark.parametrize("method", ["inverse-cdf", "gumbel"])
def test_tokens_are_drawn_as_often_as_they_are_probable(method: str) -> None:
    shares = [0.5, 0.25, 0.15, 0.1]
    logits_RV = torch.tensor([shares]).log().expand(8000, -1)
    ids = drawn_from(logits_RV, draw_spec(temperature=1.0, method=method, allow_mask=True), seed=1).ids_R  # type: ignore[arg-type]
    counted = np.bincount(ids, minlength=4) / 8000
    assert counted == pytest.approx(shares, abs=0.02)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_mask_is_never_drawn_unless_it_is_allowed(temperature: float) -> None:
    """Neither is it counted: the other tokens share its probability."""
    logits_RV = torch.tensor([[0.0, 1.0, 0.0, 9.0]]).expand(200, -1)
    forbidden = drawn_from(logits_RV, draw_spec(temperature=temperature))
    assert MASK_ID not in forbidden.ids_R
    without_V = torch.tensor([0.0, 1.0, 0.0]).softmax(-1)
    assert forbidden.confidences_R == pytest.approx(without_V[forbidden.ids_R].numpy(), rel=1e-5)
    allowed = drawn_from(logits_RV, draw_spec(temperature=temperature, allow_mask=True))
    assert (allowed.ids_R == MASK_ID).mean() > 0.9


def test_seed_canvas_iteration_and_position_each_change_the_draw() -> None:
    logits_RV, spec = torch.zeros(50, 1000), draw_spec(temperature=1.0)
    first = drawn_from(logits_RV, spec).ids_R
    assert len(set(first)) > 40
    assert (drawn_from(logits_RV, spec, seed=1).ids_R != first).mean() > 0.9
    assert (drawn_from(logits_RV, spec, canvas=1).ids_R != first).mean() > 0.9
    assert (drawn_from(logits_RV, spec, iteration=1).ids_R != first).mean() > 0.9


@pytest.mark.parametrize(
    "spec",
    [
        draw_spec(),
        draw_spec(confidence="filtered"),
        draw_spec(temperature=1.0),
        draw_spec(temperature=1.0, top_p=0.5),
    ],
)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_no_numbers_are_an_error(spec: DrawSpec, bad: float) -> None:
    logits_RV = torch.zeros(3, 5)
    logits_RV[1, 4] = bad
    with pytest.raises(LadError) as raised:
        drawn_from(logits_RV, spec)
    assert raised.value.code is ErrorCode.DIVERGED


def test_entropy_is_that_of_the_definition() -> None:
    logits_RV = some_logits(2, 4)
    logits_RV[0, 3] = -math.inf
    for row, value in zip(logits_RV.tolist(), entropies(logits_RV).tolist(), strict=True):
        assert value == pytest.approx(-math.fsum(p * math.log(p) for p in plain_softmax(row) if p), rel=1e-6)


def test_the_most_probable_tokens_come_in_order_with_lower_ids_first() -> None:
    logits_RV = torch.tensor([[1.0, 3.0, 1.0, 3.0, 1.0], [0.0, 1.0, 2.0, 3.0, 4.0]])
    ids, probabilities = most_probable(logits_RV, 3)
    assert ids.tolist() == [[1, 3, 0], [4, 3, 2]]
    assert probabilities[1].tolist() == pytest.approx(sorted(plain_softmax(logits_RV[1].tolist()))[:1:-1])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("temperature", -1.0),
        ("temperature", math.nan),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.5),
        ("eos_bias", math.inf),
        ("eos_bias", math.nan),
        ("method", "dice"),
        ("confidence", "low"),
    ],
)
def test_a_specification_out_of_range_is_refused(option: str, value: object) -> None:
    with pytest.raises(LadError) as raised:
        draw_spec(**{option: value})  # type: ignore[arg-type]
    assert raised.value.code is ErrorCode.INVALID_OPTION
    assert raised.value.option.lower() == {"method": "drawmethod"}.get(option, option.replace("_", ""))


@given(data=st.data(), rows=st.integers(1, 5), vocabulary=st.sampled_from([256, 300, 1024]))
def test_the_most_probable_token_is_the_first_of_the_highest(data, rows: int, vocabulary: int) -> None:
    few = st.sampled_from([-1.0, 0.0, 2.5])  # so that ties are everywhere
    logits = torch.full((rows, vocabulary), -1.0)
    for row in range(rows):
        for id in data.draw(st.lists(st.integers(0, vocabulary - 1), max_size=6)):
            logits[row, id] = data.draw(few)
    wanted = [[values.index(max(values))] for values in logits.tolist()]
    assert arg_max(logits).tolist() == wanted
