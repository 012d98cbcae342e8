"""Messages of sampling.proto and evaluation.proto."""

from lad_runtime.errors import invalid_option
from lad_runtime.gen.lad.v1 import evaluation_pb2
from lad_runtime.gen.lad.v1 import sampling_pb2 as pb
from lad_runtime.types.evaluation import Score, ScoreItem
from lad_runtime.types.sampling import (
    AnswerEvent,
    Canvas,
    Chat,
    DrawSpec,
    FrameEvent,
    LladaSpec,
    PredictCanvas,
    Prediction,
    PredictSpec,
    RemaskSpec,
    SamplingOutcome,
    SamplingSpec,
)
from lad_runtime.wire.data import read_messages
from lad_runtime.wire.enums import (
    ATTENTION_MODE,
    CONFIDENCE,
    DRAW_METHOD,
    REMASK_POSITIONS,
    REMASK_SCHEDULE,
    RETENTION,
    SAMPLING_MODE,
    STOP_REASON,
)
from lad_runtime.wire.tensors import write_floats


def read_draw(message: pb.DrawSpec) -> DrawSpec:
    return DrawSpec(
        temperature=message.temperature,
        top_k=message.top_k,
        top_p=message.top_p,
        method=DRAW_METHOD.read(message.method),
        confidence=CONFIDENCE.read(message.confidence),
        eos_bias=message.eos_bias,
    )


def read_sampling_spec(message: pb.SamplingSpec) -> SamplingSpec:
    return SamplingSpec(
        mode=SAMPLING_MODE.read(message.mode),
        answer_tokens=message.answer_tokens,
        iterations=message.iterations,
        draw=read_draw(message.draw),
        remask=_read_remask(message.remask) if message.HasField("remask") else RemaskSpec(),
        llada=_read_llada(message.llada) if message.HasField("llada") else LladaSpec(),
        early_stop=message.early_stop,
        grow_tokens=message.grow_tokens,
        frames=message.frames,
        attention=ATTENTION_MODE.read(message.attention),
        canvas_tokens=message.canvas_tokens,
        share_weight=message.share_weight,
    )


def _read_remask(message: pb.RemaskSpec) -> RemaskSpec:
    return RemaskSpec(
        schedule=REMASK_SCHEDULE.read(message.schedule),
        sharpness=message.sharpness,
        noise_start=message.noise_start,
        positions=REMASK_POSITIONS.read(message.positions),
        min_guidance_weight=message.min_guidance_weight,
        cluster_span=message.cluster_span,
        retention=RETENTION.read(message.retention),
    )


def _read_llada(message: pb.LladaSpec) -> LladaSpec:
    return LladaSpec(
        block_tokens=message.block_tokens,
        guidance_scale=message.guidance_scale,
        eos_confidence_off=message.eos_confidence_off,
    )


def read_canvas(message: pb.Canvas) -> Canvas | Chat:
    kind = message.WhichOneof("prompt")
    if kind == "ids":
        return Canvas(prompt=tuple(message.ids.ids), seed=message.seed)
    if kind == "chat":
        return Chat(
            messages=read_messages(message.chat.messages),
            seed=message.seed,
            allow_special=message.chat.allow_special,
        )
    raise invalid_option("prompt", "", "it is missing", "Give token ids or chat messages.")


def write_frame(frame: FrameEvent) -> pb.Frame:
    return pb.Frame(
        canvas=frame.canvas,
        iteration=frame.iteration,
        iterations=frame.iterations,
        edits=[
            pb.Edit(
                position=edit.position,
                old_token=edit.old,
                new_token=edit.new,
                confidence=edit.confidence,
                remasked=edit.remasked,
                kept=edit.kept,
            )
            for edit in frame.edits
        ],
        answer=frame.answer,
        masked=frame.masked,
    )


def write_answer(answer: AnswerEvent) -> pb.Answer:
    return pb.Answer(
        canvas=answer.canvas,
        ids=answer.ids,
        canvas_ids=answer.canvas_ids,
        text=answer.text,
        iterations=answer.iterations,
        stopped=STOP_REASON.write(answer.stopped),
    )


def write_sampling_outcome(outcome: SamplingOutcome) -> pb.SamplingFinished:
    return pb.SamplingFinished(canvases=outcome.canvases, seconds=outcome.seconds)


def read_predict_spec(message: pb.PredictSpec) -> PredictSpec:
    return PredictSpec(
        draw=read_draw(message.draw),
        iteration=message.iteration,
        top=message.top,
        logits=message.logits,
        mode=ATTENTION_MODE.read(message.mode),
        guidance_scale=message.guidance_scale,
    )


def read_predict_canvas(message: pb.PredictCanvas) -> PredictCanvas:
    return PredictCanvas(ids=tuple(message.ids), answer_start=message.answer_start, seed=message.seed)


def write_prediction(prediction: Prediction) -> pb.Prediction:
    return pb.Prediction(
        ids=prediction.ids,
        confidences=write_floats(prediction.confidences),
        entropies=write_floats(prediction.entropies),
        top_ids=prediction.top_ids,
        top_probabilities=write_floats(prediction.top_probabilities),
        logits=prediction.logits,
    )


def read_score_item(message: evaluation_pb2.ScoreItem) -> ScoreItem:
    return ScoreItem(prompt=tuple(message.prompt.ids), continuation=tuple(message.continuation.ids))


def write_score(score: Score) -> evaluation_pb2.Score:
    return evaluation_pb2.Score(
        log_likelihood=score.log_likelihood,
        token_log_likelihoods=write_floats(score.token_log_likelihoods),
        greedy=score.greedy,
    )
