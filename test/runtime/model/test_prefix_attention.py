"""The attention modes `prefix` and `causal-prefix` against peft and transformers, cached against uncached, shared against alone."""

import gc
import threading
from collections.abc import Sequence
from dataclasses import replace

import peft
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lad_runtime.errors import LadError
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.prefix_cache import Prompts
from lad_runtime.torch_backend.forward.requests import ContextRequest, LogitsRequest
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.predict import predict
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.torch_backend.training.micro_batches import in_context
from lad_runtime.torch_backend.training.primitives import forward_backward
from lad_runtime.types.attention import DenoisingAttention
from lad_runtime.types.primitives import TargetedSequence
from lad_runtime.types.sampling import Canvas, PredictCanvas, SamplingSpec
from sampling_helpers import (
    CONFIG,
    EOS_ID,
    MASK_ID,
    VOCAB_SIZE,
    run_alone,
    run_together,
    small_base,
    trained_adapter,
)
from sampling_specs import (
    ar_policy,
    draw_spec,
    llada_policy,
    predict_spec,
    refine_policy,
    remask_policy,
    sampling_spec,
)
from type_specs import forward_spec

PROMPT, ANSWER = 7, 12
PREFIX_MODES = pytest.mark.parametrize("attention", ["prefix", "causal-prefix"])
WARM = draw_spec(temperature=0.9)
NO_EOS = draw_spec(temperature=0.9, eos_bias=-float("inf"))


def ids(seed: int, length: int) -> Tensor:
    return torch.randint(6, VOCAB_SIZE, (length,), generator=torch.Generator().manual_seed(seed))


def peft_model(model: Llama, adapter: LoraAdapter) -> peft.PeftModel:
    llama = transformers.LlamaForCausalLM(transformers.LlamaConfig(**model.config.to_hf())).eval()
    llama.load_state_dict(model.weights, strict=False)
    llama.tie_weights()
    spec = adapter.spec
    lora = peft.LoraConfig(r=spec.rank, lora_alpha=spec.alpha, target_modules=list(spec.targets))
    reference = peft.get_peft_model(llama, lora)
    with torch.no_grad():
        for name, parameter in adapter.parameters.items():
            reference.get_parameter(f"base_model.model.model.{name}.default.weight").copy_(parameter)
    return reference


def block_mask(*blocks: int) -> Tensor:
    """Additive [1, 1, L, L]: a token sees its own block and those before it."""
    block_L = torch.repeat_interleave(torch.arange(len(blocks)), torch.tensor(blocks))
    hidden_LL = block_L[None, :] > block_L[:, None]
    return torch.zeros(hidden_LL.shape).masked_fill(hidden_LL, -torch.inf)[None, None]


def reference_logits(reference: peft.PeftModel, attention: str, prompt: Tensor, answer: Tensor) -> Tensor:
    """[answer, V]: the whole sequence under a mask, or the answer behind the unadapted base's own cache."""
    length = len(prompt) + len(answer)
    if attention == "prefix":
        both = torch.cat([prompt, answer])[None]
        return reference(both, attention_mask=block_mask(len(prompt), len(answer))).logits[0, len(prompt) :]
    with torch.no_grad(), reference.disable_adapter():
        past = reference(prompt[None], use_cache=True).past_key_values
    return reference(
        answer[None],
        past_key_values=past,
        attention_mask=torch.zeros(1, 1, len(answer), length),
        position_ids=torch.arange(len(prompt), length)[None],
    ).logits[0]


def sequence(prompt: Tensor, answer: Tensor, targets: Tensor) -> TargetedSequence:
    return TargetedSequence(
        ids=(*prompt.tolist(), *answer.tolist()),
        targets=(*[-1] * len(prompt), *targets.tolist()),
        weights=(*[0.0] * len(prompt), *[1.0] * len(answer)),
        prompt_tokens=len(prompt),
    )


