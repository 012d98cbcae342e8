"""The best validation, and when training ends for want of a better one, against a plain version of what the two mean."""

from math import inf, isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.method.loss_report import LossReport
from lad_runtime.types.early_stopping import ValidationWatch, validation_ce

CES = st.lists(st.sampled_from([0.5, 1.0, 1.25, 1.5, 2.0, 3.0, nan, inf]), max_size=12)
DELTAS = st.sampled_from([0.0, 0.25, 0.5, 1.0])


def improvements(ces: list[float], min_delta: float) -> list[int]:
    """The validations that are lower by more than `min_delta` than the improvement before them."""
    found: list[int] = []
    for number, ce in enumerate(ces):
        if ce < (ces[found[-1]] if found else inf) - min_delta:
            found.append(number)
    return found


@settings(deadline=None)
@given(CES, DELTAS, st.integers(0, 4))
def test_best_and_patience_are_those_of_the_whole_list(
    ces: list[float], min_delta: float, patience: int
) -> None:
    watch = ValidationWatch()
    for seen in range(1, len(ces) + 1):
        watch = watch.after(10 * (seen - 1), ces[seen - 1], min_delta)
        known = [(ce, number) for number, ce in enumerate(ces[:seen]) if not isnan(ce) and ce < inf]
        assert watch.best_step == (10 * min(known)[1] if known else None)
        assert watch.best_ce == (min(known)[0] if known else inf)
        last = improvements(ces[:seen], min_delta)[-1:]
        none_among = patience > 0 and seen >= patience and not any(n >= seen - patience for n in last)
        assert watch.is_exhausted(patience) == none_among


def test_many_small_gains_are_an_improvement_together_and_the_last_of_them_is_the_best() -> None:
    watch = ValidationWatch()
    for step, ce in enumerate([2.0, 1.9, 1.8, 1.7]):
        watch = watch.after(step, ce, 0.25)
    assert watch == ValidationWatch(best_step=3, best_ce=1.7, improved_ce=1.7, waited=0)


@pytest.mark.parametrize(("corrupted", "ce"), [(3, 5.0), (0, 2.0)])
def test_corrupted_tokens_are_what_is_compared_where_there_are_any(corrupted: int, ce: float) -> None:
    report = LossReport(
        loss=1.0,
        ce=2.0,
        content_ce=3.0,
        tail_ce=4.0,
        corrupted_ce=5.0 if corrupted else nan,
        corrupted_content_ce=6.0,
        tokens=9,
        supervised_tokens=8,
        content_tokens=7,
        tail_tokens=6,
        corrupted_tokens=corrupted,
        corrupted_content_tokens=4,
    )
    assert validation_ce(report) == ce
