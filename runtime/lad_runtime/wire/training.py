"""Messages of training.proto."""

from typing import cast

from lad_runtime.errors import invalid_option
from lad_runtime.gen.lad.v1 import training_pb2 as pb
from lad_runtime.method.noise import NOISES
from lad_runtime.types.primitives import ForwardBackwardResult, NoisedExamples, TargetedSequence
from lad_runtime.types.training import (
    LossSpec,
    NoiseSpec,
    OptimizerSpec,
    ScheduleSpec,
    TrainingSpec,
    ValidationSpec,
)
from lad_runtime.types.training_events import (
    CheckpointEvent,
    LossReport,
    StepEvent,
    TrainingOutcome,
    TrainingStarted,
    ValidationEvent,
)
from lad_runtime.wire.data import read_window, write_window_report
from lad_runtime.wire.enums import (
    ATTENTION_MODE,
    DECAY,
    LOSS_WEIGHTING,
    OPTIMIZER_KIND,
    SUPERVISE_TOKENS,
)
from lad_runtime.wire.tensors import read_floats, write_floats


def read_noise(message: pb.NoiseSpec) -> NoiseSpec:
    """Raises LadError(INVALID_OPTION) where no noise, or that of a newer protocol, was given."""
    kind = message.WhichOneof("kind")
    if kind is None:
        known = ", ".join(NOISES)
        raise invalid_option("noise", "missing", "it is not a known value", f"Give one of {known}.")
    options = getattr(message, kind)
    given = {field.name: getattr(options, field.name) for field in options.DESCRIPTOR.fields}
    return cast(NoiseSpec, NOISES[kind.replace("_", "-")](**given))


def read_loss(message: pb.LossSpec) -> LossSpec:
    return LossSpec(
        supervise=SUPERVISE_TOKENS.read(message.supervise),
        tail=message.tail,
        weighting=LOSS_WEIGHTING.read(message.weighting),
    )


def read_optimizer(message: pb.OptimizerSpec) -> OptimizerSpec:
    return OptimizerSpec(
        kind=OPTIMIZER_KIND.read(message.kind),
        weight_decay=message.weight_decay,
        beta1=message.beta1,
        beta2=message.beta2,
        epsilon=message.epsilon,
        momentum=message.momentum,
        newton_schulz_steps=message.newton_schulz_steps,
    )


def read_training_spec(message: pb.TrainingSpec) -> TrainingSpec:
    return TrainingSpec(
        dataset_id=message.dataset_id,
        window=read_window(message.window),
        noise=read_noise(message.noise),
        loss=read_loss(message.loss),
        optimizer=read_optimizer(message.optimizer),
        schedule=ScheduleSpec(
            learning_rate=message.schedule.learning_rate,
            warmup_steps=message.schedule.warmup_steps,
            decay=DECAY.read(message.schedule.decay),
            final_fraction=message.schedule.final_fraction,
        ),
        steps=message.steps,
        batch_size=message.batch_size,
        micro_batch_tokens=message.micro_batch_tokens,
        max_gradient_norm=message.max_gradient_norm,
        seed=message.seed,
        validation=_read_validation(message.validation) if message.HasField("validation") else None,
        checkpoint_every_steps=message.checkpoint_every_steps,
        checkpoint=message.checkpoint,
        resume=message.resume,
        overwrite=message.overwrite,
        attention=ATTENTION_MODE.read(message.attention),
        gradient_checkpointing=message.gradient_checkpointing,
        share_weight=message.share_weight,
    )


def _read_validation(message: pb.ValidationSpec) -> ValidationSpec:
    return ValidationSpec(
        dataset_id=message.dataset_id,
        max_examples=message.max_examples,
        every_steps=message.every_steps,
        seed=message.seed,
    )


def read_sequences(message: pb.TargetedSequences) -> tuple[TargetedSequence, ...]:
    return tuple(
        TargetedSequence(
            ids=tuple(sequence.ids),
            targets=tuple(sequence.targets),
            weights=read_floats("weights", sequence.weights),
            prompt_tokens=sequence.prompt_tokens,
        )
        for sequence in message.sequences
    )


def read_noised_examples(message: pb.NoisedExamples) -> NoisedExamples:
    return NoisedExamples(
        dataset_id=message.dataset_id,
        window=read_window(message.window),
        noise=read_noise(message.noise),
        loss=read_loss(message.loss),
        seed=message.seed,
        epoch=message.epoch,
        rows=tuple(message.rows),
    )


def write_forward_backward(result: ForwardBackwardResult) -> pb.ForwardBackwardResponse:
    return pb.ForwardBackwardResponse(
        loss=result.loss,
        tokens=result.tokens,
        supervised_tokens=result.supervised_tokens,
        ce=b"".join(write_floats(ce) for ce in result.ce),
    )


def write_loss_report(report: LossReport) -> pb.LossReport:
    return pb.LossReport(
        loss=report.loss,
        ce=report.ce,
        content_ce=report.content_ce,
        tail_ce=report.tail_ce,
        corrupted_ce=report.corrupted_ce,
        corrupted_content_ce=report.corrupted_content_ce,
        tokens=report.tokens,
        supervised_tokens=report.supervised_tokens,
        content_tokens=report.content_tokens,
        tail_tokens=report.tail_tokens,
        corrupted_tokens=report.corrupted_tokens,
        corrupted_content_tokens=report.corrupted_content_tokens,
    )


def write_started(event: TrainingStarted) -> pb.TrainingStarted:
    validation = event.validation_report
    return pb.TrainingStarted(
        report=write_window_report(event.report),
        validation_report=write_window_report(validation) if validation else None,
        trainable_parameters=event.trainable_parameters,
        accounted_bytes=event.accounted_bytes,
        from_step=event.from_step,
        warnings=event.warnings,
    )


def write_step(event: StepEvent) -> pb.TrainingStep:
    return pb.TrainingStep(
        step=event.step,
        epoch=event.epoch,
        report=write_loss_report(event.report),
        gradient_norm=event.gradient_norm,
        learning_rate=event.learning_rate,
        seconds=event.seconds,
        tokens_per_second=event.tokens_per_second,
    )


def write_validation(event: ValidationEvent) -> pb.Validation:
    return pb.Validation(step=event.step, report=write_loss_report(event.report))


def write_checkpoint(event: CheckpointEvent) -> pb.Checkpoint:
    return pb.Checkpoint(step=event.step, name=event.name)


def write_training_outcome(outcome: TrainingOutcome) -> pb.TrainingFinished:
    return pb.TrainingFinished(
        steps=outcome.steps,
        report=write_loss_report(outcome.report) if outcome.report else None,
        validation=write_loss_report(outcome.validation) if outcome.validation else None,
        seconds=outcome.seconds,
        tokens_per_second=outcome.tokens_per_second,
    )
