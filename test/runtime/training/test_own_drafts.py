"""Own drafts: what training shows, against one plain forward and one draw of the same adapter over each noised example."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.errors import LadError
from lad_runtime.method.data_order import Draw, batch
from lad_runtime.method.learning_rate import learning_rate
from lad_runtime.method.noise import noised_positions
from lad_runtime.method.noises.draft import draft_seed, drafted
from lad_runtime.method.random import CanvasKey
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.adapters.claims import claims_file, read_claims_file
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import (
    GradientRequest,
    HeadRequest,
    HiddenRequest,
    LogitsRequest,
)
from lad_runtime.torch_backend.kernels import frozen_head_loss
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.draw import draw
from lad_runtime.torch_backend.sampling.predict import predict
from lad_runtime.torch_backend.training import primitives
from lad_runtime.torch_backend.training.needs import draft_bytes, training_needs
from lad_runtime.torch_backend.training.own_drafts import with_drafts
from lad_runtime.torch_backend.training.rows import NoisedBatch, Noising
from lad_runtime.torch_backend.training.validate import validate
from lad_runtime.types.primitives import NoisedExamples
from lad_runtime.types.sampling import DrawSpec, PredictCanvas, PredictSpec
from lad_runtime.types.training_events import StepEvent, ValidationEvent
from method_specs import cover_noise, lad_noise, loss_spec, own_draft_noise, window_spec
from training_runs import BASE, begin_run, kill_after, run_together
from training_support import (
    EXAMPLES,
    MASK,
    drive,
    new_adapter,
    same,
    tiny_base,
    training,
    weights_of,
    windows,
)
from type_specs import forward_spec, validation_spec

SEED = 5
ANSWERS = loss_spec(supervise="all-answer-tokens")
CORRUPTED = loss_spec(supervise="corrupted-answer-tokens")
MODES = ("full", "prefix", "causal-prefix")
SETTINGS = [(mode, "prompt") for mode in MODES] + [("causal-prefix", "random-split")]


def learned(rank=4, **options):
    """An adapter that is not its base any more."""
    trained = new_adapter(rank=rank, **options)
    for name, parameter in trained.parameters.items():
        generator = torch.Generator().manual_seed(len(name) + rank)
        parameter.data.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return trained


def noised_batch(noise, examples=EXAMPLES, loss=ANSWERS, context="prompt", epoch=0, base=BASE):
    noising = Noising(base=base, noise=noise, loss=loss, context=context, seed=SEED)
    draws = [Draw(epoch=epoch, row=row) for row in range(len(examples))]
    return NoisedBatch.drawn(noising, examples, lambda: draws, lambda: False)


def rows_of(batch, trained, on_request=lambda _: None, base=BASE, **forward):
    """The rows of a batch once the model has drafted."""
    work = with_drafts(batch, trained.adapter, forward_spec(**forward))
    return list(drive(work, base.model, on_request=on_request)[1])


def draws(temperature):
    return DrawSpec(
        temperature=temperature,
        top_k=0,
        top_p=1.0,
        method="inverse-cdf",
        confidence="unfiltered",
        eos_bias=0.0,
        allow_mask=False,
    )


# --- the slow plain version ---------------------------------------------------------------------------------------------


def plain_draft(noising, example, trained, attention, epoch=0):
    """One example at a time: its noise, one forward over its whole canvas, one draw."""
    example = noising.seen(example, epoch)
    noised = noising.corrupt(example, epoch)
    seed = draft_seed(example, noising.noise, seed=noising.seed, epoch=epoch)
    if seed is None:
        return noised
    past, context = example.past_tokens, None
    if attention == "causal-prefix" and past:
        prompts = BASE.prompts.contexts(BASE.model, None, [noised.ids[:past]], attention)
        (context,) = drive(prompts, BASE.model)[1]
    begin = past if context else 0
    segment = Segment(
        ids=torch.tensor(noised.ids[begin:]),
        adapter=trained.adapter,
        mode="full" if attention == "causal-prefix" else attention,
        prompt_tokens=past if attention == "prefix" else 0,
        context=context,
    )
    rows = torch.arange(past - begin, len(segment.ids))
    ((logits_RV,),) = compute(BASE.model, [LogitsRequest(segments=(segment,), rows=(rows,))])
    tokens = draw(
        logits_RV,
        draws(noising.noise.temperature),
        tokens=BASE.info,
        key=CanvasKey(seed=seed, canvas=0),
        iteration=0,
        positions_R=np.arange(len(rows)),
    )
    ids = list(noised.ids)
    for position in noised_positions(example, noising.noise).tolist():
        ids[position] = int(tokens.ids_R[position - past])
    return replace(
        noised,
        ids=tuple(ids),
        masked=(False,) * len(ids),
        corrupted=tuple(shown != clean for shown, clean in zip(ids, example.ids, strict=True)),
    )


def shown(noised):
    return noised.ids, noised.masked, noised.corrupted


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize(("attention", "context"), SETTINGS)
def test_a_draft_is_what_one_forward_and_one_draw_make_of_the_noised_answer(attention, context, temperature):
    trained = learned()
    noise = own_draft_noise(share=0.6, temperature=temperature, noise=cover_noise())
    batch = noised_batch(noise, context=context)
    rows = rows_of(batch, trained, attention=attention, micro_batch_tokens=40)
    plain = [plain_draft(batch.noising, example, trained, attention) for example in EXAMPLES]
    assert [shown(row.noised) for row in rows] == [shown(one) for one in plain]
    asked = [draft_seed(example, noise, seed=SEED, epoch=0) is not None for example in EXAMPLES]
    assert 0 < sum(asked) < len(asked)
    changed = [row.noised.ids != before.noised.ids for row, before in zip(rows, batch, strict=True)]
    assert any(changed)
    assert not any(change and not drafts for change, drafts in zip(changed, asked, strict=True))


@pytest.mark.parametrize(("attention", "context"), SETTINGS)
def test_a_draft_is_what_predict_samples_on_the_same_canvas(attention, context):
    trained = learned()
    noise = own_draft_noise(share=1.0, temperature=0.7)
    batch = noised_batch(noise, context=context)
    rows = rows_of(batch, trained, attention=attention)
    spec = PredictSpec(draw=draws(0.7), iteration=0, top=0, logits=False, mode=attention, guidance_scale=0.0)
    for row, draw_ in zip(rows, batch.noised(), strict=True):
        canvas = PredictCanvas(
            ids=draw_.noised.ids,
            answer_start=row.example.past_tokens,
            seed=draft_seed(row.example, noise, seed=SEED, epoch=0),
            stop_from=0,
        )
        (predicted,) = drive(predict(BASE, trained.adapter, [canvas], spec), BASE.model)[1]
        assert row.noised.ids == drafted(row.example, draw_.noised, noise, predicted.ids).ids


@settings(max_examples=40, deadline=None)
@given(
    examples=st.lists(windows(), min_size=1, max_size=3),
    tail_noise=st.booleans(),
    tokens=st.integers(1, 80),
)
def test_a_draft_changes_what_its_noise_may_change_and_shows_no_mask_there(examples, tail_noise, tokens):
    noise = own_draft_noise(share=1.0, noise=lad_noise(tail_noise=tail_noise, full_mask_probability=0.5))
    batch = noised_batch(noise, examples=examples)
    for row in rows_of(batch, learned(), micro_batch_tokens=tokens):
        open_ = set(noised_positions(row.example, noise).tolist())
        for i, (now, clean) in enumerate(zip(row.noised.ids, row.example.ids, strict=True)):
            if i in open_:
                assert now != MASK
            else:
                assert now == clean
            assert row.noised.corrupted[i] == (now != clean)
        assert not any(row.noised.masked)
        assert np.isnan(row.noised.time)


def test_drafts_are_made_before_the_first_gradient_with_no_more_logits_than_a_chunk(monkeypatch):
    asked = []
    trained, noise = learned(), own_draft_noise(share=1.0)
    given_rows = NoisedExamples(
        dataset_id="d",
        window=window_spec(),
        noise=noise,
        loss=ANSWERS,
        context="prompt",
        canvas_tokens=0,
        seed=SEED,
        epoch=0,
        rows=tuple(range(8)),
    )
    monkeypatch.setitem(frozen_head_loss.CHUNK_BYTES, "cpu", 0)
    size = frozen_head_loss.chunk_rows(torch.device("cpu"), BASE.info.vocab_size)
    long = [replace_window(example, 4 * size) for example in EXAMPLES]
    work = primitives.forward_backward_noised(
        BASE, trained, long, given_rows, forward_spec(micro_batch_tokens=200)
    )
    drive(work, BASE.model, on_request=asked.append)
    kinds = [type(request) for request in asked]
    gradients = [i for i, kind in enumerate(kinds) if kind is GradientRequest]
    drafts = [i for i, kind in enumerate(kinds) if kind in (HiddenRequest, HeadRequest)]
    assert len(gradients) > 1 and max(drafts) < min(gradients)
    heads = [request.tokens for request in asked if isinstance(request, HeadRequest)]
    assert max(heads) == size and len(heads) > 8
    assert all(request.tokens <= 200 for request in asked if isinstance(request, HiddenRequest))


def replace_window(example, tail):
    """The same with so many more tokens in its tail."""
    return replace(
        example,
        ids=example.ids + (2,) * tail,
        answer=example.answer + (True,) * tail,
        tail=example.tail + (True,) * tail,
    )


def test_chunks_of_any_size_draw_the_same_tokens(monkeypatch):
    trained, batch = (
        learned(),
        noised_batch(own_draft_noise(share=1.0), [replace_window(e, 40) for e in EXAMPLES]),
    )
    whole = [row.noised.ids for row in rows_of(batch, trained)]
    monkeypatch.setitem(frozen_head_loss.CHUNK_BYTES, "cpu", 0)
    assert [row.noised.ids for row in rows_of(batch, trained)] == whole


@pytest.mark.parametrize("loss", [ANSWERS, CORRUPTED], ids=["all answer tokens", "corrupted ones"])
def test_an_example_counts_by_what_its_draft_corrupts(loss):
    noise = own_draft_noise(share=0.5, temperature=0.0, noise=lad_noise())
    batch = noised_batch(noise, loss=loss)
    rows = rows_of(batch, learned())
    counted = sum(any(target >= 0 for target in row.sequence.targets) for row in rows)
    weight = {sum(row.sequence.weights) for row in rows if any(row.sequence.weights)}
    assert all(one == pytest.approx(1 / counted, rel=1e-5) for one in weight)
    before = sum(any(target >= 0 for target in row.sequence.targets) for row in batch)
    assert (before != counted) == (loss is CORRUPTED)


def test_rows_beyond_those_that_are_kept_get_the_same_drafts(monkeypatch):
    noise, trained = own_draft_noise(share=0.7), learned()
    kept = rows_of(noised_batch(noise, loss=CORRUPTED), trained)
    monkeypatch.setattr("lad_runtime.torch_backend.training.rows._KEPT_TOKENS", 0)
    again = rows_of(noised_batch(noise, loss=CORRUPTED), trained)
    assert [shown(row.noised) for row in kept] == [shown(row.noised) for row in again]
    assert [row.sequence for row in kept] == [row.sequence for row in again]


def test_dropout_leaves_drafts_alone():
    noise = own_draft_noise(share=1.0)
    plain, dropping = learned(), learned(dropout=0.5)
    rows = [rows_of(noised_batch(noise), trained) for trained in (plain, dropping)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("noise", [lad_noise(), own_draft_noise(share=0.0)])
def test_where_nothing_is_drafted_nothing_is_asked_of_the_model(noise):
    asked = []
    rows = rows_of(noised_batch(noise), learned(), on_request=asked.append)
    assert rows == list(noised_batch(lad_noise()))
    assert not asked


# --- runs ------------------------------------------------------------------------------------------------------------------

NOISE = own_draft_noise(share=0.6, noise=cover_noise())


def run(store, spec, base=BASE, trained=None):
    """Returns (trained adapter, events)."""
    trained = trained or learned()
    return trained, drive(begin_run(store, spec, trained, base), base.model)[0]


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


def losses_of(events):
    return [event.report for event in events if isinstance(event, StepEvent)]


@pytest.mark.parametrize("after", [0.0, 0.4])
@pytest.mark.parametrize("loss", [ANSWERS, CORRUPTED], ids=["all answer tokens", "corrupted ones"])
@pytest.mark.parametrize(("attention", "context"), SETTINGS)
def test_a_run_is_bit_for_bit_the_loop_over_plain_drafts(store, attention, context, loss, after):
    noise = replace(NOISE, after=after)
    spec = training(steps=4, noise=noise, loss=loss, attention=attention, context=context)
    by_run, _ = run(store, spec)
    by_hand = learned()
    forward = forward_spec(attention=attention, micro_batch_tokens=spec.micro_batch_tokens)
    for step in range(spec.steps):
        now = noise if step >= after * spec.steps else noise.noise
        noising = Noising(base=BASE, noise=now, loss=loss, context=context, seed=spec.seed)
        drawn = list(batch(spec.seed, len(EXAMPLES), spec.batch_size, step))
        seen = [noising.seen(EXAMPLES[one.row], one.epoch) for one in drawn]
        made = [plain_draft(noising, EXAMPLES[one.row], by_hand, attention, one.epoch) for one in drawn]
        pairs = list(zip(seen, made, strict=True))
        counted = sum(any(t >= 0 for t in noising.row(*pair, 1).sequence.targets) for pair in pairs)
        rows = [noising.row(*pair, counted) for pair in pairs]
        drive(
            primitives.accumulate(BASE, by_hand, rows, forward, lambda *_: None, lambda *_: None), BASE.model
        )
        rate = learning_rate(spec.schedule, step, spec.steps)
        drive(primitives.optim_step(by_hand, spec.optimizer, rate, spec.max_gradient_norm), BASE.model)
    assert same(weights_of(by_run), weights_of(by_hand))


@pytest.mark.parametrize(("attention", "context"), SETTINGS)
def test_rows_of_a_data_set_get_the_gradient_of_a_run_that_takes_them(attention, context):
    given_rows = NoisedExamples(
        dataset_id="d",
        window=window_spec(),
        noise=NOISE,
        loss=CORRUPTED,
        context=context,
        canvas_tokens=0,
        seed=SEED,
        epoch=0,
        rows=tuple(range(len(EXAMPLES))),
    )
    forward = forward_spec(attention=attention)
    of_rows, by_hand = learned(), learned()
    work = primitives.forward_backward_noised(BASE, of_rows, EXAMPLES, given_rows, forward)
    drive(work, BASE.model)
    rows = rows_of(noised_batch(NOISE, loss=CORRUPTED, context=context), by_hand, attention=attention)
    drive(primitives.accumulate(BASE, by_hand, rows, forward, lambda *_: None, lambda *_: None), BASE.model)
    assert same(of_rows.gradients().tensors, by_hand.gradients().tensors)


def test_a_share_of_zero_is_the_noise_within_bit_for_bit(store, tmp_path):
    spec = training(steps=4, noise=own_draft_noise(share=0.0, noise=cover_noise()), loss=ANSWERS)
    drafting, events = run(store, spec)
    plain, plain_events = run(CheckpointStore(tmp_path / "plain"), replace(spec, noise=cover_noise()))
    assert same(weights_of(drafting), weights_of(plain))
    assert losses_of(events) == losses_of(plain_events)
    other, _ = run(store, replace(spec, noise=NOISE))
    assert not same(weights_of(drafting), weights_of(other))


@pytest.mark.parametrize(
    ("attention", "contexts"),
    [
        *((attention, [context] * 3) for attention, context in SETTINGS),
        ("causal-prefix", ["random-split", "random-split", "prompt"]),
    ],
)
def test_runs_that_share_their_forwards_get_the_bits_that_they_get_alone(tmp_path, attention, contexts):
    kinds = [
        {"noise": NOISE, "loss": ANSWERS},
        {"noise": lad_noise(), "loss": ANSWERS, "seed": 8},
        {"noise": own_draft_noise(share=1.0, temperature=0.0), "loss": CORRUPTED, "seed": 9},
    ]
    specs = [
        training(steps=3, attention=attention, context=context, **kind)
        for context, kind in zip(contexts, kinds, strict=True)
    ]
    ranks = (4, 2, 8)
    stores = [CheckpointStore(tmp_path / str(rank)) for rank in ranks]
    alone = [
        run(store, spec, trained=learned(rank))[0]
        for store, spec, rank in zip(stores, specs, ranks, strict=True)
    ]
    fused = [learned(rank) for rank in ranks]
    works = [begin_run(*parts) for parts in zip(stores, specs, fused, strict=True)]
    assert run_together(works) > 3
    for one, other in zip(alone, fused, strict=True):
        assert same(weights_of(one), weights_of(other))


def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(store, tmp_path):
    spec = training(
        steps=6,
        noise=NOISE,
        loss=CORRUPTED,
        attention="causal-prefix",
        context="random-split",
        canvas_tokens=0,
        checkpoint="run",
        checkpoint_every_steps=3,
    )
    whole, _ = run(CheckpointStore(tmp_path / "whole"), spec)

    kill_after(begin_run(store, spec, learned()), 4)
    resumed, events = run(store, replace(spec, resume=True), base=tiny_base())
    assert [event.step for event in events if isinstance(event, StepEvent)] == [4, 5, 6]
    assert same(weights_of(resumed), weights_of(whole))
    assert same(resumed.optimizer.state(), whole.optimizer.state())


@pytest.mark.parametrize(
    ("noise", "option"),
    [
        (own_draft_noise(share=0.5, noise=cover_noise()), "noise.share"),
        (own_draft_noise(share=0.6, noise=cover_noise(), temperature=0.0), "noise.temperature"),
        (own_draft_noise(share=0.6, noise=lad_noise()), "noise.noise"),
        (own_draft_noise(share=0.6, noise=cover_noise(max_span=4)), "noise.noise.maxSpan"),
        (cover_noise(), "noise"),
    ],
)
def test_another_draft_is_another_run(store, noise, option):
    spec = training(steps=1, noise=NOISE, loss=ANSWERS, checkpoint="run")
    run(store, spec)
    with pytest.raises(LadError) as caught:
        run(store, replace(spec, noise=noise, steps=2, resume=True))
    assert caught.value.option == option


def test_micro_batches_of_any_size_draft_the_same(store):
    spec = training(steps=1, noise=NOISE, loss=ANSWERS)
    shown_by = []
    for tokens in (1, 24, 4096):
        rows = rows_of(noised_batch(NOISE), learned(), micro_batch_tokens=tokens)
        shown_by.append([shown(row.noised) for row in rows])
    assert shown_by[0] == shown_by[1] == shown_by[2]
    split, _ = run(store, replace(spec, micro_batch_tokens=1))
    whole, _ = run(store, replace(spec, micro_batch_tokens=4096))
    for name, weight in weights_of(split).items():
        assert torch.allclose(weight, weights_of(whole)[name], rtol=1e-3, atol=1e-5)


def test_a_validation_shows_the_noise_within(store):
    trained = learned()
    reports = [
        drive(
            validate(BASE, trained.adapter, EXAMPLES, noise, CORRUPTED, 7, attention="full"),
            BASE.model,
        )[1]
        for noise in (NOISE, cover_noise())
    ]
    assert reports[0] == reports[1]
    validation = validation_spec(every_steps=1, seed=7)
    spec = training(steps=1, noise=NOISE, loss=CORRUPTED, validation=validation)
    _, events = run(store, spec)
    first = next(event.report for event in events if isinstance(event, ValidationEvent))
    work = validate(BASE, learned().adapter, EXAMPLES[:4], cover_noise(), CORRUPTED, 7, attention="full")
    assert first == drive(work, BASE.model)[1]


def test_an_adapter_remembers_what_it_drafted_from(store):
    trained, _ = run(store, training(steps=1, noise=NOISE, loss=ANSWERS))
    assert trained.claims.noise == NOISE
    assert read_claims_file(claims_file(trained.claims)).noise == NOISE


def test_memory_is_asked_for_what_a_draft_takes_where_that_is_more_than_its_gradient():
    trained = learned()
    spec = training(noise=lad_noise(), gradient_checkpointing=True)
    plain = training_needs(BASE.model, spec, trained.spec)
    drafting = training_needs(BASE.model, replace(spec, noise=NOISE), trained.spec)
    assert drafting.activations == draft_bytes(BASE.model, NOISE, trained.spec, plain.tokens)
    assert drafting.activations > plain.activations
    assert draft_bytes(BASE.model, lad_noise(), trained.spec, plain.tokens) == 0


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ({"share": -0.1}, "noise.share"),
        ({"share": 1.5}, "noise.share"),
        ({"temperature": -1.0}, "noise.temperature"),
        ({"temperature": float("nan")}, "noise.temperature"),
    ],
)
def test_values_out_of_range_are_refused_by_name(values, option):
    with pytest.raises(LadError) as caught:
        own_draft_noise(**values)
    assert caught.value.option == option
