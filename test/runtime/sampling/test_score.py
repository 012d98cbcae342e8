"""Log-likelihoods of continuations: those of transformers, counted up to the first EOS."""

import math

import pytest
import torch

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import LossRequest
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling import score as scoring
from lad_runtime.torch_backend.sampling.score import check_scoring, score
from lad_runtime.types.evaluation import ScoreItem
from sampling_helpers import (
    CONFIG,
    EOS_ID,
    VOCAB_SIZE,
    peaked,
    run_alone,
    run_work,
    small_base,
    trained_adapter,
)

BASE = small_base()
ITEMS = [
    ScoreItem(prompt=(7, 8, 9), continuation=(10, 11, 12)),
    ScoreItem(prompt=(3,), continuation=(50,)),
    ScoreItem(prompt=(20, 21), continuation=(22, EOS_ID, 23, EOS_ID)),
]


def test_scores_are_transformers_log_likelihoods() -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.LlamaForCausalLM(transformers.LlamaConfig(**CONFIG.to_hf())).eval()
    theirs.load_state_dict(BASE.model.weights, strict=False)
    theirs.tie_weights()
    _, scores = run_alone(score(BASE, None, ITEMS), BASE.model)
    for item, ours in zip(ITEMS, scores, strict=True):
        with torch.no_grad():
            logits_LV = theirs(torch.tensor([item.prompt + item.continuation])).logits[0]
        rows = logits_LV.log_softmax(-1)[len(item.prompt) - 1 : -1]
        wanted = rows.gather(1, torch.tensor(item.continuation)[:, None])[:, 0].tolist()
        counted = wanted[: len(ours.token_log_likelihoods)]
        assert ours.token_log_likelihoods == pytest.approx(counted, rel=1e-4, abs=1e-5)
        assert ours.log_likelihood == pytest.approx(math.fsum(counted), rel=1e-4)


def test_the_first_eos_counts_and_the_tail_does_not() -> None:
    _, scores = run_alone(score(BASE, None, ITEMS), BASE.model)
    assert [len(each.token_log_likelihoods) for each in scores] == [3, 1, 2]


def test_scores_are_minus_the_losses_of_a_causal_forward() -> None:
    adapter = trained_adapter()
    _, (ours,) = run_alone(score(BASE, adapter, ITEMS[:1]), BASE.model)
    segment = Segment(ids=torch.tensor([7, 8, 9, 10, 11]), adapter=adapter, mode="causal")
    targets = torch.tensor([IGNORE_INDEX, IGNORE_INDEX, 10, 11, 12])
    ((ce_L,),) = compute(BASE.model, [LossRequest(segments=(segment,), targets=(targets,))])
    assert [-value for value in ours.token_log_likelihoods] == pytest.approx(ce_L[2:].tolist(), rel=1e-5)


def test_an_items_score_does_not_depend_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    together = run_alone(score(BASE, None, ITEMS), BASE.model)[1]
    alone = tuple(run_alone(score(BASE, None, [item]), BASE.model)[1][0] for item in ITEMS)
    assert together == alone
    monkeypatch.setattr(scoring, "REQUEST_TOKENS", 4)
    assert run_alone(score(BASE, None, ITEMS), BASE.model)[1] == together


def test_an_empty_continuation_takes_no_forward() -> None:
    work = score(BASE, None, [ScoreItem(prompt=(1,), continuation=())])
    _, (empty,), requests = run_work(work, lambda segment, rows: peaked([1]))
    assert (empty.log_likelihood, empty.token_log_likelihoods, empty.greedy) == (0.0, (), True)
    assert requests == []


def test_a_greedy_continuation_is_the_arg_max_all_along() -> None:
    items = [ScoreItem(prompt=(7,), continuation=(10, 11)), ScoreItem(prompt=(7,), continuation=(10, 12))]
    _, scores, _ = run_work(score(BASE, None, items), lambda segment, rows: peaked([10, 11]))
    assert [each.greedy for each in scores] == [True, False]


def test_bad_input_is_refused_by_name() -> None:
    for item, option in (
        (ScoreItem(prompt=(), continuation=(1,)), "prompt"),
        (ScoreItem(prompt=(VOCAB_SIZE,), continuation=(1,)), "prompt"),
        (ScoreItem(prompt=(1,), continuation=(-1,)), "continuation"),
        (ScoreItem(prompt=(1,) * 90, continuation=(1,) * 7), "prompt"),
    ):
        with pytest.raises(LadError) as raised:
            check_scoring(BASE, [item])
        assert raised.value.option == option


def test_a_model_that_is_no_longer_a_number_is_an_error() -> None:
    with pytest.raises(LadError) as raised:
        run_work(
            score(BASE, None, ITEMS[:1]), lambda segment, rows: torch.full((len(rows), VOCAB_SIZE), math.nan)
        )
    assert raised.value.code is ErrorCode.DIVERGED
