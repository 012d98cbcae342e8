"""Self-speculation: greedy, the answer is `ar`'s; at temperature > 0, its distribution is the base's."""

import functools
import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.random import CanvasKey, Purpose
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import LogitsRequest
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling import speculate as speculating
from lad_runtime.torch_backend.sampling import verdict
from lad_runtime.torch_backend.sampling.draw import filtered_probabilities
from lad_runtime.torch_backend.sampling.needs import sampling_bytes
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.torch_backend.sampling.verdict import drafted, judged
from lad_runtime.types.sampling import Canvas, SamplingSpec
from sampling_helpers import (
    CONFIG,
    EOS_ID,
    MASK_ID,
    VOCAB_SIZE,
    answered,
    peaked,
    run_alone,
    run_together,
    small_base,
    trained_adapter,
)
from sampling_specs import (
    answer_canvas,
    ar_policy,
    draw_spec,
    remask_policy,
    sampling_spec,
    speculative_policy,
)

BASE = small_base()
ADAPTER = trained_adapter()
PROMPT = (11, 3, 30, 4, 17)
TOKENS = answer_canvas(1, mask_token_id=MASK_ID, stop_token_ids=(EOS_ID,))


def spec_of(
    decided: str = "canvas", draft_tokens: int = 5, patience: int = 2, **options: Any
) -> SamplingSpec:
    policy = speculative_policy(decided=decided, draft_tokens=draft_tokens, patience=patience)
    return sampling_spec(**{"policy": policy, "answer_tokens": 14, "attention": "causal-prefix", **options})


def segments_of(work: Any) -> list[Segment]:
    """All that a piece of work has computed."""
    seen: list[Segment] = []

    def noted() -> Any:
        reply = None
        while True:
            try:
                asked = work.send(reply)
            except StopIteration as end:
                return end.value
            seen.extend(getattr(asked, "segments", ()))
            reply = yield asked

    run_alone(noted(), BASE.model)
    return seen


def work_of(spec: SamplingSpec, prompt: tuple[int, ...] = PROMPT, seed: int = 3) -> Any:
    adapter = None if spec.policy.kind == "ar" else ADAPTER
    return sample_canvas(BASE, adapter, Canvas(prompt=prompt, seed=seed, begin=None, size=None), 0, spec)


@functools.cache
def baseline(eos_bias: float) -> Any:
    """The base's own frames and outcome, which no option of a draft changes."""
    spec = sampling_spec(policy=ar_policy(), answer_tokens=14, draw=draw_spec(eos_bias=eos_bias))
    return run_alone(work_of(spec), BASE.model)


PLACEMENTS = [
    ("full", "canvas"),
    ("prefix", "canvas"),
    ("causal-prefix", "canvas"),
    ("causal-prefix", "past"),
]


@pytest.mark.parametrize(("attention", "decided"), PLACEMENTS)
@pytest.mark.parametrize("draft_tokens", [1, 3, 13, 40])
@pytest.mark.parametrize("patience", [0, 1, 40])
@pytest.mark.parametrize(("eos_bias", "canvas_tokens"), [(0.0, 0), (2.5, 4), (-math.inf, 0), (-math.inf, 1)])
def test_a_greedy_answer_is_the_bases_own_token_for_token(
    attention: str, decided: str, draft_tokens: int, patience: int, eos_bias: float, canvas_tokens: int
) -> None:
    draw = draw_spec(eos_bias=eos_bias)
    spec = spec_of(
        decided, draft_tokens, patience, attention=attention, draw=draw, canvas_tokens=canvas_tokens
    )
    frames, outcome = run_alone(work_of(spec), BASE.model)
    own_frames, own = baseline(eos_bias)
    answer = answered(outcome)
    assert (answer.canvas_ids, answer.ids, answer.stopped) == (own.canvas_ids, own.ids, own.stopped)
    confidences = [edit.confidence for frame in frames for edit in frame.edits]
    assert confidences == [edit.confidence for frame in own_frames for edit in frame.edits]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("past", [1, 7, 30])
