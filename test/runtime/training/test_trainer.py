"""Training runs: what they report, that they equal a loop of primitives, and that a resumed one equals an uninterrupted one."""

import json
import math
from dataclasses import replace
from itertools import product

import pytest
import torch

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.data_order import batch
from lad_runtime.method.learning_rate import learning_rate
from lad_runtime.method.row import Row
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.adapters.resume import restore
from lad_runtime.torch_backend.files.durable import MANIFEST, write_folder
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import GradientRequest
from lad_runtime.torch_backend.memory.needs import cache_bytes
from lad_runtime.torch_backend.tasks import kind_of
from lad_runtime.torch_backend.training import primitives
from lad_runtime.torch_backend.training.micro_batches import in_micro_batches
from lad_runtime.torch_backend.training.needs import training_needs
from lad_runtime.torch_backend.training.rows import Noising
from lad_runtime.torch_backend.training.validate import validate
from lad_runtime.types.bases import MatrixKernel
from lad_runtime.types.primitives import (
    NoisedExamples,
    NoisedForwardBackwardTask,
    ValidateTask,
)
from lad_runtime.types.training import TrainingControl, TrainTask
from lad_runtime.types.training_events import CheckpointEvent, StepEvent, TrainingStarted, ValidationEvent
from method_specs import (
    NOISE_BUILDERS,
    NoNoise,
    cover_noise,
    lad_noise,
    loss_spec,
    schedule_spec,
    targeted_sequence,
    window_spec,
)
from training_runs import BASE, Killed, begin_run, kill_after
from training_support import (
    EXAMPLES,
    REPORT,
    drive,
    new_adapter,
    noised_batch,
    same,
    tiny_base,
    training,
    weights_of,
    whole_batch,
)
from type_specs import forward_spec, optimizer_spec, validation_spec

VALIDATION = validation_spec(dataset_id="v", every_steps=2, seed=9)


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path)


def run(store, spec, trained=None, **options):
    """Returns (trained adapter, events, outcome)."""
    trained = trained or new_adapter()
    events, outcome = drive(begin_run(store, spec, trained, **options), BASE.model)
    return trained, events, outcome


def log(events):
    """Everything that events say but for the time that passed."""
    timeless = [
        replace(e, seconds=0.0, tokens_per_second=0.0) if isinstance(e, StepEvent) else e for e in events
    ]
    return [repr(event) for event in timeless if not isinstance(event, TrainingStarted)]


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


# --- what a run does ------------------------------------------------------------------------------------------------------


def test_a_run_reports_its_start_every_step_validations_and_its_end(store):
    spec = training(steps=5, validation=VALIDATION, checkpoint="run-1", checkpoint_every_steps=3)
    trained, events, outcome = run(store, spec)
    kinds = [type(event).__name__.removesuffix("Event") for event in events]
    assert kinds == [
        "TrainingStarted", "Validation", "Step", "Step", "Validation", "Step", "Checkpoint", "Step", "Validation",
        "Step", "Validation", "Checkpoint",
    ]  # fmt: skip
    assert [event.step for event in of_kind(events, StepEvent)] == [1, 2, 3, 4, 5]
    assert [event.step for event in of_kind(events, ValidationEvent)] == [0, 2, 4, 5]
    assert of_kind(events, CheckpointEvent) == [CheckpointEvent(step=s, name="run-1") for s in (3, 5)]
    started = events[0]
    assert started.from_step == 0 and started.report == REPORT
    assert started.trainable_parameters == trained.parameter_count
    assert started.accounted_bytes == 4 * 4 * trained.parameter_count  # weights, gradients, two moments
    assert outcome.steps == trained.steps == 5
    assert outcome.report == of_kind(events, StepEvent)[-1].report
    assert outcome.validation == of_kind(events, ValidationEvent)[-1].report
    last = of_kind(events, StepEvent)[-1]
    assert last.epoch == pytest.approx(5 * 4 / 10)
    assert last.learning_rate == learning_rate(spec.schedule, 4, 5)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_training_lowers_the_loss(store, optimizer):
    spec = training(
        steps=20,
        optimizer=optimizer_spec(kind=optimizer),
        schedule=schedule_spec(learning_rate=5e-2, warmup_steps=2),
        noise=NoNoise(),
        validation=VALIDATION,
    )
    _, events, _ = run(store, spec, new_adapter(8, targets=("q_proj", "v_proj", "o_proj", "down_proj")))
    first, last = of_kind(events, ValidationEvent)[0], of_kind(events, ValidationEvent)[-1]
    assert last.report.loss < 0.9 * first.report.loss


