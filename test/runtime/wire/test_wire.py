"""Messages to typed values and back."""

import base64
import importlib.util
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st

from fake_backend import base_info
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.gen.lad.v1 import (
    data_pb2,
    evaluation_pb2,
    runs_pb2,
    sampling_pb2,
    training_pb2,
    worker_pb2,
)
from lad_runtime.method.noise import NOISES
from lad_runtime.method.noises.own_draft import OwnDraftNoise
from lad_runtime.method.policies.remask import RemaskPolicy
from lad_runtime.types.bases import BaseInfo, BaseSpec, MatrixKernel
from lad_runtime.types.data import WindowReport, WindowSpec
from lad_runtime.types.primitives import TargetedSequence
from lad_runtime.types.runs import LoggedEvent, RunCancelled, RunInterrupted, RunPaused, RunResumed
from lad_runtime.types.sampling import AnswerEvent, DrawSpec, Edit, FrameEvent, SamplingOutcome, SamplingSpec
from lad_runtime.types.sampling_state import SamplingState
from lad_runtime.types.training import NoiseSpec, TrainingSpec
from lad_runtime.types.training_events import (
    BestValidation,
    CheckpointEvent,
    LossReport,
    StepEvent,
    TrainingOutcome,
    TrainingStarted,
    ValidationEvent,
)
from lad_runtime.wire import tensors
from lad_runtime.wire.canvas import read_canvas
from lad_runtime.wire.codec import reader, writer
from lad_runtime.wire.enums import enumeration
from lad_runtime.wire.errors import error_detail, status_of
from lad_runtime.wire.protocol import FILES

read_window = reader(data_pb2.WindowSpec, WindowSpec)
read_noise = reader(training_pb2.NoiseSpec, NoiseSpec)
read_training_spec = reader(training_pb2.TrainingSpec, TrainingSpec)
read_sequences = reader(training_pb2.TargetedSequences, tuple[TargetedSequence, ...])
read_draw = reader(sampling_pb2.DrawSpec, DrawSpec)
read_sampling_spec = reader(sampling_pb2.SamplingSpec, SamplingSpec)
read_base_spec = reader(worker_pb2.LoadBaseRequest, BaseSpec)
write_window_report = writer(WindowReport, data_pb2.WindowReport)
write_base = writer(BaseInfo, worker_pb2.Base)
write_event = writer(LoggedEvent, runs_pb2.StreamEventsResponse)

WINDOW = data_pb2.WindowSpec(window=64, pad_to_window=True, too_long=1, supervise=1)
NOISE = training_pb2.NoiseSpec(lad=training_pb2.LadNoise(tail_noise=True, max_span=3, max_shift=4))
LOSS = training_pb2.LossSpec(supervise=1, tail=True, tail_weight=1, weighting=1)
OPTIMIZER = training_pb2.OptimizerSpec(kind=1, beta1=0.9, beta2=0.999, epsilon=1e-8, newton_schulz_steps=5)
CAUSAL = evaluation_pb2.Likelihood(causal=evaluation_pb2.CausalLikelihood())
DRAW = sampling_pb2.DrawSpec(top_p=1, confidence=1, method=1)


def refining(iterations: int) -> sampling_pb2.Policy:
    return sampling_pb2.Policy(refine=sampling_pb2.RefinePolicy(iterations=iterations))


REPORT = LossReport(
    loss=1.0,
    ce=2.0,
    content_ce=3.0,
    tail_ce=math.nan,
    corrupted_ce=5.0,
    corrupted_content_ce=6.0,
    tokens=7,
    supervised_tokens=8,
    content_tokens=9,
    tail_tokens=10,
    corrupted_tokens=11,
    corrupted_content_tokens=12,
)


def training_spec(**changes: Any) -> training_pb2.TrainingSpec:
    spec = training_pb2.TrainingSpec(
        dataset_id="d",
        window=WINDOW,
        noise=NOISE,
        loss=LOSS,
        optimizer=OPTIMIZER,
        schedule=training_pb2.ScheduleSpec(learning_rate=1e-3, decay=1),
        steps=10,
        batch_size=8,
        micro_batch_tokens=2048,
        seed=2**64 - 1,
        attention=1,
        context=1,
        share_weight=1,
    )
    spec.MergeFrom(training_pb2.TrainingSpec(**changes))
    return spec


