"""Log-likelihoods of continuations: those of transformers and of plain slow forwards, counted up to the first EOS."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.prefix_cache import Prompts
from lad_runtime.torch_backend.forward.requests import ContextRequest, HeadRequest, LogitsRequest, LossRequest
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.scoring import causal as causal_scoring
from lad_runtime.torch_backend.scoring import masked as masked_scoring
from lad_runtime.torch_backend.scoring import shared_prompts, token_likelihoods
from lad_runtime.torch_backend.scoring.likelihood_masks import likelihood_masks
from lad_runtime.torch_backend.scoring.score import SCORING, check_scoring, score
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.evaluation import (
    CausalLikelihood,
    Likelihood,
    MonteCarloLikelihood,
    PseudoLikelihood,
    Score,
    ScoreItem,
    ScoreTask,
)
from sampling_helpers import (
    CONFIG,
    EOS_ID,
    MASK_ID,
    VOCAB_SIZE,
    run_alone,
    run_together,
    run_work,
    small_base,
    trained_adapter,
)

BASE = small_base()
CAUSAL, PSEUDO = CausalLikelihood(), PseudoLikelihood()
MONTE_CARLO = MonteCarloLikelihood(samples=6, stratified=True, seed=11)
DENOISING: list[AttentionMode] = ["full", "prefix", "causal-prefix"]
KINDS: list[tuple[Likelihood, AttentionMode]] = [
    (CAUSAL, "causal"),
    *((likelihood, mode) for likelihood in (PSEUDO, MONTE_CARLO) for mode in DENOISING),
]


def item(prompt: Sequence[int], continuation: Sequence[int], key: int = 0) -> ScoreItem:
    return ScoreItem(prompt=tuple(prompt), continuation=tuple(continuation), key=key)


ITEMS = [
    item((7, 8, 9), (10, 11, 12), 1),
    item((3,), (50,), 2),
    item((20, 21), (22, EOS_ID, 23, EOS_ID), 3),
]
QUESTION = tuple(range(10, 30))
CHOICES = [
    item(QUESTION, (31,), 4),
    item(QUESTION, (31, 32, 33), 5),
    item(QUESTION, (34, 35), 6),
    item((*QUESTION, 36), (37, 38), 7),
    item((*QUESTION[:12], 40), (41, 42), 8),
]


def scored(
    items: Sequence[ScoreItem],
    likelihood: Likelihood = CAUSAL,
    mode: AttentionMode = "causal",
    adapter: LoraAdapter | None = None,
) -> tuple[Score, ...]:
    task = ScoreTask(items=tuple(items), mode=mode, likelihood=likelihood)
    scores: tuple[Score, ...] = run_alone(score(small(), adapter, task), BASE.model)[1]
    return scores


def small() -> Base:
    """The base with an empty cache of prompts, so that nothing is known from a test before."""
    return replace(BASE, prompts=Prompts())


def plain(one: ScoreItem, adapter: LoraAdapter | None = None) -> list[float]:
    """Each token of a continuation by a causal forward over all before it, on its own."""
    values = []
    for i, token in enumerate(one.continuation):
        segment = Segment(
            ids=torch.tensor((*one.prompt, *one.continuation[:i])), adapter=adapter, mode="causal"
        )
        request = LogitsRequest(segments=(segment,), rows=(torch.tensor([len(segment.ids) - 1]),))
        ((logits_1V,),) = compute(BASE.model, [request])  # type: ignore[misc]
        values.append(float(logits_1V.double().log_softmax(-1)[0, token]))
    return values


def denoised(
    one: ScoreItem, masked: Sequence[int], mode: AttentionMode, adapter: LoraAdapter | None
) -> list[float]:
    """log p of the masked tokens by one forward without any cache but the prompt's of `causal-prefix`."""
    shown = [MASK_ID if i in masked else token for i, token in enumerate(one.continuation)]
    start = len(one.prompt)
    if mode == "causal-prefix":
        cache = BASE.model.cache(start)
        compute(
            BASE.model,
            [ContextRequest.of(Segment(ids=torch.tensor(one.prompt), mode="causal", cache=cache))],
        )
        segment, start = Segment(ids=torch.tensor(shown), adapter=adapter, context=cache), 0
    else:
        ids = torch.tensor((*one.prompt, *shown))
        segment = Segment(ids=ids, adapter=adapter, mode=mode, prompt_tokens=start)
    request = LogitsRequest(segments=(segment,), rows=(torch.tensor([start + i for i in masked]),))
    ((logits_RV,),) = compute(BASE.model, [request])  # type: ignore[misc]
    rows = logits_RV.double().log_softmax(-1)
    return [float(row[one.continuation[i]]) for row, i in zip(rows, masked, strict=True)]