def test_a_report_tells_content_tail_and_corrupted_tokens_apart(store):
    spec = training(
        steps=1, batch_size=10, noise=lad_noise(full_mask_probability=1.0), micro_batch_tokens=999
    )
    trained = new_adapter()
    sequences = noised_batch(BASE, EXAMPLES, spec.noise, spec.loss, spec.seed, 0)
    _, result = drive(
        primitives.forward_backward(BASE, trained, sequences, forward_spec(micro_batch_tokens=999)),
        BASE.model,
    )
    trained.clear_gradients()
    report = of_kind(run(store, spec, trained)[1], StepEvent)[0].report

    rows = [
        (ce, example.answer[i], example.tail[i])
        for example, losses in zip(EXAMPLES, result.ce, strict=True)
        for i, ce in enumerate(losses)
    ]

    def mean(chosen):
        return pytest.approx(sum(chosen) / len(chosen), rel=1e-6), len(chosen)

    assert (report.ce, report.supervised_tokens) == mean([ce for ce, _, _ in rows])
    assert (report.content_ce, report.content_tokens) == mean([ce for ce, _, tail in rows if not tail])
    assert (report.tail_ce, report.tail_tokens) == mean([ce for ce, _, tail in rows if tail])
    assert (report.corrupted_ce, report.corrupted_tokens) == mean([ce for ce, answer, _ in rows if answer])
    assert (report.corrupted_content_ce, report.corrupted_content_tokens) == mean(
        [ce for ce, answer, tail in rows if answer and not tail]
    )
    assert report.tokens == len(rows)
    # the loss that is optimised: the mean over an example's tokens, then over the examples
    assert report.loss == pytest.approx(sum(sum(ce) / len(ce) for ce in result.ce) / 10, rel=1e-6)


def test_a_batch_of_which_nothing_is_supervised_has_no_loss_and_no_gradient(store):
    spec = training(
        steps=2, noise=NoNoise(), loss=loss_spec(supervise="corrupted-answer-tokens"),
        optimizer=optimizer_spec(weight_decay=0.0),
    )  # fmt: skip
    trained = new_adapter()
    before = weights_of(trained)
    _, events, _ = run(store, spec, trained)
    for event in of_kind(events, StepEvent):
        assert math.isnan(event.report.loss) and event.report.supervised_tokens == 0
        assert event.gradient_norm == 0
    assert same(weights_of(trained), before)


def test_micro_batches_fill_up_in_order_and_leave_out_what_has_no_target():
    lengths, unsupervised = [10, 10, 5, 30, 4, 4], {4}
    sequences = [
        targeted_sequence(ids=(1,) * n, targets=(-1 if i in unsupervised else 1,) * n, weights=(1.0,) * n)
        for i, n in enumerate(lengths)
    ]

    def micro_batches(max_tokens):
        batches, skipped = [], []

        def compute(batch):
            batches.append([number for number, _ in batch])
            yield from ()

        rows = (Row(sequence=sequence) for sequence in sequences)
        assert not list(in_micro_batches(rows, max_tokens, compute, lambda number, _: skipped.append(number)))
        assert skipped == [4]
        return batches

    assert micro_batches(24) == [[0, 1], [2], [3], [5]]
    assert micro_batches(25) == [[0, 1, 2], [3], [5]]


def test_how_a_batch_is_split_changes_the_gradient_only_in_its_last_bits(store):
    whole, _, _ = run(store, training(steps=3, micro_batch_tokens=10_000))
    split, _, _ = run(store, training(steps=3, micro_batch_tokens=1))
    for name, parameter in whole.parameters.items():
        assert torch.allclose(parameter, split.parameters[name], atol=2e-4)


