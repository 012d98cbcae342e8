"""The loop of every denoising policy over one canvas: forward, draw, then the policy's schedule → choose → commit."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from lad_runtime.method.answer_state import AnswerState, Sampled, Settled
from lad_runtime.method.choose import Bools
from lad_runtime.method.policies.policy import AnswerCanvas, DenoisingPolicy
from lad_runtime.torch_backend.forward.prompt_context import Past
from lad_runtime.torch_backend.forward.requests import LogitsRequest
from lad_runtime.torch_backend.sampling.draw import biased, draw, entropies, probabilities_of
from lad_runtime.torch_backend.sampling.predict import guided
from lad_runtime.types.sampling import DrawSpec, Edit, FrameEvent, SamplingSpec
from lad_runtime.types.work import Work, ask


@dataclass(frozen=True, kw_only=True)
class Denoised:
    """A canvas that is done: what stands at every position."""

    ids: tuple[int, ...]
    iterations: int  # forwards computed
    stopped: Literal["iterations", "settled"]


def denoise(
    past: Past, canvas: AnswerCanvas, index: int, spec: SamplingSpec, policy: DenoisingPolicy
) -> Work[Denoised]:
    """Work: denoises a canvas of `canvas.tokens` MASKs behind what is `past`; its frames are of canvas `index`.

    With a growth of k the answer begins with k positions, and k more are appended after each iteration but the last, up to
    `canvas.tokens`; with few iterations it stays shorter. It stops early when the policy has nothing left to predict, or
    when three consecutive iterations sampled the same answer and the policy settles.
    """
    acts = policy.denoising(canvas)
    state = AnswerState.all_masked(min(policy.growth or canvas.tokens, canvas.tokens), canvas.mask_token_id)
    sampled = answer = Sampled.nothing(state)
    settled = Settled()
    stopped: Literal["iterations", "settled"] = "iterations"
    forwards = 0
    for iteration in range(acts.iterations):
        predicted_N = acts.predicted(state, iteration)
        if not predicted_N.any():
            stopped = "settled"
            break
        logits_RV = yield from _logits(past, state, predicted_N, policy.guidance)
        forwards += 1
        temperature = acts.temperature(iteration)
        drawing = spec.draw if temperature is None else replace(spec.draw, temperature=temperature)
        sampled = _sample(logits_RV, state, predicted_N, drawing, policy, canvas, iteration)
        if (settled.see(sampled.ids_N) and policy.settles) or acts.finished(state, sampled, iteration):
            stopped = "settled"
        last = stopped == "settled" or iteration == acts.iterations - 1

        count = acts.schedule(state, sampled, iteration, last)
        chosen_N = acts.choose(state, sampled, count, iteration)
        after = acts.commit(state, sampled, chosen_N)
        answer = _answer(sampled, after)
        edits = _edits(state, answer, after, predicted_N) if spec.frames else ()
        if not last:
            room = canvas.tokens - len(after)
            after = after.grown(min(policy.growth, room), canvas.mask_token_id)
        if spec.frames:
            yield FrameEvent(
                canvas=index,
                iteration=iteration,
                iterations=acts.iterations,
                edits=edits,
                answer=tuple(answer.ids_N.tolist()),
                masked=int(after.masked_N.sum()),
            )
        state = after
        if last:
            break
    return Denoised(ids=tuple(answer.ids_N.tolist()), iterations=forwards, stopped=stopped)


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
