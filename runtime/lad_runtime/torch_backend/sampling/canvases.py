"""An answer from its first canvas to its last, and what is told of it."""

from dataclasses import replace

from lad_runtime.method.answer_end import end_of_answer
from lad_runtime.method.policies.policy import AnswerCanvas, DenoisingPolicy
from lad_runtime.method.random import CanvasKey
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.prompt_context import Past
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.sampling.denoise import Denoised, denoise
from lad_runtime.types.limits import MAX_UINT64
from lad_runtime.types.sampling import AnswerEvent, Canvas, FrameEvent, SamplingSpec
from lad_runtime.types.work import Work


def denoise_answer(
    base: Base,
    snapshot: LoraAdapter | None,
    canvas: Canvas,
    index: int,
    spec: SamplingSpec,
    policy: DenoisingPolicy,
) -> Work[AnswerEvent]:
    """Work: denoises an answer canvas by canvas, each of `canvas_tokens` positions (0: one canvas) behind the finished ones.

    Canvas k is denoised with seed + k, in the attention modes `full` and `causal-prefix` as it would be alone behind the same
    tokens. In `prefix` neither the prompt nor a finished canvas sees what came after it, whereas the tokens of one prompt all
    see each other. Nothing follows a canvas with a stop token. `snapshot` must not change while the work runs.
    """
    size, key = spec.most_at_once, canvas.key(index)
    starts = range(0, spec.answer_tokens, size)
    past = yield from Past.of(
        base, snapshot, canvas.prompt, attention=spec.attention, guided=policy.guidance > 0
    )
    finished: tuple[int, ...] = ()
    forwards = 0
    done: Denoised | None = None
    for number, start in enumerate(starts):
        if done is not None:
            past = yield from past.then(done.ids)
        one = AnswerCanvas(
            tokens=min(size, spec.answer_tokens - start),
            key=CanvasKey(seed=(key.seed + number) & MAX_UINT64, canvas=key.canvas),
            mask_token_id=base.info.mask_token_id,
            stop_token_ids=base.info.stop_token_ids,
        )
        left = policy.denoising(one).iterations * (len(starts) - number)
        work = denoise(past, one, index, spec, policy)
        done = yield from _in_answer(work, finished, forwards, left)
        finished += done.ids
        forwards += done.iterations
        if end_of_answer(done.ids, base.info.stop_token_ids) < len(done.ids):
            break
    assert done is not None, "an answer has at least one token"
    ids = finished[: end_of_answer(finished, base.info.stop_token_ids)]
    return AnswerEvent(
        canvas=index,
        ids=ids,
        canvas_ids=finished,
        text=base.tokenizer.decode(ids),
        iterations=forwards,
        stopped=done.stopped,
    )


def _in_answer(work: Work[Denoised], finished: tuple[int, ...], forwards: int, left: int) -> Work[Denoised]:
    """A canvas's work with its frames told as the whole answer's: behind what is finished, `left` iterations at most to come."""
    reply: object = None
    while True:
        try:
            step = work.send(reply)
        except StopIteration as end:
            done: Denoised = end.value
            return done
        if isinstance(step, FrameEvent):
            step = replace(
                step,
                iteration=forwards + step.iteration,
                iterations=min(forwards + left, 2**32 - 1),  # as many as the protocol can say
                edits=tuple(replace(edit, position=len(finished) + edit.position) for edit in step.edits),
                answer=(*finished, *step.answer),
            )
        reply = yield step