@PREFIX_MODES
def test_a_prediction_equals_that_of_peft(attention: DenoisingAttention) -> None:
    base, adapter = small_base(), trained_adapter()
    prompt, answer = ids(1, PROMPT), ids(2, ANSWER)
    with torch.no_grad():
        wanted = reference_logits(peft_model(base.model, adapter), attention, prompt, answer)
    canvas = PredictCanvas(ids=(*prompt.tolist(), *answer.tolist()), answer_start=PROMPT, seed=0, stop_from=0)
    _, (prediction,) = run_alone(
        predict(base, adapter, [canvas], predict_spec(mode=attention, logits=True)), base.model
    )
    logits = torch.frombuffer(bytearray(prediction.logits), dtype=torch.float32).view(ANSWER, VOCAB_SIZE)
    assert (logits - wanted).abs().max() <= 1e-4 * wanted.abs().max()


@PREFIX_MODES
@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_equal_those_of_peft(attention: DenoisingAttention, checkpointing: bool) -> None:
    base, trained = small_base(), TrainedAdapter(trained_adapter())
    prompt, answer, targets = ids(1, PROMPT), ids(2, ANSWER), ids(3, ANSWER)
    reference = peft_model(base.model, trained.adapter)
    logits = reference_logits(reference, attention, prompt, answer)
    loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
    loss.backward()
    forward = forward_spec(attention=attention, gradient_checkpointing=checkpointing)
    _, result = run_alone(
        forward_backward(base, trained, [sequence(prompt, answer, targets)], forward), base.model
    )
    assert result.loss == pytest.approx(loss.item(), rel=1e-4)
    assert tuple(result.ce[0][:PROMPT]) == (0.0,) * PROMPT
    for name, parameter in trained.parameters.items():
        wanted = reference.get_parameter(f"base_model.model.model.{name}.default.weight").grad
        assert (parameter.grad - wanted).abs().max() <= 1e-4 * wanted.abs().max(), name


def test_a_cached_prompt_gives_the_logits_of_an_uncached_one() -> None:
    base, adapter = small_base(), trained_adapter()
    prompt, answer = ids(1, PROMPT), ids(2, ANSWER)
    _, context = run_alone(base.prompts.context(base.model, adapter, prompt.tolist(), "prefix"), base.model)
    whole = Segment(ids=torch.cat([prompt, answer]), adapter=adapter, mode="prefix", prompt_tokens=PROMPT)
    behind = Segment(ids=answer, adapter=adapter, context=context)
    rows = torch.arange(ANSWER)
    ((uncached, cached),) = compute(
        base.model, [LogitsRequest(segments=(whole, behind), rows=(PROMPT + rows, rows))]
    )
    assert (cached - uncached).abs().max() <= 1e-5 * uncached.abs().max()


def test_a_prompt_that_is_the_whole_sequence_or_nothing_is_full_attention() -> None:
    base, adapter = small_base(), trained_adapter()
    tokens = ids(1, 9)
    segments = tuple(
        Segment(ids=tokens, adapter=adapter, mode="prefix", prompt_tokens=count) for count in (0, 9)
    )
    full = Segment(ids=tokens, adapter=adapter)
    ((none, whole, wanted),) = compute(
        base.model, [LogitsRequest(segments=(*segments, full), rows=(torch.arange(9),) * 3)]
    )
    assert torch.equal(none, wanted) and torch.equal(whole, wanted)


SPECS = [
    sampling_spec(policy=refine_policy(iterations=4, early_stop=False), answer_tokens=9, draw=WARM),
    sampling_spec(
        policy=remask_policy(iterations=5, early_stop=False, positions="confidence", retention="locked"),
        answer_tokens=11,
        draw=WARM,
    ),
    sampling_spec(policy=llada_policy(iterations=4, block_tokens=4, guidance_scale=0.5), answer_tokens=8),
]