def test_scores_are_transformers_log_likelihoods() -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.LlamaForCausalLM(transformers.LlamaConfig(**CONFIG.to_hf())).eval()
    theirs.load_state_dict(BASE.model.weights, strict=False)
    theirs.tie_weights()
    for one, ours in zip(ITEMS, scored(ITEMS), strict=True):
        with torch.no_grad():
            logits_LV = theirs(torch.tensor([one.prompt + one.continuation])).logits[0]
        rows = logits_LV.log_softmax(-1)[len(one.prompt) - 1 : -1]
        wanted = rows.gather(1, torch.tensor(one.continuation)[:, None])[:, 0].tolist()
        counted = wanted[: len(ours.token_log_likelihoods)]
        assert ours.token_log_likelihoods == pytest.approx(counted, rel=1e-4, abs=1e-5)
        assert ours.log_likelihood == pytest.approx(math.fsum(counted), rel=1e-4)


def test_the_first_eos_counts_and_the_tail_does_not() -> None:
    for likelihood, mode in KINDS:
        lengths = [len(each.token_log_likelihoods) for each in scored(ITEMS, likelihood, mode)]
        assert lengths == [3, 1, 2]


def test_scores_are_minus_the_losses_of_a_causal_forward() -> None:
    adapter = trained_adapter()
    (ours,) = scored(ITEMS[:1], adapter=adapter)
    segment = Segment(ids=torch.tensor([7, 8, 9, 10, 11]), adapter=adapter, mode="causal")
    targets = torch.tensor([IGNORE_INDEX, IGNORE_INDEX, 10, 11, 12])
    ((ce_L,),) = compute(BASE.model, [LossRequest(segments=(segment,), targets=(targets,))])
    assert [-value for value in ours.token_log_likelihoods] == pytest.approx(ce_L[2:].tolist(), rel=1e-5)


@pytest.mark.parametrize(("likelihood", "mode"), KINDS)
def test_an_items_score_has_the_same_bits_in_any_company(
    likelihood: Likelihood, mode: AttentionMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = ITEMS + CHOICES
    adapter = trained_adapter()
    monkeypatch.setattr(shared_prompts, "BLOCK", 4)
    together = scored(items, likelihood, mode, adapter)
    alone = tuple(scored([one], likelihood, mode, adapter)[0] for one in items)
    assert together == alone
    assert scored(items[::-1], likelihood, mode, adapter)[::-1] == alone
    for module in (causal_scoring, masked_scoring, shared_prompts):
        monkeypatch.setattr(module, "REQUEST_TOKENS", 9)
    monkeypatch.setattr(causal_scoring, "GROUP_TOKENS", 40)
    monkeypatch.setattr(token_likelihoods, "HEAD_ROWS", 3)
    assert scored(items, likelihood, mode, adapter) == alone


def test_scores_of_two_calls_in_one_batch_are_those_of_each() -> None:
    adapter = trained_adapter()
    tasks = [ScoreTask(items=tuple(items), mode="causal", likelihood=CAUSAL) for items in (ITEMS, CHOICES)]
    _, together = run_together([score(BASE, adapter, task) for task in tasks], BASE.model)
    assert together == [scored(task.items, adapter=adapter) for task in tasks]


PROMPTS = st.lists(st.integers(6, 8), min_size=1, max_size=9)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(PROMPTS, st.lists(st.integers(6, 9), min_size=1, max_size=4)), min_size=1, max_size=8)
)
def test_prompts_that_begin_alike_are_computed_once_and_to_the_plain_values(
    given_items: list[tuple[list[int], list[int]]],
) -> None:
    items = [item(prompt, continuation) for prompt, continuation in given_items]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shared_prompts, "BLOCK", 2)
        patched.setattr(causal_scoring, "GROUP_TOKENS", 30)
        alone = [scored([one])[0] for one in items]
        assert list(scored(items)) == alone
    for one, ours in zip(items, alone, strict=True):
        # float32 sums of attention go in another order where a prompt is divided: 6e-8 a term, of logits up to 10
        assert ours.token_log_likelihoods == pytest.approx(plain(one), abs=2e-5)
        assert ours.log_likelihood == math.fsum(ours.token_log_likelihoods)