def test_tokens_one_by_one_give_the_logits_and_keys_of_a_forward_each(length: int, past: int) -> None:
    model, ids = BASE.model, torch.arange(8, 8 + past + length)

    def logits(cache: Any, ids: Tensor, **options: Any) -> Tensor:
        segment = Segment(ids=ids, mode="causal", cache=cache, **options)
        request = LogitsRequest(segments=(segment,), rows=(torch.arange(len(ids)),))
        ((logits_LV,),) = compute(model, [request])
        return logits_LV  # type: ignore[no-any-return]

    together, apart = model.cache(past + length), model.cache(past + length)
    for cache in (together, apart):
        logits(cache, ids[:past])
    whole = logits(together, ids[past:], one_by_one=True)
    rows = [logits(apart, ids[past + i : past + i + 1]) for i in range(length)]
    assert torch.equal(whole, torch.cat(rows))
    for layer in range(CONFIG.num_layers):
        for ours, theirs in zip(together.read(layer), apart.read(layer), strict=True):
            assert torch.equal(ours, theirs)


def test_every_answer_in_company_is_what_it_is_alone() -> None:
    """Drafting, checking, `ar` and denoising requests, of several lengths, all in the same batches."""
    warm = draw_spec(temperature=0.9, top_k=12)
    specs = [
        spec_of("canvas"),
        spec_of("past", 3),
        spec_of("canvas", 2, draw=warm, attention="full"),
        spec_of("past", draw=warm, answer_tokens=11),
        sampling_spec(policy=ar_policy(), answer_tokens=9),
        sampling_spec(policy=remask_policy(iterations=6), answer_tokens=12, attention="causal-prefix"),
    ]
    prompts = [PROMPT, PROMPT[:3], (9, 9), PROMPT, PROMPT, (7, 8, 40)]
    alone = [run_alone(work_of(s, p), BASE.model) for s, p in zip(specs, prompts, strict=True)]
    frames, outcomes = run_together([work_of(s, p) for s, p in zip(specs, prompts, strict=True)], BASE.model)
    assert outcomes == [outcome for _, outcome in alone]
    assert frames == [each for each, _ in alone]


def test_the_draws_depend_on_the_seed_alone() -> None:
    spec = spec_of(draw=draw_spec(temperature=1.2))
    answers = [run_alone(work_of(spec, seed=seed), BASE.model)[1].canvas_ids for seed in (1, 1, 2, 3, 4)]
    assert answers[0] == answers[1]
    assert len(set(answers)) > 2


@pytest.mark.parametrize("decided", ["canvas", "past"])
@pytest.mark.parametrize("patience", [0, 1, 2, 40])
def test_frames_tell_of_each_round_what_was_checked_and_what_stands(decided: str, patience: int) -> None:
    spec = spec_of(decided, 4, patience, draw=draw_spec(eos_bias=-math.inf))
    frames, outcome = run_alone(work_of(spec), BASE.model)
    rounds = [frame.speculation for frame in frames]
    assert rounds[0] is not None and (rounds[0].drafted, rounds[0].accepted) == ((), 0)
    drafts, drafted_tokens, misses, rest = 0, 0, 0, ()
    for before, frame in pairwise(frames):
        made = frame.speculation
        assert made is not None and frame.iteration == before.iteration + 1
        if rest and misses < patience:
            assert made.drafted == rest
            misses += made.accepted == 0
        elif made.drafted:
            drafts, drafted_tokens, misses = drafts + 1, drafted_tokens + len(made.drafted), 0
        rest = made.drafted[made.accepted + 1 :]
        added = frame.answer[len(before.answer) :]
        assert added[: made.accepted] == made.drafted[: made.accepted]
        assert len(added) == made.accepted + 1  # the base's own behind them
        if made.accepted < len(made.drafted):
            assert added[-1] != made.drafted[made.accepted]
    spent = answered(outcome).speculation
    assert spent is not None
    assert spent.rounds == spent.check_forwards == len(frames) - 1
    assert (spent.draft_forwards, spent.drafted) == (drafts, drafted_tokens)
    assert spent.accepted == sum(made.accepted for made in rounds if made)
    assert drafts < spent.rounds or patience == 0
    assert outcome.iterations == spent.draft_forwards + spent.check_forwards
    assert outcome.canvas_ids == frames[-1].answer


def test_nothing_is_computed_behind_the_answers_last_token() -> None:
    """A draft leaves room for the base's own token, and one last token takes no draft at all."""
    spec = spec_of(draft_tokens=40, answer_tokens=2, draw=draw_spec(eos_bias=-math.inf))
    _, outcome = run_alone(work_of(spec), BASE.model)
    spent = answered(outcome).speculation
    assert spent is not None and (spent.rounds, spent.draft_forwards, spent.drafted) == (1, 0, 0)