# --- run = primitives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "optimizer", "attention", "context", "canvas_tokens"),
    [
        *product(["lad", "mask-only", "cover", "uniform"], ["adamw", "muon"], ["full"], ["prompt"], [0]),
        ("lad", "adamw", "prefix", "prompt", 0),
        ("lad", "muon", "causal-prefix", "prompt", 0),
        ("lad", "adamw", "causal-prefix", "random-split", 0),
        ("mask-only", "muon", "causal-prefix", "random-split", 3),
    ],
)
def test_a_run_is_bit_for_bit_the_same_loop_written_with_primitives(
    store, kind, optimizer, attention, context, canvas_tokens
):
    spec = training(
        steps=5,
        noise=NOISE_BUILDERS[kind](),
        loss=loss_spec(supervise="all-answer-tokens"),
        optimizer=optimizer_spec(kind=optimizer),
        max_gradient_norm=0.1,
        attention=attention,
        context=context,
        canvas_tokens=canvas_tokens,
    )
    by_run, events, _ = run(store, spec)

    by_hand, losses, norms = new_adapter(), [], []
    for step in range(spec.steps):
        draws = list(batch(spec.seed, len(EXAMPLES), spec.batch_size, step))
        noising = Noising(
            base=BASE,
            noise=spec.noise,
            loss=spec.loss,
            seed=spec.seed,
            context=spec.context,
            canvas_tokens=spec.canvas_tokens,
        )
        clean = [noising.seen(EXAMPLES[draw.row], draw.epoch) for draw in draws]
        shown = [noising.corrupt(example, draw.epoch) for example, draw in zip(clean, draws, strict=True)]
        sequences = whole_batch(clean, shown, spec.loss)
        how = forward_spec(attention=attention, micro_batch_tokens=spec.micro_batch_tokens)
        forward = primitives.forward_backward(BASE, by_hand, sequences, how)
        losses.append(drive(forward, BASE.model)[1].loss)
        rate = learning_rate(spec.schedule, step, spec.steps)
        taken = drive(primitives.optim_step(by_hand, spec.optimizer, rate, 0.1), BASE.model)[1]
        norms.append(taken.gradient_norm)
        assert taken.step == step + 1

    assert same(weights_of(by_run), weights_of(by_hand))
    assert same(by_run.optimizer.state(), by_hand.optimizer.state())
    assert [event.report.loss for event in of_kind(events, StepEvent)] == losses
    assert [event.gradient_norm for event in of_kind(events, StepEvent)] == norms


SPLIT = {
    "attention": "causal-prefix",
    "context": "random-split",
    "loss": loss_spec(supervise="all-answer-tokens"),
}


def test_pasts_of_random_cuts_stay_in_no_cache_and_none_is_computed_with_gradients(store):
    base = tiny_base()
    trained = new_adapter()
    drive(begin_run(store, training(validation=VALIDATION, **SPLIT), trained, base), base.model)
    assert base.prompts.nbytes == 0
    drive(begin_run(store, training(**{**SPLIT, "context": "prompt"}), trained, base), base.model)
    assert base.prompts.nbytes > 0


def test_a_random_split_run_needs_room_for_its_pasts():
    whole, cut = (
        training_needs(BASE.model, training(**{**SPLIT, "context": context}), new_adapter().spec)
        for context in ("prompt", "random-split")
    )
    assert cut.activations - whole.activations == cache_bytes(BASE.model, cut.tokens)


def test_a_validation_of_cut_answers_is_fixed_and_is_not_that_of_whole_ones():
    def report(context):
        options = (EXAMPLES, lad_noise(), SPLIT["loss"], 4)
        work = validate(BASE, new_adapter().adapter, *options, attention="causal-prefix", context=context)
        return drive(work, BASE.model)[1]

    assert report("random-split") == report("random-split")
    assert report("random-split").supervised_tokens < report("prompt").supervised_tokens


@pytest.mark.parametrize("attention", ["full", "prefix", "causal-prefix"])
def test_gradient_checkpointing_changes_no_bit(store, attention):
    spec = training(
        steps=4, loss=loss_spec(supervise="all-answer-tokens"), attention=attention, validation=VALIDATION
    )
    dropping = {"dropout": 0.3}
    kept, events, outcome = run(store, spec, new_adapter(**dropping))
    again, same_events, _ = run(store, replace(spec, gradient_checkpointing=True), new_adapter(**dropping))
    assert same(weights_of(kept), weights_of(again))
    assert log(events) == log(same_events)
    assert outcome.steps == 4


