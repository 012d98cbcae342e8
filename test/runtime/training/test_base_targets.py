"""Soft targets: what the base itself would write, against a plain forward of it over the whole clean example."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.errors import LadError
from lad_runtime.method.data_order import batch
from lad_runtime.method.learning_rate import learning_rate
from lad_runtime.method.loss_targets import SoftTargets
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import GradientRequest, LogitsRequest
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.training import primitives
from lad_runtime.torch_backend.training.base_targets import base_targets
from lad_runtime.torch_backend.training.rows import Noising
from lad_runtime.torch_backend.training.validate import validate
from lad_runtime.types.primitives import NoisedExamples
from lad_runtime.types.training_events import StepEvent, ValidationEvent
from method_specs import cover_noise, lad_noise, loss_spec, window_spec
from training_runs import BASE, begin_run, kill_after
from training_support import (
    EXAMPLES,
    VOCABULARY,
    drive,
    new_adapter,
    same,
    tiny_base,
    training,
    weights_of,
    window,
    windows,
)
from type_specs import forward_spec, validation_spec

SOFT = SoftTargets(top_k=5, share=0.75)
LOSS = loss_spec(supervise="all-answer-tokens", soft=SOFT)
MODES = ("full", "prefix", "causal-prefix")


def rows_of(examples, loss=LOSS, base=BASE):
    noising = Noising(base=base, noise=cover_noise(), loss=loss, seed=3)
    return [noising.row(example, noising.corrupt(example, 0), len(examples)) for example in examples]


def targets_of(rows, base=BASE):
    return drive(base_targets(base, rows), base.model)[1]


def plain_logits(example, base=BASE):
    """Of the unadapted base, causal, over the whole clean example at once: row i follows the tokens up to i. [L, V]"""
    segment = Segment(ids=torch.tensor(example.ids), mode="causal")
    rows = torch.arange(len(example.ids))
    ((logits_LV,),) = compute(base.model, [LogitsRequest(segments=(segment,), rows=(rows,))])
    return logits_LV


def whole(soft, targets):
    """A distribution over the vocabulary for each of L tokens, [L, V]."""
    spread = torch.zeros(len(targets), VOCABULARY).scatter_add_(1, soft.ids_RK, soft.probabilities_RK)
    labels = F.one_hot(torch.tensor(targets).clamp(min=0), VOCABULARY)
    return spread + soft.label_share_R.unsqueeze(1) * labels


@settings(max_examples=40, deadline=None)
@given(example=windows(), top_k=st.integers(1, VOCABULARY + 9), share=st.sampled_from([0.25, 1.0]))
def test_a_target_is_what_the_base_predicts_from_the_clean_tokens_before(example, top_k, share):
    loss = loss_spec(
        supervise="all-answer-tokens", soft=SoftTargets(top_k=top_k, share=share), tail=example.id % 2 == 0
    )
    (row,) = rows_of([example], loss)
    (soft,) = targets_of([row])
    logits = plain_logits(example)
    targets = row.sequence.targets
    for i, target in enumerate(targets):
        own = i > 0 and target >= 0 and example.answer[i] and not example.tail[i]
        if not own:
            assert soft.label_share_R[i] == 1 and not soft.probabilities_RK[i].any()
            continue
        plain = logits[i - 1].softmax(dim=0)
        kept = plain.topk(min(top_k, VOCABULARY))
        wanted = torch.zeros(VOCABULARY).scatter_(0, kept.indices, share * kept.values / kept.values.sum())
        wanted[target] += 1 - share
        assert torch.allclose(whole(soft, targets)[i], wanted, atol=1e-5)


@pytest.mark.parametrize("attention", MODES)
def test_loss_and_gradient_are_those_of_a_plain_cross_entropy_with_the_targets(attention):
    rows = rows_of(EXAMPLES[:3])
    targets = targets_of(rows)
    trained, by_hand = new_adapter(), new_adapter()
    for adapter in (trained, by_hand):  # with B = 0 the adapter would have no gradient of A
        for name, parameter in adapter.parameters.items():
            parameter.data.copy_(
                0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name)))
            )
    seen = {}
    forward = forward_spec(attention=attention, micro_batch_tokens=10_000)
    work = primitives.accumulate(
        BASE, trained, rows, forward, see=lambda n, _, losses: seen.update({n: losses}), skip=lambda *_: None
    )
    drive(work, BASE.model)
    trained_gradients = trained.gradients().tensors

    total = torch.zeros(())
    for number, (row, soft) in enumerate(zip(rows, targets, strict=True)):
        logits = logits_with_gradient(by_hand, row, attention)
        supervised = torch.tensor(row.sequence.targets) >= 0
        log_p = logits.log_softmax(dim=1)
        loss_L = -(whole(soft, row.sequence.targets) * log_p).sum(dim=1) * supervised
        ce_L = F.nll_loss(log_p, torch.tensor(row.sequence.targets).clamp(min=0), reduction="none")
        assert torch.allclose(torch.tensor(seen[number].optimised_L), loss_L, atol=1e-4)
        assert torch.allclose(torch.tensor(seen[number].ce_L), ce_L * supervised, atol=1e-4)
        total = total + (loss_L * torch.tensor(row.sequence.weights)).sum()
    wanted = torch.autograd.grad(total, list(by_hand.parameters.values()))
    for name, gradient in zip(by_hand.parameters, wanted, strict=True):
        assert gradient.abs().max() > 1e-4
        assert torch.allclose(trained_gradients[name], gradient, rtol=1e-3, atol=1e-5), name


def logits_with_gradient(trained, row, attention):
    """Of the adapter over the noised example, [L, V]; 0 in a prompt that the base computes."""
    sequence, begin, context = row.sequence, 0, None
    if attention == "causal-prefix":
        begin = sequence.prompt_tokens
        prompts = BASE.prompts.contexts(BASE.model, None, [sequence.ids[:begin]], attention)
        (context,) = drive(prompts, BASE.model)[1]
    segment = Segment(
        ids=torch.tensor(sequence.ids[begin:]),
        adapter=trained.adapter,
        mode="full" if attention == "causal-prefix" else attention,
        prompt_tokens=sequence.prompt_tokens if attention == "prefix" else 0,
        context=context,
    )
    hidden = BASE.model.hidden_states(BASE.model.batch([segment]))[: len(segment.ids)]
    return F.pad(hidden @ BASE.model.head.t(), (0, 0, begin, 0))


def test_labels_alone_ask_nothing_of_the_base_and_neither_does_a_tail():
    asked = []
    labels = rows_of(EXAMPLES, loss_spec(supervise="all-answer-tokens"))
    assert drive(base_targets(BASE, labels), BASE.model, on_request=asked.append)[1] == ()
    example = window(0, prompt=3, answer=4, tail=4)
    all_tail = replace(example, tail=example.answer)
    drive(base_targets(BASE, rows_of([all_tail])), BASE.model, on_request=asked.append)
    assert not asked


def test_in_company_every_request_gets_the_bits_that_it_gets_alone():
    rows = rows_of(EXAMPLES)
    together = targets_of(rows)
    for row, soft in zip(rows, together, strict=True):
        (alone,) = targets_of([row], tiny_base())
        assert torch.equal(alone.ids_RK, soft.ids_RK)
        assert torch.equal(alone.probabilities_RK, soft.probabilities_RK)


def test_fused_runs_with_and_without_soft_targets_get_the_gradients_they_get_alone():
    specs = [
        LOSS,
        loss_spec(supervise="all-answer-tokens"),
        loss_spec(supervise="all-answer-tokens", soft=SOFT),
    ]
    adapters = [new_adapter(rank=rank) for rank in (4, 2, 8)]
    requests = []
    for trained, spec, example in zip(adapters, specs, EXAMPLES, strict=False):
        work = primitives.accumulate(
            BASE, trained, rows_of([example], spec), forward_spec(), lambda *_: None, lambda *_: None
        )
        requests.append(gradient_request_of(work))
    soft = [requests[0], requests[2]]
    assert soft[0].group == soft[1].group != requests[1].group
    alone = [compute(BASE.model, [request])[0] for request in soft]
    gradients = [taken(adapters[0]), taken(adapters[2])]
    fused = compute(BASE.model, soft)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(alone, fused, strict=True))
    assert same(gradients[0], taken(adapters[0])) and same(gradients[1], taken(adapters[2]))


def gradient_request_of(work):
    """The first one that the work yields, which is not computed."""
    reply = None
    while True:
        request = work.send(reply)
        if isinstance(request, GradientRequest):
            return request
        (reply,) = compute(BASE.model, [request])


def taken(trained):
    grown = {name: parameter.grad.clone() for name, parameter in trained.parameters.items()}
    trained.clear_gradients()
    for parameter in trained.parameters.values():
        parameter.grad = None
    return grown


# --- runs ------------------------------------------------------------------------------------------------------------------


def run(store, spec, base=BASE):
    """Returns (trained adapter, events)."""
    trained = new_adapter()
    return trained, drive(begin_run(store, spec, trained, base), base.model)[0]


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


@pytest.mark.parametrize("attention", MODES)
def test_a_run_is_bit_for_bit_the_loop_over_the_rows_it_takes(store, attention):
    spec = training(steps=4, loss=LOSS, attention=attention)
    by_run, events = run(store, spec)
    by_hand, losses = new_adapter(), []
    for step in range(spec.steps):
        draws = list(batch(spec.seed, len(EXAMPLES), spec.batch_size, step))
        rows = loop_rows(spec, draws)
        seen = {}
        work = primitives.accumulate(
            BASE,
            by_hand,
            rows,
            forward_spec(attention=attention, micro_batch_tokens=spec.micro_batch_tokens),
            lambda number, row, losses, seen=seen: seen.update({number: (row, losses)}),
            lambda *_: None,
        )
        drive(work, BASE.model)
        losses.append(sum(primitives.weighted_loss(row.sequence, own) for row, own in seen.values()))
        rate = learning_rate(spec.schedule, step, spec.steps)
        drive(primitives.optim_step(by_hand, spec.optimizer, rate, spec.max_gradient_norm), BASE.model)
    assert same(weights_of(by_run), weights_of(by_hand))
    assert [event.report.loss for event in events if isinstance(event, StepEvent)] == losses


def loop_rows(spec, draws):
    noising = Noising(base=BASE, noise=spec.noise, loss=spec.loss, seed=spec.seed)
    return [
        noising.row(EXAMPLES[draw.row], noising.corrupt(EXAMPLES[draw.row], draw.epoch), len(draws))
        for draw in draws
    ]


def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(store, tmp_path):
    spec = training(steps=6, loss=LOSS, attention="causal-prefix", checkpoint="run", checkpoint_every_steps=3)
    whole_run, _ = run(CheckpointStore(tmp_path / "whole"), spec)

    kill_after(begin_run(store, spec, new_adapter()), 4)
    resumed, events = run(store, replace(spec, resume=True), base=tiny_base())
    assert [event.step for event in events if isinstance(event, StepEvent)] == [4, 5, 6]
    assert same(weights_of(resumed), weights_of(whole_run))
    assert same(resumed.optimizer.state(), whole_run.optimizer.state())


def test_another_share_is_another_run(store):
    spec = training(steps=2, loss=LOSS, checkpoint="run")
    run(store, spec)
    for other in (SoftTargets(top_k=5, share=0.5), None):
        loss = loss_spec(supervise="all-answer-tokens", soft=other)
        with pytest.raises(LadError, match=r"loss\.soft") as caught:
            run(store, replace(spec, loss=loss, steps=3, resume=True))
        assert caught.value.option == ("loss.soft.share" if other else "loss.soft")


def test_rows_of_a_data_set_get_the_soft_gradient_of_a_run():
    given_rows = NoisedExamples(
        dataset_id="d",
        window=window_spec(),
        noise=lad_noise(),
        loss=LOSS,
        context="prompt",
        canvas_tokens=0,
        seed=5,
        epoch=0,
        rows=(4, 0, 7),
    )
    of_rows, by_hand = new_adapter(), new_adapter()
    work = primitives.forward_backward_noised(BASE, of_rows, EXAMPLES, given_rows, forward_spec())
    result = drive(work, BASE.model)[1]
    noising = Noising(base=BASE, noise=lad_noise(), loss=LOSS, context="prompt", seed=5)
    rows = [noising.row(EXAMPLES[r], noising.corrupt(EXAMPLES[r], 0), 3) for r in given_rows.rows]
    seen = []
    drive(
        primitives.accumulate(
            BASE, by_hand, rows, forward_spec(), lambda _, row, own: seen.append((row, own)), lambda *_: None
        ),
        BASE.model,
    )
    assert same(of_rows.gradients().tensors, by_hand.gradients().tensors)
    assert [list(ce) for ce in result.ce] == [own.ce_L.tolist() for _, own in seen]
    assert result.loss == sum(primitives.weighted_loss(row.sequence, own) for row, own in seen)


def test_validation_reports_the_labels_ce_beside_the_loss_of_soft_targets(store):
    def report(loss):
        work = validate(BASE, None, EXAMPLES, cover_noise(), loss, 7, attention="causal-prefix")
        return drive(work, BASE.model)[1]

    hard, soft = report(loss_spec(supervise="all-answer-tokens")), report(LOSS)
    assert (soft.ce, soft.content_ce, soft.tail_ce) == (hard.ce, hard.content_ce, hard.tail_ce)
    assert soft.loss != hard.loss
    spec = training(steps=1, loss=LOSS, validation=validation_spec(seed=7))
    _, events = run(store, spec)
    assert len([event for event in events if isinstance(event, ValidationEvent)]) == 2


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ({"top_k": 0, "share": 1.0}, "loss.soft.topK"),
        ({"top_k": 1025, "share": 1.0}, "loss.soft.topK"),
        ({"top_k": 8, "share": 0.0}, "loss.soft.share"),
        ({"top_k": 8, "share": 1.5}, "loss.soft.share"),
    ],
)
def test_values_out_of_range_are_refused_by_name(values, option):
    with pytest.raises(LadError) as caught:
        SoftTargets(**values)
    assert caught.value.option == option