def refused(read: Callable[[Any], Any], message: Any) -> LadError:
    with pytest.raises(LadError) as raised:
        read(message)
    assert raised.value.code is ErrorCode.INVALID_OPTION
    return raised.value


def test_every_enumeration_of_a_message_has_words_by_one_rule() -> None:
    fields = [
        field for file in FILES for kind in file.message_types_by_name.values() for field in kind.fields
    ]
    kinds = {field.enum_type.full_name: field.enum_type for field in fields if field.enum_type is not None}
    assert len(kinds) > 15
    for kind in kinds.values():
        words = enumeration(kind)
        named = [value for value in kind.values if not value.name.endswith("_UNSPECIFIED")]
        assert len(words.words) == len(named) + (kind.name == "DataType")  # a missing data type means auto
        assert all(words.write(words.read(words.write(word))) == words.write(word) for word in words.words)
        for value in named:
            assert value.name.endswith(words.read(value.number).upper().replace("-", "_"))


def test_a_missing_or_unknown_enumeration_value_names_its_option_and_the_choices() -> None:
    error = refused(read_window, data_pb2.WindowSpec(window=8, supervise=1))
    assert str(error) == ("tooLong is missing: it is not a known value. Give one of drop, truncate, error.")
    assert refused(read_window, data_pb2.WindowSpec(window=8, supervise=1, too_long=9)).value == "9"


def test_a_training_specification_keeps_every_value() -> None:
    spec = read_training_spec(training_spec(checkpoint="run-1", resume=True, overwrite=True))
    assert (spec.steps, spec.seed, spec.checkpoint) == (10, 2**64 - 1, "run-1")
    assert spec.resume and spec.overwrite
    assert (spec.window.window, spec.window.too_long, spec.noise.kind) == (64, "drop", "lad")
    assert (spec.loss.supervise, spec.optimizer.kind, spec.schedule.decay) == (
        "all-tokens",
        "adamw",
        "cosine",
    )
    assert spec.validation is None
    with_validation = training_spec(validation=training_pb2.ValidationSpec(dataset_id="v", seed=3))
    validation = read_training_spec(with_validation).validation
    assert validation is not None and (validation.dataset_id, validation.seed) == ("v", 3)
    loss = training_pb2.LossSpec(supervise=2, tail_weight=1)
    options = training_spec(attention=4, gradient_checkpointing=True, share_weight=2.5, loss=loss)
    read = read_training_spec(options)
    assert (read.attention, read.gradient_checkpointing, read.share_weight) == ("causal-prefix", True, 2.5)


def test_a_specification_without_a_noise_is_refused_with_the_names_of_all() -> None:
    error = refused(read_noise, training_pb2.NoiseSpec())
    assert (error.option, error.value) == ("noise", "missing")
    assert error.remedy == f"Give one of {', '.join(NOISES)}."


@pytest.mark.parametrize(
    "field", list(training_pb2.NoiseSpec.DESCRIPTOR.fields), ids=lambda field: field.name
)
def test_every_noise_of_the_protocol_is_read_as_the_noise_of_its_name(field: FieldDescriptor) -> None:
    message = training_pb2.NoiseSpec()
    options = chosen(message, field.name)
    if field.name == "own_draft":
        chosen(options.noise, "none")
    noise = read_noise(message)
    assert noise.kind == field.name.replace("_", "-")
    for option, value in vars(noise).items():
        assert option in ("kind", "noise") or value == getattr(options, option)


@pytest.mark.parametrize(
    "field", list(training_pb2.DrawnNoise.DESCRIPTOR.fields), ids=lambda field: field.name
)
def test_a_model_drafts_from_every_noise_that_is_drawn_without_it(field: FieldDescriptor) -> None:
    message, alone = training_pb2.NoiseSpec(), training_pb2.NoiseSpec()
    message.own_draft.share = 0.25
    chosen(message.own_draft.noise, field.name)
    chosen(alone, field.name)
    noise = read_noise(message)
    assert isinstance(noise, OwnDraftNoise)
    assert (noise.share, noise.temperature, noise.noise) == (0.25, 0.0, read_noise(alone))


def test_an_own_draft_that_does_not_say_from_what_is_refused_with_the_names_of_all() -> None:
    message = training_pb2.NoiseSpec()
    message.own_draft.share = 0.5
    error = refused(read_noise, message)
    assert (error.option, error.value) == ("noise.noise", "missing")
    assert error.remedy == f"Give one of {', '.join(kind for kind in NOISES if kind != 'own-draft')}."