def test_what_an_adapter_is_trained_in_changes_what_it_becomes(store):
    loss = loss_spec(supervise="all-answer-tokens")
    modes = ("full", "prefix", "causal-prefix")
    weights = [weights_of(run(store, training(loss=loss, attention=mode))[0]) for mode in modes]
    for index, one in enumerate(weights):
        assert not any(same(one, other) for other in weights[index + 1 :])


def test_gradients_of_several_calls_add_up():
    sequences = noised_batch(BASE, EXAMPLES, lad_noise(), loss_spec(), 0, 0)
    once, twice = new_adapter(), new_adapter()
    drive(primitives.forward_backward(BASE, once, sequences, forward_spec(micro_batch_tokens=24)), BASE.model)
    for part in (sequences[:4], sequences[4:]):
        drive(primitives.forward_backward(BASE, twice, part, forward_spec(micro_batch_tokens=24)), BASE.model)
    for name, parameter in once.parameters.items():
        assert torch.allclose(parameter.grad, twice.parameters[name].grad, atol=1e-6)
    assert once.parameters["layers.0.self_attn.q_proj.lora_B"].grad.norm() > 0


def test_dropout_masks_belong_to_step_and_micro_batch_so_that_a_run_with_dropout_repeats(store):
    spec = training(steps=3)
    first, second = (run(store, spec, new_adapter(dropout=0.5))[0] for _ in range(2))
    assert same(weights_of(first), weights_of(second))
    assert not same(weights_of(first), weights_of(run(store, spec)[0]))


# --- resume ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "how"),
    [("adamw", {}), ("muon", {}), ("adamw", SPLIT), ("muon", SPLIT)],
    ids=["adamw", "muon", "adamw, random cuts", "muon, random cuts"],
)
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit_and_not_a_cold_start(
    store, tmp_path, optimizer, how
):
    spec = training(
        steps=8, optimizer=optimizer_spec(kind=optimizer), validation=VALIDATION, checkpoint="run-1",
        checkpoint_every_steps=3, noise=cover_noise(), **how,
    )  # fmt: skip
    whole, all_events, outcome = run(CheckpointStore(tmp_path / "whole"), spec)

    before = kill_after(begin_run(store, spec, new_adapter()), 6)
    at_sixth = store.read("run-1")
    resumed, after, resumed_outcome = run(store, replace(spec, resume=True))
    assert after[0].from_step == 6
    assert same(weights_of(resumed), weights_of(whole))
    assert same(resumed.optimizer.state(), whole.optimizer.state())
    assert resumed.steps == whole.steps == 8
    kept = [event for event in before if isinstance(event, TrainingStarted) or event.step <= 6]
    assert log(kept) + log(after) == log(all_events)
    assert (resumed_outcome.report, resumed_outcome.validation) == (outcome.report, outcome.validation)

    # The same weights at the same step with a cold optimizer end elsewhere.
    cold = new_adapter()
    restore(cold, replace(at_sixth, optimizer=None))
    cold_store = CheckpointStore(tmp_path / "cold")
    cold_store.write("run-1", cold, BASE.info, at_sixth.run)
    assert not same(weights_of(run(cold_store, replace(spec, resume=True))[0]), weights_of(whole))


def kernels(kernel, layout="out-in"):
    return tuple(
        MatrixKernel(matrix=matrix, kernel=kernel, layout=layout) for matrix in ("qkv", "gate_up", "head")
    )


def test_a_run_resumed_under_other_kernels_says_so_and_goes_on(store):
    spec = training(steps=4, checkpoint="run-1", checkpoint_every_steps=2)
    kill_after(begin_run(store, spec, new_adapter(), tiny_base(kernels=kernels("mkl"))), 2)
    assert store.read("run-1").kernels == kernels("mkl")
    others = (*kernels("onednn", "in-out")[:2], *kernels("mkl")[2:])
    _, events, outcome = run(store, replace(spec, resume=True), base=tiny_base(kernels=others))
    (warning,) = events[0].warnings
    assert (
        "qkv and gate_up by onednn in-out, head by mkl out-in; before: qkv and gate_up and head by mkl out-in"
        in warning
    )
    assert "from step 2 on" in warning
    assert outcome.steps == 4


def test_a_run_resumed_where_nothing_is_chosen_says_so_too(store):
    spec = training(steps=2, checkpoint="run-1")
    run(store, spec, base=tiny_base(kernels=kernels("mkl")))
    _, events, _ = run(store, replace(spec, resume=True))
    assert "the device's own; before: qkv" in events[0].warnings[0]