@PREFIX_MODES
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.policy.kind)
def test_a_run_shows_its_iterations_predictions(attention: DenoisingAttention, spec: SamplingSpec) -> None:
    """The run computes its prompt once, `predict` with every canvas (of its own adapter's prompts)."""
    base, adapter = small_base(), trained_adapter()
    spec = replace(spec, attention=attention)
    prompt, seed = tuple(ids(4, PROMPT).tolist()), 41
    frames, _ = run_alone(
        sample_canvas(base, adapter, Canvas(prompt=prompt, seed=seed, begin=None, size=None), 0, spec),
        base.model,
    )
    shown = [MASK_ID] * spec.answer_tokens
    for frame in frames:
        canvas = PredictCanvas(ids=(*prompt, *shown), answer_start=PROMPT, seed=seed, stop_from=0)
        scale = spec.policy.guidance
        one = predict_spec(draw=spec.draw, iteration=frame.iteration, guidance_scale=scale, mode=attention)
        _, (prediction,) = run_alone(predict(base, adapter, [canvas], one), base.model)
        for edit in frame.edits:
            assert prediction.ids[edit.position] == edit.new
            assert prediction.confidences[edit.position] == pytest.approx(edit.confidence, abs=1e-5)
            shown[edit.position] = MASK_ID if edit.remasked else edit.new
    assert len(frames) > 2


@settings(max_examples=15, deadline=None)
@given(
    requests=st.lists(
        st.tuples(
            st.sampled_from(["full", "prefix", "causal-prefix", "ar"]),
            st.integers(0, 2),  # prompts
            st.integers(0, 2),  # adapters
            st.sampled_from(SPECS),
        ),
        min_size=2,
        max_size=7,
    )
)
def test_a_request_gets_the_same_answer_in_any_company(requests: Sequence[tuple]) -> None:
    adapters = [None, trained_adapter(rank=4), trained_adapter(rank=3, seed=4)]
    prompts = [(7, 8, 9), tuple(range(20, 37)), ()]

    def work(base: Base, attention: str, prompt: int, adapter: int, spec: SamplingSpec):
        if attention == "ar":
            canvas = Canvas(prompt=prompts[min(prompt, 1)], seed=prompt, begin=None, size=None)
            return sample_canvas(
                base, None, canvas, 0, sampling_spec(policy=ar_policy(), answer_tokens=6, draw=WARM)
            )
        canvas = Canvas(prompt=prompts[prompt], seed=prompt, begin=None, size=None)
        return sample_canvas(base, adapters[adapter], canvas, 0, replace(spec, attention=attention))

    shared = small_base()
    _, together = run_together([work(shared, *request) for request in requests], shared.model)
    for request, answer in zip(requests, together, strict=True):
        alone = small_base()  # whose prompts nobody has computed
        assert run_alone(work(alone, *request), alone.model)[1] == answer