def chosen(message: Any, case: str) -> Any:
    """Makes the case the message's; returns its options, those being set that may not be 0."""
    options = getattr(message, case)
    options.SetInParent()
    if "min_time" in options.DESCRIPTOR.fields_by_name:
        options.min_time = 0.25
    if "max_span" in options.DESCRIPTOR.fields_by_name:
        options.max_span, options.max_shift = 7, 8
    return options


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"schedule": training_pb2.ScheduleSpec(learning_rate=math.nan, decay=1)}, "learningRate"),
        ({"schedule": training_pb2.ScheduleSpec(learning_rate=math.inf, decay=1)}, "learningRate"),
        ({"schedule": training_pb2.ScheduleSpec(learning_rate=-1, decay=1)}, "learningRate"),
        (
            {"schedule": training_pb2.ScheduleSpec(learning_rate=1, decay=1, final_fraction=2)},
            "finalFraction",
        ),
        ({"max_gradient_norm": math.nan}, "maxGradientNorm"),
        ({"window": data_pb2.WindowSpec(window=2**31)}, "windowTokens"),
        (
            {"noise": training_pb2.NoiseSpec(lad=training_pb2.LadNoise(swap_scale=math.nan))},
            "noise.swapScale",
        ),
        (
            {"noise": training_pb2.NoiseSpec(cover=training_pb2.CoverNoise(mask_probability=1.5))},
            "noise.maskProbability",
        ),
        ({"noise": training_pb2.NoiseSpec(uniform=training_pb2.UniformNoise())}, "noise.minTime"),
        ({"optimizer": training_pb2.OptimizerSpec(beta1=1)}, "optimizer.beta1"),
        ({"optimizer": training_pb2.OptimizerSpec(epsilon=math.inf)}, "optimizer.epsilon"),
        ({"share_weight": -1}, "shareWeight"),
        ({"share_weight": 1e-4}, "shareWeight"),
        ({"share_weight": 1e4}, "shareWeight"),
        ({"attention": 2}, "attention"),
        ({"attention": 4}, "loss.supervise"),
        ({"checkpoint": "../../evil"}, "checkpoint.name"),
        ({"checkpoint_every_steps": 5}, "checkpoint.name"),
    ],
)
def test_a_number_out_of_range_names_the_option_as_the_caller_wrote_it(
    changes: dict[str, Any], option: str
) -> None:
    assert refused(read_training_spec, training_spec(**changes)).option == option


@given(st.floats(width=64), st.sampled_from(["temperature", "top_p", "eos_bias"]))
def test_no_number_whatever_gets_past_the_draws_checks(value: float, field: str) -> None:
    message = sampling_pb2.DrawSpec(top_p=1, confidence=1, method=1)
    setattr(message, field, value)
    try:
        spec = read_draw(message)
    except LadError as error:
        assert error.code is ErrorCode.INVALID_OPTION
        return
    assert 0 <= spec.temperature < math.inf
    assert 0 < spec.top_p <= 1
    assert spec.eos_bias < math.inf


def test_eos_can_be_forbidden_by_a_bias_of_minus_infinity() -> None:
    message = sampling_pb2.DrawSpec(top_p=1, confidence=1, method=1, eos_bias=-math.inf)
    assert read_draw(message).eos_bias == -math.inf


def test_a_canvas_has_ids_or_a_chat() -> None:
    ids = sampling_pb2.Canvas(ids=data_pb2.TokenIds(ids=[1, 2]), seed=7)
    assert read_canvas(ids).seed == 7
    assert read_canvas(sampling_pb2.Canvas(ids=data_pb2.TokenIds(ids=[1, 2]))).seed is None
    chat = sampling_pb2.Chat(messages=[data_pb2.Message(role="user", content="hi")])
    rendered_later = read_canvas(sampling_pb2.Canvas(chat=chat, seed=7))
    assert rendered_later.messages[0].content == "hi"  # type: ignore[union-attr]
    assert not rendered_later.allow_special  # type: ignore[union-attr]
    chat.allow_special = True
    assert read_canvas(sampling_pb2.Canvas(chat=chat)).allow_special  # type: ignore[union-attr]
    assert refused(read_canvas, sampling_pb2.Canvas()).option == "prompt"
    robot = sampling_pb2.Chat(messages=[data_pb2.Message(role="robot")])
    assert refused(read_canvas, sampling_pb2.Canvas(chat=robot)).option == "role"