def test_a_run_resumed_under_the_same_kernels_has_nothing_to_say(store):
    base = tiny_base(kernels=kernels("mkl"))
    spec = training(steps=2, checkpoint="run-1")
    assert run(store, spec, base=base)[1][0].warnings == ()
    assert run(store, replace(spec, resume=True), base=base)[1][0].warnings == ()


def test_a_checkpoint_that_names_no_kernels_is_resumed_without_a_word(store):
    spec = training(steps=2, checkpoint="run-1")
    run(store, spec)
    (saved,) = (store._root / "run-1").iterdir()
    files = {path.name: path.read_bytes() for path in saved.iterdir() if path.name != MANIFEST}
    state = json.loads(files["state.json"])
    del state["kernels"]
    write_folder(saved.with_name("00000002"), files | {"state.json": json.dumps(state).encode()})
    assert store.read("run-1").kernels is None
    _, events, _ = run(store, replace(spec, resume=True), base=tiny_base(kernels=kernels("mkl")))
    assert events[0].from_step == 2 and events[0].warnings == ()


def test_what_is_resumed_after_the_last_step_takes_none_and_reports_what_was(store):
    spec = training(steps=3, validation=VALIDATION, checkpoint="run-1")
    trained, _, outcome = run(store, spec)
    again, events, same_outcome = run(store, replace(spec, resume=True))
    assert len(events) == 1 and events[0].from_step == 3
    assert same(weights_of(again), weights_of(trained))
    assert same_outcome == replace(outcome, seconds=0.0, tokens_per_second=0.0)


def test_resume_begins_cold_where_there_is_no_checkpoint_yet(store):
    spec = training(steps=2, checkpoint="run-1")
    cold, events, _ = run(store, replace(spec, resume=True))
    assert events[0].from_step == 0
    assert same(weights_of(cold), weights_of(run(store, replace(spec, checkpoint=""))[0]))


def test_a_run_that_overwrites_begins_cold_and_leaves_nothing_of_what_was_there(store, tmp_path):
    run(store, training(steps=2, checkpoint="run-1"))
    spec = training(steps=4, seed=9, checkpoint="run-1", checkpoint_every_steps=2, overwrite=True)
    _, events, _ = run(store, spec)
    assert events[0].from_step == 0
    assert [folder.name for folder in sorted((tmp_path / "run-1").iterdir())] == ["00000002", "00000003"]
    assert store.read("run-1").run.spec["seed"] == 9
    _, events, _ = run(store, replace(spec, steps=5, overwrite=False, resume=True))
    assert events[0].from_step == 4


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"batch_size": 8}, "batchSize"),
        ({"seed": 6}, "seed"),
        ({"noise": lad_noise(max_span=2)}, "noise.maxSpan"),
        ({"optimizer": optimizer_spec(kind="muon")}, "optimizer"),
        ({"dataset_id": "other"}, "data"),
        ({"window": window_spec(window=100)}, "windowTokens"),
        ({"schedule": schedule_spec(learning_rate=0.5)}, "learningRate"),
        ({"attention": "prefix"}, "attention"),
        ({"steps": 1}, "steps"),
    ],
)
def test_resuming_another_run_names_the_option_that_differs(store, change, option):
    spec = training(steps=2, checkpoint="run-1")
    run(store, spec)
    trained = new_adapter()
    before = weights_of(trained)
    with pytest.raises(LadError) as caught:
        run(store, replace(spec, resume=True, **change), trained)
    assert (caught.value.code, caught.value.option) == (ErrorCode.INVALID_OPTION, option)
    assert same(weights_of(trained), before)


def test_resuming_on_another_base_or_adapter_is_refused(store):
    spec = training(steps=1, checkpoint="run-1")
    run(store, spec)
    spec = replace(spec, resume=True)
    with pytest.raises(LadError, match="not to random of r2") as caught:
        run(store, spec, base=tiny_base("r2"))
    assert caught.value.code is ErrorCode.INVALID_STATE
    with pytest.raises(LadError, match="rank 4, and this one has 8"):
        run(store, spec, new_adapter(8))