@pytest.mark.parametrize("decided", ["canvas", "past"])
def test_a_draft_is_made_from_as_many_masks_as_its_canvas_has(decided: str) -> None:
    shown = 5
    draw = draw_spec(eos_bias=-math.inf)
    spec = spec_of(decided, 40, 0, attention="causal-prefix", draw=draw, canvas_tokens=shown)
    asked = segments_of(work_of(spec))
    lengths = [int((segment.ids == MASK_ID).sum()) for segment in asked if segment.adapter is not None]
    assert lengths[0] == max(lengths) == shown


def test_a_draft_ends_where_it_is_unlikely_to_stand_as_a_whole() -> None:
    logits = torch.log(torch.full((4, VOCAB_SIZE), 0.2 / (VOCAB_SIZE - 1)))
    logits[:, 7] = math.log(0.8)
    key = CanvasKey(seed=0, canvas=0)
    allowed = draw_spec(allow_mask=True)
    for least, length in ((0.0, 4), (0.6, 2), (0.45, 3), (0.99, 1)):
        assert len(drafted(logits, allowed, TOKENS, key, 1, least).tokens) == length
    warm = draw_spec(temperature=1.0)
    lengths = {
        len(drafted(logits, warm, TOKENS, CanvasKey(seed=s, canvas=0), 1, 0.6).tokens) for s in range(50)
    }
    assert lengths == {1, 2}  # 1 only where a stop token was drawn first


def test_a_draft_ends_behind_its_first_stop_token_and_has_no_mask() -> None:
    logits = peaked([7, EOS_ID, 9])
    logits[0, MASK_ID] = 100.0
    draft = drafted(logits, draw_spec(), TOKENS, CanvasKey(seed=0, canvas=0), 1, 0.0)
    assert draft.tokens == (7, EOS_ID)
    accepted = judged(draft, peaked([7, EOS_ID]), draw_spec(), TOKENS, CanvasKey(seed=0, canvas=0), round=1)
    assert (accepted.tokens, accepted.accepted) == ((7, EOS_ID), 2)


def test_the_base_may_say_mask_itself() -> None:
    verdict_ = judged(None, peaked([MASK_ID]), draw_spec(), TOKENS, CanvasKey(seed=0, canvas=0), round=1)
    assert verdict_.tokens == (MASK_ID,)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_not_numbers_are_refused(temperature: float) -> None:
    draw, key = draw_spec(temperature=temperature), CanvasKey(seed=0, canvas=0)
    broken = peaked([1, 2])
    broken[1, 3] = math.nan
    for refused in (
        lambda: drafted(broken, draw, TOKENS, key, 1, 0.0),
        lambda: judged(None, broken[1:], draw, TOKENS, key, round=1),
    ):
        with pytest.raises(LadError) as error:
            refused()
        assert error.value.code == ErrorCode.DIVERGED


def test_a_past_that_no_base_shares_is_refused_by_name() -> None:
    with pytest.raises(LadError, match=r"policy\.decided") as error:
        spec_of("past", attention="full")
    assert "causal-prefix" in error.value.remedy


def test_its_memory_is_the_bases_cache_and_with_prefix_the_adapters_prompt() -> None:
    canvases = [Canvas(prompt=PROMPT, seed=0, begin=None, size=None)]
    position = 2 * CONFIG.num_layers * CONFIG.num_kv_heads * CONFIG.head_dim * 4
    own = len(PROMPT) + 13
    assert sampling_bytes(BASE.model, canvases, spec_of()) == position * (len(PROMPT) + own)
    prefix = spec_of(attention="prefix")
    assert sampling_bytes(BASE.model, canvases, prefix) == position * (2 * len(PROMPT) + own)


@pytest.mark.parametrize(("draft_tokens", "canvas_tokens", "most"), [(5, 0, 5), (2**20, 0, 12), (9, 4, 4)])
def test_what_drafts_were_drawn_from_is_counted(
    monkeypatch: pytest.MonkeyPatch, draft_tokens: int, canvas_tokens: int, most: int
) -> None:
    kept: list[int] = []

    def noting(*given: Any) -> verdict.Draft:
        made = drafted(*given)
        assert made.probabilities_KV is not None
        kept.append(made.probabilities_KV.nbytes)
        return made

    monkeypatch.setattr(speculating, "drafted", noting)
    spec = spec_of(draft_tokens=draft_tokens, canvas_tokens=canvas_tokens, draw=draw_spec(temperature=1.0))
    canvases = [Canvas(prompt=PROMPT, seed=seed, begin=None, size=None) for seed in range(3)]
    run_together([sample_canvas(BASE, ADAPTER, canvas, 0, spec) for canvas in canvases], BASE.model)
    greedy = replace(spec, draw=draw_spec())
    counted = sampling_bytes(BASE.model, canvases, spec) - sampling_bytes(BASE.model, canvases, greedy)
    assert counted == 3 * max(kept) == 3 * most * VOCAB_SIZE * 8