@pytest.mark.parametrize("allowed", [False, True])
def test_a_window_says_whether_special_tokens_in_messages_are_allowed(allowed: bool) -> None:
    window = data_pb2.WindowSpec(window=8, supervise=1, too_long=1, allow_special=allowed)
    assert read_window(window).allow_special is allowed


def test_a_report_on_windows_tells_their_end_and_what_messages_write_out() -> None:
    report = replace(WINDOW_REPORT, special_tokens=5, mask_tokens=6, end_token="<|im_end|>", end_token_id=2)
    written = write_window_report(report)
    assert (written.special_tokens, written.mask_tokens) == (5, 6)
    assert (written.end_token, written.end_token_id) == ("<|im_end|>", 2)


def test_a_base_tells_its_stop_tokens_and_what_is_odd_about_it() -> None:
    info = base_info(other_stops=(("<|end|>", 9),), warnings=("odd.",))
    written = write_base(info)
    assert (written.eos_token, written.eos_token_id) == ("[EOS]", 256)
    assert (list(written.stop_tokens), list(written.stop_token_ids)) == (["[EOS]", "<|end|>"], [256, 9])
    assert list(written.warnings) == ["odd."]


def test_a_missing_system_prompt_is_not_an_empty_one() -> None:
    assert read_base_spec(worker_pb2.LoadBaseRequest(name="stub")).system_prompt is None
    assert read_base_spec(worker_pb2.LoadBaseRequest(name="stub", system_prompt="")).system_prompt == ""
    assert refused(read_base_spec, worker_pb2.LoadBaseRequest()).option == "base"


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_floats_cross_as_little_endian_bytes(values: list[float]) -> None:
    assert tensors.read_floats("weights", tensors.write_floats(values)) == tuple(values)


def test_half_a_float_is_refused() -> None:
    with pytest.raises(LadError, match="weights is 5 bytes"):
        tensors.read_floats("weights", b"12345")


def test_sequences_are_checked_for_length_and_finite_weights() -> None:
    def sequences(**changes: Any) -> training_pb2.TargetedSequences:
        fields = {"ids": [1, 2], "targets": [1, -1], "weights": tensors.write_floats([0.5, 0])} | changes
        return training_pb2.TargetedSequences(sequences=[training_pb2.TargetedSequence(**fields)])

    (sequence,) = read_sequences(sequences())
    assert (sequence.ids, sequence.targets, sequence.weights) == ((1, 2), (1, -1), (0.5, 0.0))
    assert refused(read_sequences, sequences(targets=[1])).option == "targets"
    assert refused(read_sequences, sequences(weights=b"")).option == "weights"
    nan = tensors.write_floats([math.nan, 1])
    assert refused(read_sequences, sequences(weights=nan)).option == "weights"


WINDOW_REPORT = WindowReport(
    examples=9, kept=7, dropped=1, truncated=1, prompt_tokens=2, answer_tokens=3, tail_tokens=4
)
BEST = BestValidation(step=1, ce=5.0, checkpoint="run-1-best")
EVENTS = {
    "training_started": TrainingStarted(
        report=WINDOW_REPORT,
        validation_report=None,
        trainable_parameters=5,
        accounted_bytes=6,
        from_step=7,
        warnings=("Other kernels.", "Grüße."),
    ),
    "training_step": StepEvent(
        step=1,
        epoch=0.5,
        report=REPORT,
        gradient_norm=1.0,
        learning_rate=1e-3,
        seconds=0.1,
        tokens_per_second=10.0,
    ),
    "validation": ValidationEvent(step=1, report=REPORT, best=BEST),
    "checkpoint": CheckpointEvent(step=1, name="run-1"),
    "training_finished": TrainingOutcome(
        steps=1,
        report=None,
        validation=REPORT,
        seconds=1.0,
        tokens_per_second=2.0,
        best=BEST,
        stopped="early",
    ),
    "frame": FrameEvent(
        canvas=1,
        iteration=2,
        iterations=3,
        edits=(Edit(position=1, old=2, new=3, confidence=0.5, remasked=True, kept=False),),
        answer=(4, 5),
        masked=6,
        state=SamplingState.all_masked(2, 5),
    ),
    "answer": AnswerEvent(
        canvas=1, ids=(1,), canvas_ids=(1, 2), text="é", iterations=3, stopped="settled", pinned=(0,)
    ),
    "sampling_finished": SamplingOutcome(canvases=2, seconds=0.5),
    "failed": LadError(ErrorCode.DIVERGED, "The loss is NaN.", remedy="Lower the learning rate."),
    "cancelled": RunCancelled(steps=4),
    "paused": RunPaused(steps=5),
    "resumed": RunResumed(steps=5),
    "interrupted": RunInterrupted(steps=5),
}