def tokens_computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tokens of each forward from here on."""
    counts: list[int] = []
    forward = Llama.hidden_states

    def counted(self: Llama, batch, **options) -> Tensor:
        counts.append(sum(len(segment.ids) for segment in batch.segments))
        return forward(self, batch, **options)

    monkeypatch.setattr(Llama, "hidden_states", counted)
    return counts


def test_a_prompt_is_computed_once_for_all_adapters_requests_and_the_baseline(monkeypatch) -> None:
    base = small_base()
    counts = tokens_computed(monkeypatch)
    canvas = Canvas(prompt=tuple(range(10, 40)), seed=0, begin=None, size=None)
    spec = replace(SPECS[0], attention="causal-prefix")
    adapters = [None, trained_adapter(), trained_adapter(rank=3, seed=4)]
    works = [sample_canvas(base, adapter, canvas, 0, spec) for adapter in adapters]
    run_together(
        [*works, sample_canvas(base, None, canvas, 0, sampling_spec(policy=ar_policy(), answer_tokens=2))],
        base.model,
    )
    assert counts[0] == 30
    assert sum(counts) == 30 + 3 * 9 * 4 + 1
    run_alone(sample_canvas(base, adapters[1], canvas, 0, spec), base.model)
    assert sum(counts) == 30 + 4 * 9 * 4 + 1


def test_an_adapters_own_prompts_are_shared_between_its_requests_and_forgotten_with_it(monkeypatch) -> None:
    base, adapter = small_base(), trained_adapter()
    counts = tokens_computed(monkeypatch)
    spec = replace(SPECS[0], attention="prefix")
    canvases = [Canvas(prompt=tuple(range(10, 40)), seed=seed, begin=None, size=None) for seed in (0, 1)]
    run_together([sample_canvas(base, adapter, canvas, 0, spec) for canvas in canvases], base.model)
    assert counts[0] == 30 and sum(counts) == 30 + 2 * 9 * 4
    run_alone(sample_canvas(base, trained_adapter(seed=5), canvases[0], 0, spec), base.model)
    assert sum(counts) == 30 + 2 * 9 * 4 + 30 + 9 * 4
    assert base.prompts.nbytes > 0
    del adapter
    gc.collect()
    assert base.prompts.nbytes == 0


def test_requests_of_an_adapter_that_is_trained_share_a_prompt_until_its_next_step(monkeypatch) -> None:
    base, trained = small_base(), TrainedAdapter(trained_adapter())
    counts = tokens_computed(monkeypatch)
    spec = replace(SPECS[0], attention="prefix")
    canvas = Canvas(prompt=tuple(range(10, 40)), seed=0, begin=None, size=None)

    def sample(snapshot: LoraAdapter) -> int:
        """Tokens of a request's prompt that it had to compute."""
        before = sum(counts)
        run_alone(sample_canvas(base, snapshot, canvas, 0, spec), base.model)
        return sum(counts) - before - 9 * 4

    assert [sample(trained.snapshot().adapter) for _ in range(3)] == [30, 0, 0]
    trained.load_parameters({name: p.detach() + 0.1 for name, p in trained.parameters.items()})
    assert base.prompts.nbytes == 0
    assert [sample(trained.snapshot().adapter) for _ in range(2)] == [30, 0]
    del trained
    gc.collect()
    assert base.prompts.nbytes == 0


def test_the_prompts_kept_are_the_last_ones_that_fit() -> None:
    base = small_base()
    bytes_of_ten = 2 * CONFIG.num_layers * 10 * CONFIG.num_kv_heads * CONFIG.head_dim * 4
    prompts = Prompts(max_bytes=2 * bytes_of_ten)

    def missing(seed: int) -> bool:
        work = prompts.context(base.model, None, ids(seed, 10).tolist(), "causal-prefix")
        try:
            request = next(work)
        except StopIteration:
            return False
        compute(base.model, [request])
        return True

    assert [missing(seed) for seed in (1, 2, 1, 3, 1, 2)] == [True, True, False, True, False, True]
    assert prompts.nbytes == 2 * bytes_of_ten
    assert Prompts(max_bytes=0).nbytes == 0


def test_a_prompt_in_use_is_shared_though_it_is_not_kept(monkeypatch) -> None:
    base = replace(small_base(), prompts=Prompts(max_bytes=0))
    counts = tokens_computed(monkeypatch)
    spec = replace(SPECS[0], attention="causal-prefix")
    canvases = [Canvas(prompt=tuple(range(10, 40)), seed=seed, begin=None, size=None) for seed in (0, 1)]
    run_together([sample_canvas(base, None, canvas, 0, spec) for canvas in canvases], base.model)
    assert sum(counts) == 30 + 2 * 9 * 4