# The distribution at temperature > 0, on a base and a drafter whose logits are a function of the prefix.

WORDS = 6
LENGTH = 4
WARM = draw_spec(temperature=1.0, top_k=4, allow_mask=True)
ALONE = answer_canvas(LENGTH, mask_token_id=MASK_ID, stop_token_ids=())
Judge = Callable[..., verdict.Verdict]


class Tables:
    """Logits of a base [V] by prefix, and of a drafter [rows, V] by prefix, the second near the first."""

    def __init__(self, nearness: float) -> None:
        generator = torch.Generator().manual_seed(5)
        self._base: dict[tuple[int, ...], Tensor] = {}
        self._drafts: dict[tuple[int, ...], Tensor] = {}
        self._noise = lambda rows: torch.randn(rows, WORDS, generator=generator)
        self._nearness = nearness

    def base(self, prefix: tuple[int, ...]) -> Tensor:
        if prefix not in self._base:
            self._base[prefix] = 1.5 * self._noise(1)[0]
        return self._base[prefix]

    def draft(self, prefix: tuple[int, ...], rows: int) -> Tensor:
        if prefix not in self._drafts:
            near = self._nearness * self.base(prefix)
            self._drafts[prefix] = near + self._noise(rows)
        return self._drafts[prefix]


TABLES = Tables(nearness=1.0)
ENOUGH = 2_500
"""Answers that tell every mutant of the rule from it."""
MANY = 20_000 if os.environ.get("LAD_ALL_ITEMS") == "1" else ENOUGH


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters each of the tables' rows once."""
    known: dict[bytes, Tensor] = {}

    def filtered(logits_RV: Tensor, spec: Any) -> Tensor:
        name = logits_RV.numpy().tobytes()
        if name not in known:
            known[name] = filtered_probabilities(logits_RV, spec)
        return known[name]

    monkeypatch.setattr(verdict, "filtered_probabilities", filtered)


@functools.cache
def exact_distribution() -> dict[tuple[int, ...], float]:
    """Every answer's probability under the base with the same filter."""
    reached: dict[tuple[int, ...], float] = {(): 1.0}
    for _ in range(LENGTH):
        reached = {
            (*prefix, token): weight * share
            for prefix, weight in reached.items()
            for token, share in enumerate(filtered_probabilities(TABLES.base(prefix)[None], WARM)[0].tolist())
            if share > 0
        }
    return reached


def speculated(
    number: int,
    draft: Any = drafted,
    judge: Judge = judged,
    left: Callable[..., Any] = verdict.Draft.left,
    patience: int = 9,
) -> tuple[tuple[int, ...], int, int]:
    """The answer of canvas `number` by rounds of the two tables, with the tokens offered and accepted."""
    key, answer, offered, accepted, round = CanvasKey(seed=7, canvas=number), (), 0, 0, 0
    guess = None
    while len(answer) < LENGTH:
        round += 1
        count = LENGTH - len(answer) - 1
        if guess is None and count:
            guess = draft(TABLES.draft(answer, count), WARM, ALONE, key, round, 0.0)
        tokens = guess.tokens if guess else ()
        rows = torch.stack([TABLES.base((*answer, *tokens[:i])) for i in range(len(tokens) + 1)])
        made = judge(guess, rows, WARM, ALONE, key, round=round)
        answer += made.tokens
        offered += len(tokens)
        accepted += made.accepted
        guess = left(guess, made, patience) if guess else None
    return answer, offered, accepted