@pytest.mark.parametrize("field", EVENTS)
def test_every_event_has_its_message(field: str) -> None:
    message = write_event(LoggedEvent(seq=3, time=1.5, event=EVENTS[field]))
    assert message.WhichOneof("event") == field
    assert (message.seq, message.time) == (3, 1.5)


def test_the_protocol_has_no_event_without_a_writer() -> None:
    declared = {
        field.name for field in runs_pb2.StreamEventsResponse.DESCRIPTOR.oneofs_by_name["event"].fields
    }
    assert declared == set(EVENTS)


def test_what_is_absent_stays_absent_and_a_mean_over_nothing_is_nan() -> None:
    finished = write_event(LoggedEvent(seq=0, time=0.0, event=EVENTS["training_finished"])).training_finished
    assert not finished.HasField("report") and finished.HasField("validation")
    assert math.isnan(finished.validation.tail_ce)
    assert not write_event(
        LoggedEvent(seq=0, time=0.0, event=EVENTS["training_started"])
    ).training_started.HasField("validation_report")


def test_a_starts_warnings_cross() -> None:
    started = write_event(LoggedEvent(seq=0, time=0.0, event=EVENTS["training_started"])).training_started
    assert list(started.warnings) == ["Other kernels.", "Grüße."]


def test_a_base_tells_how_each_kind_of_matrix_is_multiplied() -> None:
    ways = (
        MatrixKernel(matrix="qkv", kernel="mkl", layout="out-in"),
        MatrixKernel(matrix="head", kernel="onednn", layout="in-out"),
    )
    written = write_base(base_info(kernels=ways)).kernels
    assert [(way.matrix, way.kernel, way.layout) for way in written] == [
        ("qkv", "mkl", "out-in"),
        ("head", "onednn", "in-out"),
    ]
    assert list(write_base(base_info()).kernels) == []


def test_every_code_has_a_status_and_long_texts_are_cut() -> None:
    for code in ErrorCode:
        assert status_of(LadError(code, "x")) is not grpc.StatusCode.UNKNOWN
    detail = error_detail(LadError(ErrorCode.NOT_FOUND, "m" * 9000, option="o", value="\udcff", remedy="r"))
    assert detail.code == "not-found"
    assert len(detail.SerializeToString()) < 8192


def golden_script() -> ModuleType:
    path = Path(__file__).parents[2] / "contract" / "messages_golden.py"
    spec = importlib.util.spec_from_file_location("messages_golden", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_golden_messages_are_what_this_version_writes() -> None:
    script = golden_script()
    assert script.FILE.read_text(encoding="utf-8") == script.document()


def test_the_golden_requests_are_read_into_complete_specifications() -> None:
    script = golden_script()
    stored = {
        entry["message"]: base64.b64decode(entry["bytes"]) for entry in json.loads(script.FILE.read_text())
    }
    start = training_pb2.StartTrainingRequest.FromString(stored["lad.v1.StartTrainingRequest"])
    spec = read_training_spec(start.spec)
    assert (spec.seed, spec.optimizer.kind, spec.window.supervise) == (2**64 - 1, "muon", "all-assistant")
    request = sampling_pb2.StartSamplingRequest.FromString(stored["lad.v1.StartSamplingRequest"])
    sampled = read_sampling_spec(request.spec)
    assert (sampled.draw.method, sampled.draw.eos_bias) == ("gumbel", -math.inf)
    assert isinstance(sampled.policy, RemaskPolicy)
    assert (sampled.policy.retention, sampled.policy.grow_tokens) == ("locked", 8)
    forward = training_pb2.ForwardBackwardRequest.FromString(stored["lad.v1.ForwardBackwardRequest"])
    (sequence,) = read_sequences(forward.sequences)
    assert (sequence.targets, sequence.weights) == ((-1, 2, 3), (0.0, 0.5, 0.25))
    assert sequence.prompt_tokens == 1