def test_a_prompt_that_several_items_share_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_prompts, "BLOCK", 8)
    computed: list[int] = []
    hidden_states = Llama.hidden_states

    def counted(model: Llama, batch, **more):  # type: ignore[no-untyped-def]
        computed.append(sum(len(segment.ids) for segment in batch.segments))
        return hidden_states(model, batch, **more)

    monkeypatch.setattr(Llama, "hidden_states", counted)
    scored(CHOICES[:3])
    assert sum(computed) == len(QUESTION) + 0 + 2 + 1  # the last token of a continuation predicts nothing
    computed.clear()
    scored(CHOICES)
    # The fourth shares two blocks and begins a third of 5, the fifth one block and has 5 more.
    assert sum(computed) == len(QUESTION) + 3 + (5 + 1) + (5 + 1)
    computed.clear()
    monkeypatch.setattr(
        causal_scoring, "GROUP_TOKENS", 1
    )  # each item is a group: the last prompt serves the next
    scored(CHOICES)
    assert sum(computed) == len(QUESTION) + 3 + (5 + 1) + (5 + 1)


@pytest.mark.parametrize("mode", DENOISING)
def test_the_pseudo_likelihood_is_one_forward_of_masks(mode: AttentionMode) -> None:
    adapter = trained_adapter()
    for one in CHOICES:
        (ours,) = scored([one], PSEUDO, mode, adapter)
        wanted = denoised(one, range(len(one.continuation)), mode, adapter)
        assert ours.token_log_likelihoods == pytest.approx(wanted, abs=2e-5)
        assert ours.log_likelihood == pytest.approx(math.fsum(wanted), abs=1e-4)
        assert ours.estimates == ()


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("mode", DENOISING)
def test_the_monte_carlo_likelihood_is_the_mean_of_its_samples(mode: AttentionMode, stratified: bool) -> None:
    adapter = trained_adapter()
    likelihood = replace(MONTE_CARLO, stratified=stratified)
    for one in CHOICES:
        (ours,) = scored([one], likelihood, mode, adapter)
        length = len(one.continuation)
        masks = likelihood_masks(seed=11, key=one.key, length=length, samples=6, stratified=stratified)
        wanted = [length / len(masked) * math.fsum(denoised(one, masked, mode, adapter)) for masked in masks]
        assert ours.estimates == pytest.approx(wanted, abs=1e-4)
        assert ours.log_likelihood == pytest.approx(sum(wanted) / 6, abs=1e-4)
        assert math.fsum(ours.token_log_likelihoods) == pytest.approx(ours.log_likelihood, rel=1e-12)


def test_the_monte_carlo_likelihood_comes_to_the_mean_over_all_masks() -> None:
    one = CHOICES[1]
    exact = 0.0
    for count, masks in ((1, [(0,), (1,), (2,)]), (2, [(0, 1), (0, 2), (1, 2)]), (3, [(0, 1, 2)])):
        mean = sum(sum(denoised(one, masked, "full", None)) for masked in masks) / len(masks)
        exact += 3 / count * mean / 3
    (ours,) = scored([one], replace(MONTE_CARLO, samples=4096, stratified=False), "full")
    deviation = math.sqrt(sum((each - exact) ** 2 for each in ours.estimates)) / 4096
    assert abs(ours.log_likelihood - exact) < 4 * deviation


def test_samples_that_mask_the_same_tokens_are_one_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    forwards: list[int] = []
    hidden_states = Llama.hidden_states

    def counted(model: Llama, batch, **more):  # type: ignore[no-untyped-def]
        forwards.append(len(batch.segments))
        return hidden_states(model, batch, **more)

    monkeypatch.setattr(Llama, "hidden_states", counted)
    scored([item((7, 8), (9,)), item((7, 8), (9, 10))], replace(MONTE_CARLO, samples=128), "full")
    assert sum(forwards) == 1 + 3


def test_draws_depend_on_the_items_key_and_the_seed() -> None:
    first, again, other = (item(QUESTION, (31, 32, 33, 34, 35), key) for key in (1, 1, 2))
    a, b, c = scored([first, again, other], MONTE_CARLO, "full")
    assert a == b != c
    assert scored([first], replace(MONTE_CARLO, seed=12), "full")[0] != a