def test_a_checkpoint_that_a_call_saved_cannot_be_resumed_but_trained_on(store):
    spec = training(steps=2)
    trained, _, _ = run(store, spec)
    store.write("saved", trained, BASE.info)
    with pytest.raises(LadError, match="saved by a call"):
        run(store, replace(spec, checkpoint="saved", resume=True))
    loaded, cold = new_adapter(), new_adapter()
    restore(loaded, store.read("saved"))
    restore(cold, replace(store.read("saved"), optimizer=None))
    for adapter in (trained, loaded, cold):
        run(store, replace(spec, seed=8), adapter)
    assert same(weights_of(loaded), weights_of(trained))
    assert not same(weights_of(cold), weights_of(trained))


# --- ends before the end ---------------------------------------------------------------------------------------------------


def test_a_stopped_run_saves_itself_after_the_step_and_goes_on_from_there(store, tmp_path):
    spec = training(steps=6, checkpoint="run-1")
    whole, _, _ = run(CheckpointStore(tmp_path / "whole"), spec)
    trained = new_adapter()
    with pytest.raises(LadError, match="stopped after step 2 of 6") as caught:
        run(store, spec, trained, control=TrainingControl(stopping=lambda: trained.steps == 2))
    assert caught.value.code is ErrorCode.CANCELLED
    resumed, events, _ = run(store, replace(spec, resume=True))
    assert events[0].from_step == trained.steps == 2
    assert same(weights_of(resumed), weights_of(whole))


def test_a_closed_run_leaves_the_weights_of_the_last_whole_step_and_no_gradients(store):
    trained, after_steps, gathered = new_adapter(), [], []

    def keep_weights(event):
        if isinstance(event, StepEvent):
            after_steps.append(weights_of(trained))

    def close_in_third_step(_):
        if trained.steps == 2 and trained.gathered == 1:
            gathered.extend(p.grad for p in trained.parameters.values() if p.grad is not None)
            raise Killed

    generator = begin_run(store, training(), trained)
    with pytest.raises(Killed):
        drive(generator, BASE.model, keep_weights, close_in_third_step)
    generator.close()
    assert gathered
    assert same(weights_of(trained), after_steps[-1]) and trained.steps == 2
    assert all(parameter.grad is None for parameter in trained.parameters.values())
    assert trained.gathered == 0


# Torch's CPU attention may answer scores that are no numbers with zeros (it does with AVX-512), which hides them from the loss:
# they are then seen in the gradient.
@pytest.mark.parametrize(("projection", "figure"), [("v_proj", "loss"), ("q_proj", "(loss|gradient)")])
def test_a_run_whose_loss_is_no_number_ends_before_the_weights_are_touched(store, projection, figure):
    trained = new_adapter()
    with torch.no_grad():
        trained.parameters[f"layers.0.self_attn.{projection}.lora_A"].fill_(math.inf)
    before = weights_of(trained)
    with pytest.raises(LadError, match=f"The {figure} is nan") as caught:
        run(store, training(), trained)
    assert caught.value.code is ErrorCode.DIVERGED
    assert trained.steps == 0 and same(weights_of(trained), before)


def test_weights_that_are_no_numbers_end_the_run_and_are_never_saved(store):
    spec = training(
        steps=1,
        checkpoint="run-1",
        schedule=schedule_spec(learning_rate=3e38, decay="constant", warmup_steps=0),
    )
    trained = new_adapter()
    spec = replace(spec, optimizer=optimizer_spec(weight_decay=1e3))
    with pytest.raises(LadError, match="finite number") as caught:
        run(store, spec, trained)
    assert caught.value.code is ErrorCode.DIVERGED
    assert not store.has("run-1")


def test_a_gradient_that_is_no_number_ends_a_run_before_the_weights_are_touched(store):
    trained = new_adapter()
    before = weights_of(trained)
    generator = begin_run(store, training(micro_batch_tokens=999), trained)
    item = next(generator)
    while not isinstance(item, GradientRequest):
        item = next(generator)
    trained.parameters["layers.1.self_attn.v_proj.lora_B"].grad = torch.full((8, 4), math.nan)
    with pytest.raises(LadError, match="The gradient is nan") as caught:
        generator.send(tuple(torch.ones(len(segment.ids)) for segment in item.segments))
    assert caught.value.code is ErrorCode.DIVERGED
    assert trained.steps == 0 and same(weights_of(trained), before)