def p_value(answers: Counter[tuple[int, ...]]) -> float:
    """χ² of the counts against the exact distribution, the rarest answers pooled to cells of at least 5 expected."""
    total, exact = answers.total(), exact_distribution()
    if any(answer not in exact for answer in answers):
        return 0.0
    cells: list[tuple[float, int]] = []
    expected, seen = 0.0, 0
    for answer in sorted(exact, key=exact.__getitem__):
        expected, seen = expected + total * exact[answer], seen + answers[answer]
        if expected >= 5:
            cells.append((expected, seen))
            expected, seen = 0.0, 0
    cells[-1] = (cells[-1][0] + expected, cells[-1][1] + seen)
    statistic = sum((seen - expected) ** 2 / expected for expected, seen in cells)
    freedom = len(cells) - 1
    return float(
        torch.special.gammaincc(torch.tensor(freedom / 2, dtype=torch.float64), torch.tensor(statistic / 2))
    )


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize(("patience", "answers"), [(0, ENOUGH), (1, MANY)])
def test_sampled_answers_have_the_bases_exact_distribution(patience: int, answers: int) -> None:
    made = [speculated(number, patience=patience) for number in range(answers)]
    acceptance = sum(accepted for _, _, accepted in made) / sum(offered for _, offered, _ in made)
    assert 0.2 < acceptance < 0.8
    assert p_value(Counter(answer for answer, _, _ in made)) > 0.01


def always(draft: Any, rows: Tensor, *rest: Any, **named: Any) -> Any:
    """Accepts whatever was drafted."""
    made = judged(None, rows[-1:], *rest, **named)
    tokens = (*(draft.tokens if draft else ()), *made.tokens)
    return verdict.Verdict(tokens=tokens, confidences=(1.0,) * len(tokens), accepted=len(tokens) - 1)


MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], dict[str, Any]]] = {}


def mutant(make: Callable[[pytest.MonkeyPatch], dict[str, Any]]) -> Callable[[pytest.MonkeyPatch], Any]:
    MUTANTS[make.__name__] = make
    return make


@mutant
def every_draft_accepted(patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"judge": always}


@mutant
def the_residual_is_p(patch: pytest.MonkeyPatch) -> dict[str, Any]:
    def judge(draft: Any, rows: Tensor, spec: Any, tokens: Any, key: Any, *, round: int) -> Any:
        made = judged(draft, rows, spec, tokens, key, round=round)
        if draft is None or made.accepted == len(draft.tokens):
            return made
        p_V = filtered_probabilities(rows[made.accepted][None], spec)[0]
        instead = verdict._drawn(p_V, key, Purpose.RESIDUAL, round, made.accepted)
        return verdict.Verdict(
            tokens=(*made.tokens[:-1], instead), confidences=made.confidences, accepted=made.accepted
        )

    return {"judge": judge}


@mutant
def q_is_unfiltered(patch: pytest.MonkeyPatch) -> dict[str, Any]:
    def draft(logits_KV: Tensor, *rest: Any) -> Any:
        made = drafted(logits_KV, *rest)
        return verdict.Draft(tokens=made.tokens, probabilities_KV=torch.softmax(logits_KV.double(), -1))

    return {"draft": draft}


@mutant
def one_number_drafts_and_accepts(patch: pytest.MonkeyPatch) -> dict[str, Any]:
    uniforms = verdict.uniforms

    def shared(seed: int, purpose: Purpose, *rest: Any) -> Any:
        return uniforms(seed, Purpose.DRAFT if purpose is Purpose.ACCEPT else purpose, *rest)

    patch.setattr(verdict, "uniforms", shared)
    return {}


@mutant
def the_rest_is_checked_only_where_its_next_token_is_small(patch: pytest.MonkeyPatch) -> dict[str, Any]:
    def left(draft: verdict.Draft, made: verdict.Verdict, patience: int) -> verdict.Draft | None:
        rest = draft.left(made, patience)
        return rest if rest and rest.tokens[0] < 3 else None

    return {"left": left}


@mutant
def the_rest_has_the_q_of_the_first_places(patch: pytest.MonkeyPatch) -> dict[str, Any]:
    def left(draft: verdict.Draft, made: verdict.Verdict, patience: int) -> verdict.Draft | None:
        rest = draft.left(made, patience)
        return replace(rest, probabilities_KV=draft.probabilities_KV) if rest else None

    return {"left": left}


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("name", MUTANTS)
def test_the_same_test_finds_every_mutant_of_the_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = MUTANTS[name](monkeypatch)
    answers: Counter[tuple[int, ...]] = Counter()
    for number in range(ENOUGH):
        answers[speculated(number, **changed)[0]] += 1
        if answers.total() % (ENOUGH // 5) == 0 and p_value(answers) < 1e-6:
            return
    pytest.fail(f"{ENOUGH} answers do not tell the mutant from the rule")
