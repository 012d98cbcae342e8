"""An answer from its first canvas to its last, and what is told of it."""

from dataclasses import dataclass, replace

import numpy as np

from lad_runtime.method.answer_end import end_of_answer
from lad_runtime.method.policies.policy import AnswerCanvas, DenoisingPolicy
from lad_runtime.method.random import CanvasKey
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.prompt_context import Past
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.sampling.answer_text import AnswerText
from lad_runtime.torch_backend.sampling.begin import begun
from lad_runtime.torch_backend.sampling.denoise import Denoised, denoise
from lad_runtime.types.limits import MAX_UINT64
from lad_runtime.types.sampling import AnswerEvent, Canvas, FrameEvent, SamplingSpec
from lad_runtime.types.sampling_state import MAX_COUNT, SamplingState
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
    tokens. An answer that fills all of its positions and has no stop token was cut by its length, however its last canvas came to
    an end. In `prefix` neither the prompt nor a finished canvas sees what came after it, whereas the tokens of one prompt all
    see each other. In the context `random-split`, the last finished token stands visible in front of each later canvas. Nothing
    follows a canvas with a stop token, or one in which a stop string is complete. The first canvas begins from what `canvas`
    says, all others from MASKs. `snapshot` must not change while the work runs.
    """
    size, key = spec.most_at_once, canvas.key(index)
    past = yield from Past.of(
        base,
        snapshot,
        canvas.prompt,
        attention=spec.attention,
        guided=policy.guidance > 0,
        context=spec.context,
    )
    told, text = _Told.before(canvas.begin, key), AnswerText.of(base, spec)
    for start in range(0, len(told.ids), size):
        past = yield from past.then(told.ids[start : start + size])
    starts = range(len(told.ids), spec.answer_tokens, size)
    done: Denoised | None = None
    for later, start in zip(reversed(range(len(starts))), starts, strict=True):
        if done is not None:
            past = yield from past.then(done.ids)
        one = AnswerCanvas(
            tokens=min(size, spec.answer_tokens - start),
            key=CanvasKey(seed=(key.seed + start // size) & MAX_UINT64, canvas=key.canvas),
            mask_token_id=base.info.mask_token_id,
            stop_token_ids=base.info.stop_token_ids,
            pad_token_ids=base.tokenizer.pad_ids(spec.pad_tokens),
        )
        if canvas.begin is not None and done is None:
            begin = begun(canvas.begin, one.tokens, policy, one.mask_token_id)
        else:
            begin = _masks(one, policy)
        work = denoise(past, one, index, spec, policy, begin, text.behind(told.ids))
        done = yield from told.of(work, policy.denoising(one).iterations * later)
        told = told.then(begin, done)
        if end_of_answer(done.ids, base.info.stop_token_ids) < len(done.ids) or text.is_cut_in(told.ids):
            break
    assert done is not None, "an answer has at least one token"
    cut = text.cut(told.ids)
    is_full = len(cut.ids) == spec.answer_tokens
    return AnswerEvent(
        canvas=index,
        ids=cut.ids,
        canvas_ids=told.ids,
        text=cut.text,
        iterations=told.forwards,
        stopped="stop" if cut.stop is not None else "length" if is_full else done.stopped,
        pinned=tuple(np.flatnonzero(told.pinned).tolist()),
        stop=cut.stop,
    )


def _masks(canvas: AnswerCanvas, policy: DenoisingPolicy) -> SamplingState:
    count = min(policy.growth or canvas.tokens, canvas.tokens)
    return SamplingState.all_masked(count, canvas.mask_token_id)


@dataclass(frozen=True, kw_only=True)
class _Told:
    """The finished canvases of an answer, behind which the frames of the one in hand are told."""

    ids: tuple[int, ...]
    pinned: tuple[bool, ...]
    iterations: int
    forwards: int
    key: CanvasKey

    @classmethod
    def before(cls, begin: SamplingState | None, key: CanvasKey) -> "_Told":
        if begin is None:
            return cls(ids=(), pinned=(), iterations=0, forwards=0, key=key)
        count = begin.finished
        return cls(
            ids=begin.ids[:count],
            pinned=begin.pinned[:count],
            iterations=begin.finished_iterations,
            forwards=begin.forwards,
            key=key,
        )

    def then(self, begin: SamplingState, done: Denoised) -> "_Told":
        grown = (False,) * (len(done.ids) - len(begin.pinned))
        return replace(
            self,
            ids=self.ids + done.ids,
            pinned=self.pinned + begin.pinned + grown,
            iterations=_sum(self.iterations, done.iterations),
            forwards=_sum(self.forwards, done.forwards),
        )

    def of(self, work: Work[Denoised], left: int) -> Work[Denoised]:
        """A canvas's work with its frames told as the whole answer's; canvases with `left` iterations at most are to come."""
        reply: object = None
        while True:
            try:
                step = work.send(reply)
            except StopIteration as end:
                done: Denoised = end.value
                return done
            reply = yield self._whole(step, left) if isinstance(step, FrameEvent) else step

    def _whole(self, frame: FrameEvent, left: int) -> FrameEvent:
        assert frame.state is not None, "a policy that denoises tells the state"
        state = replace(
            frame.state.behind(self.ids, self.pinned),
            finished_iterations=self.iterations,
            forwards=_sum(self.forwards, frame.state.forwards),
            key=self.key,
        )
        return replace(
            frame,
            iteration=_sum(self.iterations, frame.iteration),
            iterations=_sum(self.iterations, frame.iterations, left),
            edits=tuple(replace(edit, position=len(self.ids) + edit.position) for edit in frame.edits),
            answer=(*self.ids, *frame.answer),
            state=state,
        )


def _sum(*counts: int) -> int:
    """Their sum, or as much as can be said."""
    return min(sum(counts), MAX_COUNT)