@pytest.mark.parametrize(("likelihood", "mode"), KINDS)
def test_an_empty_continuation_takes_no_forward(likelihood: Likelihood, mode: AttentionMode) -> None:
    task = ScoreTask(items=(item((1,), ()),), mode=mode, likelihood=likelihood)
    work = score(BASE, None, task)
    with pytest.raises(StopIteration) as ended:
        work.send(None)
    (empty,) = ended.value.value
    assert (empty.log_likelihood, empty.token_log_likelihoods, empty.greedy, empty.estimates) == (
        0.0,
        (),
        True,
        (),
    )


def test_a_greedy_continuation_is_the_arg_max_all_along() -> None:
    best: list[int] = []
    for _ in range(3):
        segment = Segment(ids=torch.tensor((7, 8, *best)), mode="causal")
        request = LogitsRequest(segments=(segment,), rows=(torch.tensor([len(segment.ids) - 1]),))
        ((logits_1V,),) = compute(BASE.model, [request])  # type: ignore[misc]
        best.append(int(logits_1V.argmax()))
    other = [*best[:2], (best[2] + 1) % VOCAB_SIZE]
    assert EOS_ID not in best
    assert [each.greedy for each in scored([item((7, 8), best), item((7, 8), other)])] == [True, False]


def test_bad_input_is_refused_by_name() -> None:
    for one, likelihood, option in (
        (item((), (1,)), CAUSAL, "prompt"),
        (item((VOCAB_SIZE,), (1,)), CAUSAL, "prompt"),
        (item((1,), (-1,)), CAUSAL, "continuation"),
        (item((1,) * 90, (1,) * 7), PSEUDO, "prompt"),
    ):
        mode: AttentionMode = "causal" if likelihood == CAUSAL else "full"
        with pytest.raises(LadError) as raised:
            check_scoring(BASE, ScoreTask(items=(one,), mode=mode, likelihood=likelihood))
        assert raised.value.option == option


def test_a_denoising_likelihood_needs_no_prompt_in_any_mode() -> None:
    for mode in DENOISING:
        (alone,) = scored([item((), (31, 32))], PSEUDO, mode)
        wanted = denoised(item((), (31, 32)), (0, 1), "full", None)
        assert alone.token_log_likelihoods == pytest.approx(wanted, abs=2e-5)


@pytest.mark.parametrize(
    ("likelihood", "mode"), [(CAUSAL, "full"), (PSEUDO, "causal"), (MONTE_CARLO, "causal")]
)
def test_a_likelihood_in_an_attention_mode_that_is_not_its_own_is_refused(
    likelihood: Likelihood, mode: AttentionMode
) -> None:
    with pytest.raises(LadError, match="attention"):
        ScoreTask(items=tuple(ITEMS), mode=mode, likelihood=likelihood)
    with pytest.raises(LadError, match=r"likelihood\.samples"):
        MonteCarloLikelihood(samples=0, stratified=True, seed=0)


def test_a_model_that_is_no_longer_a_number_is_an_error() -> None:
    def broken(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
        return torch.full((len(rows), VOCAB_SIZE), math.nan)

    task = ScoreTask(items=(item((7, 8), (9,)),), mode="causal", likelihood=CAUSAL)
    with pytest.raises(LadError) as raised:
        run_work(score(small(), None, task), broken)
    assert raised.value.code is ErrorCode.DIVERGED


def test_the_reserved_caches_are_what_is_held_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_prompts, "BLOCK", 4)
    monkeypatch.setattr(causal_scoring, "GROUP_TOKENS", 60)
    for likelihood, mode in KINDS:
        items = tuple(ITEMS + CHOICES)
        task = ScoreTask(items=items, mode=mode, likelihood=likelihood)
        base, held, most = small(), BASE.model.caches.nbytes, 0
        work, reply = score(base, trained_adapter(), task), None
        while True:
            try:
                asked = work.send(reply)
            except StopIteration:
                break
            if not isinstance(asked, HeadRequest):
                most = max(most, BASE.model.caches.nbytes - held)
            (reply,) = compute(BASE.model, [asked])
            most = max(most, BASE.model.caches.nbytes - held)
        assert most <= SCORING.needs(base, None, [task]).caches
        assert (most == 0) == (mode == "full")
