"""The loop of every denoising policy over one canvas: forward, draw, then the policy's schedule → choose → commit."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from lad_runtime.method.answer_end import first_stop
from lad_runtime.method.answer_state import AnswerState, Sampled, Settled
from lad_runtime.method.choose import Bools
from lad_runtime.method.open_positions import open_positions, sampled_at, state_at, with_open
from lad_runtime.method.policies.policy import AnswerCanvas, DenoisingPolicy
from lad_runtime.torch_backend.forward.prompt_context import Past
from lad_runtime.torch_backend.forward.requests import LogitsRequest
from lad_runtime.torch_backend.sampling.answer_text import AnswerText
from lad_runtime.torch_backend.sampling.draw import biased, draw, entropies, probabilities_of, without_stops
from lad_runtime.torch_backend.sampling.predict import guided
from lad_runtime.torch_backend.sampling.states import answer_state, sampling_state, standing
from lad_runtime.types.sampling import DrawSpec, Edit, FrameEvent, SamplingSpec
from lad_runtime.types.sampling_state import MAX_COUNT, CanvasStop, SamplingState
from lad_runtime.types.work import Work, ask


@dataclass(frozen=True, kw_only=True)
class Denoised:
    """A canvas that is done: what stands at every position."""

    ids: tuple[int, ...]
    iterations: int  # those of the canvas, also if it was begun in the middle
    forwards: int  # computed here
    stopped: CanvasStop | Literal["stop"]  # stop: a stop string ends the answer in what is final of it


def denoise(
    past: Past,
    canvas: AnswerCanvas,
    index: int,
    spec: SamplingSpec,
    policy: DenoisingPolicy,
    begin: SamplingState,
    text: AnswerText,
) -> Work[Denoised]:
    """Work: denoises a canvas behind what is `past`, from the state `begin` of this canvas alone; its frames are of canvas `index`.

    With a growth of k, k more positions are appended after each iteration but the last, up to `canvas.tokens`; with few iterations
    the answer stays shorter. It stops early when the policy has nothing left to predict, or when three consecutive iterations
    sampled the same answer and the policy settles, or when a stop string ends the answer within its first positions, as far as no
    later iteration changes them; `text` is of what follows the canvases before. The policy sees the open positions alone; draws are
    keyed by the canvas's own.
    """
    state, pinned_N = answer_state(begin, canvas.mask_token_id), np.array(begin.pinned)
    answer = standing(begin, state)
    if begin.stopped is not None:
        return _done(answer, begin.iteration, 0, begin.stopped)
    stop_from = first_stop(begin.ids, begin.pinned, canvas.tail_token_ids)
    open_N = open_positions(state, pinned_N, changes_visible=policy.changes_visible)
    settled = Settled(np.array(begin.sampled) if begin.sampled else None, begin.same)
    if not open_N.any():
        return _done(answer, begin.iteration, 0, "settled")
    acts = policy.denoising(replace(canvas, tokens=canvas.tokens - int((~open_N).sum())))
    stopped: CanvasStop = "iterations"
    iteration = begin.iteration
    while iteration < acts.iterations:
        if text.is_cut_in(_final_beginning(state, pinned_N, policy)):
            return _done(answer, iteration, iteration - begin.iteration, "stop")
        opened = state_at(state, open_N)
        predicted_N = np.zeros(len(state), dtype=np.bool_)
        predicted_N[open_N] = acts.predicted(opened, iteration)
        if not predicted_N.any():
            stopped = "settled"
            break
        logits_RV = yield from _logits(past, state, predicted_N, policy.guidance)
        logits_RV = without_stops(logits_RV, canvas, np.flatnonzero(predicted_N), stop_from)
        temperature = acts.temperature(iteration)
        drawing = spec.draw if temperature is None else replace(spec.draw, temperature=temperature)
        sampled = _sample(logits_RV, state, predicted_N, drawing, policy, canvas, iteration)
        seen = sampled_at(sampled, open_N)
        if (settled.see(sampled.ids_N) and policy.settles) or acts.finished(opened, seen, iteration):
            stopped = "settled"
        last = stopped == "settled" or iteration == acts.iterations - 1

        count = acts.schedule(opened, seen, iteration, last)
        chosen_O = acts.choose(opened, seen, count, iteration)
        after = with_open(state, open_N, acts.commit(opened, seen, chosen_O))
        answer = _answer(sampled, after)
        edits = _edits(state, answer, after, predicted_N) if spec.frames else ()
        if not last:
            more = min(policy.growth, canvas.tokens - len(after))
            after = after.grown(more, canvas.mask_token_id)
            pinned_N = np.pad(pinned_N, (0, more))
        if spec.frames:
            yield FrameEvent(
                canvas=index,
                iteration=iteration,
                iterations=acts.iterations,
                edits=edits,
                answer=tuple(answer.ids_N.tolist()),
                masked=int(after.masked_N.sum()),
                state=replace(
                    sampling_state(after, pinned_N, sampled),
                    same=min(settled.times, MAX_COUNT),
                    iteration=iteration + 1,
                    stopped=stopped if last else None,
                    forwards=iteration + 1 - begin.iteration,
                ),
            )
        state = after
        open_N = open_positions(state, pinned_N, changes_visible=policy.changes_visible)
        iteration += 1
        if last:
            break
    return _done(answer, iteration, iteration - begin.iteration, stopped)


def _final_beginning(state: AnswerState, pinned_N: Bools, policy: DenoisingPolicy) -> list[int]:
    """The tokens in front of the first position that may still change."""
    count = int(np.logical_and.accumulate(pinned_N | policy.final(state)).sum())
    return state.ids_N[:count].tolist()


def _done(answer: Sampled, iterations: int, forwards: int, stopped: CanvasStop | Literal["stop"]) -> Denoised:
    ids = tuple(answer.ids_N.tolist())
    return Denoised(ids=ids, iterations=iterations, forwards=forwards, stopped=stopped)


def _logits(past: Past, state: AnswerState, predicted_N: Bools, guidance: float) -> Work[Tensor]:
    """One forward over the canvas: float32 logits [R, V] of the predicted positions."""
    rows_R = torch.from_numpy(np.flatnonzero(predicted_N))
    segments, rows = past.canvas(torch.from_numpy(state.ids_N), rows_R)
    logits = yield from ask(LogitsRequest(segments=segments, rows=rows))
    return guided(logits, guidance)


def _sample(
    logits_RV: Tensor,
    state: AnswerState,
    predicted_N: Bools,
    spec: DrawSpec,
    policy: DenoisingPolicy,
    canvas: AnswerCanvas,
    iteration: int,
) -> Sampled:
    """Draws the predicted positions; elsewhere what stands there stays."""
    positions_R = np.flatnonzero(predicted_N)
    drawn = draw(
        logits_RV,
        spec,
        tokens=canvas,
        key=canvas.key,
        iteration=iteration,
        positions_R=positions_R,
    )
    ids_N, confidences_N = state.ids_N.copy(), state.confidences_N.copy()
    ids_N[positions_R] = drawn.ids_R
    confidences_N[positions_R] = drawn.confidences_R
    entropies_N, standing_N = np.zeros(len(state)), np.zeros(len(state))
    if policy.uses_entropies or policy.uses_standing:
        biased_RV = biased(logits_RV, spec, canvas)
        if policy.uses_entropies:
            entropies_N[positions_R] = entropies(biased_RV).cpu().numpy()
        if policy.uses_standing:
            standing_N[positions_R] = probabilities_of(biased_RV, state.ids_N[positions_R]).cpu().numpy()
    return Sampled(ids_N=ids_N, confidences_N=confidences_N, entropies_N=entropies_N, standing_N=standing_N)


def _answer(sampled: Sampled, after: AnswerState) -> Sampled:
    """The answer as it would be if this iteration were the last: what stands now, and what was sampled where MASK is shown."""
    return replace(
        sampled,
        ids_N=np.where(after.masked_N, sampled.ids_N, after.ids_N),
        confidences_N=np.where(after.masked_N, sampled.confidences_N, after.confidences_N),
    )


def _edits(state: AnswerState, answer: Sampled, after: AnswerState, predicted_N: Bools) -> tuple[Edit, ...]:
    touched_N = state.masked_N | after.masked_N | (answer.ids_N != state.ids_N)
    return tuple(
        Edit(
            position=int(p),
            old=int(state.ids_N[p]),
            new=int(answer.ids_N[p]),
            confidence=float(answer.confidences_N[p]),
            remasked=bool(after.masked_N[p]),
            kept=bool(after.kept_N[p]),
        )
        for p in np.flatnonzero(touched_N & predicted_N)
    )