def test_a_forward_backward_that_fails_or_is_closed_leaves_the_gradients_gathered_before():
    trained = new_adapter()
    sequences = noised_batch(BASE, EXAMPLES, lad_noise(), loss_spec(), 0, 0)
    drive(
        primitives.forward_backward(BASE, trained, sequences[:3], forward_spec(micro_batch_tokens=999)),
        BASE.model,
    )
    kept = {name: p.grad.clone() for name, p in trained.parameters.items()}

    closed = primitives.forward_backward(BASE, trained, sequences, forward_spec(micro_batch_tokens=24))
    with pytest.raises(Killed):
        drive(closed, BASE.model, on_request=fail_at_second_micro_batch(trained))
    closed.close()
    assert same({name: p.grad for name, p in trained.parameters.items()}, kept)

    diverged = primitives.forward_backward(BASE, trained, sequences, forward_spec(micro_batch_tokens=24))
    request = next(diverged)
    compute(BASE.model, [request])
    with pytest.raises(LadError, match="The loss is nan"):
        diverged.send(tuple(torch.full((len(s.ids),), math.nan) for s in request.segments))
    assert same({name: p.grad for name, p in trained.parameters.items()}, kept)


def fail_at_second_micro_batch(trained):
    before = trained.gathered

    def act(_):
        if trained.gathered > before:
            raise Killed

    return act


# --- validation ------------------------------------------------------------------------------------------------------------


def test_validation_is_the_same_in_any_company_and_for_any_run():
    trained = new_adapter()

    def validated(examples, micro_batch_tokens=999):
        generator = validate(
            BASE,
            trained.adapter,
            examples,
            lad_noise(),
            loss_spec(),
            3,
            attention="full",
            micro_batch_tokens=micro_batch_tokens,
        )
        return drive(generator, BASE.model)[1]

    whole = validated(EXAMPLES)
    assert validated(EXAMPLES, 1) == whole
    assert validated(list(reversed(EXAMPLES))).ce == pytest.approx(whole.ce, rel=1e-12)
    alone = [validated([example]) for example in EXAMPLES]
    assert whole.loss == pytest.approx(sum(report.loss for report in alone) / 10, rel=1e-12)
    assert whole.supervised_tokens == sum(report.supervised_tokens for report in alone)


def test_an_adapter_that_changes_nothing_yet_validates_as_the_base_alone():
    options = (EXAMPLES, lad_noise(), loss_spec(), 3)
    with_adapter = drive(validate(BASE, new_adapter().adapter, *options, attention="full"), BASE.model)[1]
    assert drive(validate(BASE, None, *options, attention="full"), BASE.model)[1] == with_adapter


def test_examples_of_which_nothing_is_supervised_do_not_count_in_the_mean():
    loss = loss_spec(supervise="corrupted-answer-tokens")
    report = drive(validate(BASE, None, EXAMPLES, NoNoise(), loss, 0, attention="full"), BASE.model)[1]
    assert math.isnan(report.loss) and report.supervised_tokens == 0
    assert report.tokens == sum(len(example.ids) for example in EXAMPLES)


@pytest.mark.parametrize("kind", ["a run", "forwardBackward", "validate"])
def test_one_over_t_weights_are_refused_with_lad_noise(kind):
    loss = loss_spec(supervise="corrupted-answer-tokens", weighting="inverse-time")
    spec = training(loss=loss)
    if kind == "a run":
        task = TrainTask(spec=spec)
    elif kind == "forwardBackward":
        given = NoisedExamples(
            dataset_id="d",
            window=spec.window,
            noise=spec.noise,
            loss=loss,
            seed=1,
            epoch=0,
            rows=(0,),
            context="prompt",
            canvas_tokens=0,
        )
        task = NoisedForwardBackwardTask(examples=EXAMPLES, given=given, forward=forward_spec())
    else:
        task = ValidateTask(
            data=(EXAMPLES, REPORT),
            noise=spec.noise,
            loss=loss,
            seed=1,
            attention="full",
            context="prompt",
            canvas_tokens=0,
        )
    with pytest.raises(LadError, match="lad noise has no time"):
        kind_of(task).check(BASE, task)


def test_only_so_many_examples_are_validated_as_were_asked_for(store):
    spec = training(steps=1, validation=replace(VALIDATION, max_examples=2))
    _, _, outcome = run(store, spec)
    assert outcome.validation.tokens == sum(len(example.ids) for example in EXAMPLES[:2])