def test_what_the_kept_prompts_hold_can_be_asked_while_others_are_computed() -> None:
    base, stop, errors = small_base(), threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            try:
                assert base.prompts.nbytes >= 0
            except RuntimeError as error:
                errors.append(error)
                return

    asking = threading.Thread(target=ask)
    asking.start()
    for number in range(3000):
        next(base.prompts.context(base.model, None, [number % 30, number // 30], "causal-prefix"))
    stop.set()
    asking.join()
    assert errors == []


def test_finding_a_prompt_looks_at_no_other(monkeypatch) -> None:
    base, looks = small_base(), []
    for number in range(200):
        next(base.prompts.context(base.model, None, [number % 30, number // 30], "causal-prefix"))
    looked_at = property(
        lambda cache: looks.append(1) or vars(cache)["nbytes"],
        lambda cache, nbytes: vars(cache).update(nbytes=nbytes),
    )
    monkeypatch.setattr(KeyValueCache, "nbytes", looked_at, raising=False)
    next(base.prompts.context(base.model, None, [3, 1], "causal-prefix"))
    assert len(looks) <= 2


def test_a_prompt_whose_first_computation_failed_is_computed_by_the_next(monkeypatch) -> None:
    base = small_base()
    failing = base.prompts.context(base.model, None, [7, 8, 9], "causal-prefix")
    waiting = base.prompts.context(base.model, None, [7, 8, 9], "causal-prefix")
    requests = [next(failing), next(waiting)]
    forward = Llama.hidden_states
    monkeypatch.setattr(Llama, "hidden_states", lambda *_, **__: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(MemoryError):
        compute(base.model, requests)
    failing.close()
    monkeypatch.setattr(Llama, "hidden_states", forward)
    compute(base.model, requests[1:])
    with pytest.raises(StopIteration) as ended:
        waiting.send(None)
    assert ended.value.value.length == 3


@pytest.mark.parametrize("attention", ["full", "causal-prefix"])
def test_a_long_answer_goes_canvas_by_canvas_each_as_it_would_alone(attention: DenoisingAttention) -> None:
    base, adapter = small_base(), trained_adapter()
    spec = sampling_spec(
        policy=remask_policy(iterations=4),
        answer_tokens=20,
        canvas_tokens=8,
        draw=NO_EOS,
        attention=attention,
    )
    prompt: tuple[int, ...] = (7, 8, 9)
    frames, whole = run_alone(
        sample_canvas(base, adapter, Canvas(prompt=prompt, seed=5, begin=None, size=None), 0, spec),
        base.model,
    )
    answer: tuple[int, ...] = ()
    told = iter(frames)
    for number, tokens in enumerate((8, 8, 4)):
        canvas = Canvas(prompt=(*prompt, *answer), seed=5 + number, begin=None, size=None)
        one = replace(spec, answer_tokens=tokens, canvas_tokens=0)
        part_frames, part = run_alone(sample_canvas(small_base(), adapter, canvas, 0, one), base.model)
        for frame in part_frames:
            shown = next(told)
            assert shown.answer == (*answer, *frame.answer)
            assert [edit.position for edit in shown.edits] == [len(answer) + e.position for e in frame.edits]
        answer += part.canvas_ids
    assert whole.canvas_ids == answer and len(answer) == 20
    assert [frame.iteration for frame in frames] == list(range(whole.iterations))
    assert all(frame.iteration < frame.iterations <= 12 for frame in frames)


def test_an_adapter_of_random_splits_has_the_last_finished_token_in_its_next_canvas() -> None:
    base, adapter = small_base(), trained_adapter()
    spec = sampling_spec(
        policy=refine_policy(iterations=1),
        answer_tokens=7,
        canvas_tokens=3,
        draw=draw_spec(eos_bias=-10000.0),
        attention="causal-prefix",
        context="random-split",
    )
    prompt = (7, 8, 9)
    _, whole = run_alone(
        sample_canvas(base, adapter, Canvas(prompt=prompt, seed=5, begin=None, size=None), 0, spec),
        base.model,
    )

    def canvas_behind(decided: tuple[int, ...], open_tokens: int, shown: int) -> tuple[int, ...]:
        past = torch.tensor((*prompt, *decided)[: len(prompt) + len(decided) - shown])
        cache = base.model.cache(len(past))
        compute(base.model, [ContextRequest.of(Segment(ids=past, mode="causal", cache=cache))])
        canvas = torch.tensor([*decided[len(decided) - shown :], *[MASK_ID] * open_tokens])
        segment = Segment(ids=canvas, adapter=adapter, context=cache)
        request = LogitsRequest(segments=(segment,), rows=(torch.arange(shown, shown + open_tokens),))
        ((logits_RV,),) = compute(base.model, [request])
        logits_RV[:, [EOS_ID, MASK_ID]] = -torch.inf
        return tuple(logits_RV.argmax(-1).tolist())

    answer: tuple[int, ...] = canvas_behind((), 3, 0)
    for tokens in (3, 1):
        answer += canvas_behind(answer, tokens, 1)
    assert whole.canvas_ids == answer


def test_a_finished_canvas_of_an_adapters_own_prompt_sees_what_came_before_and_itself() -> None:
    """Against transformers under a block mask, with the adapter merged by peft."""
    base, adapter = small_base(), trained_adapter()
    spec = sampling_spec(
        policy=refine_policy(iterations=1),
        answer_tokens=16,
        canvas_tokens=8,
        draw=draw_spec(eos_bias=-10000.0),
        attention="prefix",
    )
    prompt = ids(4, PROMPT)
    _, answer = run_alone(
        sample_canvas(
            base, adapter, Canvas(prompt=tuple(prompt.tolist()), seed=0, begin=None, size=None), 0, spec
        ),
        base.model,
    )
    first, second = answer.canvas_ids[:8], answer.canvas_ids[8:]
    tokens = torch.tensor([*prompt.tolist(), *first, *[MASK_ID] * 8])
    with torch.no_grad():
        logits = peft_model(base.model, adapter)(tokens[None], attention_mask=block_mask(PROMPT, 8, 8)).logits
    logits[0, :, [EOS_ID, MASK_ID]] = -torch.inf
    assert tuple(logits[0, -8:].argmax(-1).tolist()) == second


def test_nothing_follows_a_canvas_with_an_eos() -> None:
    base = small_base()
    spec = sampling_spec(
        policy=refine_policy(iterations=1),
        answer_tokens=30,
        canvas_tokens=6,
        draw=draw_spec(eos_bias=10000.0),
    )
    frames, answer = run_alone(
        sample_canvas(base, None, Canvas(prompt=(7,), seed=0, begin=None, size=None), 0, spec), base.model
    )
    assert (answer.ids, answer.canvas_ids, len(frames)) == ((), (EOS_ID,) * 6, 1)


@pytest.mark.parametrize(("prompt_tokens", "targets"), [(3, (-1, -1, -1)), (2, (-1, 4, 5)), (3, (-1, -1, 5))])
def test_a_target_that_no_adapter_computes_is_refused(prompt_tokens: int, targets: tuple[int, ...]) -> None:
    base = small_base()
    wrong = TargetedSequence(ids=(7, 8, 9), targets=targets, weights=(0, 1, 1), prompt_tokens=prompt_tokens)
    with pytest.raises(LadError, match="promptTokens") as caught:
        next(in_context(base, [wrong], "causal-prefix"))
    assert caught.value.option == "promptTokens"


def test_a_run_in_causal_prefix_computes_no_gradient_for_its_prompts() -> None:
    base, trained = small_base(), TrainedAdapter(trained_adapter())
    sequences = [
        sequence(ids(seed, PROMPT), ids(seed + 9, ANSWER), ids(seed + 20, ANSWER)) for seed in (1, 2, 1)
    ]
    work = forward_backward(base, trained, sequences, forward_spec(attention="causal-prefix"))
    prompts = next(work)
    assert (
        isinstance(prompts, ContextRequest) and prompts.tokens == 2 * PROMPT
    )  # two of the three are the same
    answers = work.send(*compute(base.model, [prompts]))
    assert answers.tokens == 3 * ANSWER
