"""Samples a canvas in any mode."""

from functools import partial

from lad_runtime.errors import invalid_option
from lad_runtime.method.policies.llada import Llada
from lad_runtime.method.policies.policy import Policy
from lad_runtime.method.policies.refine import Refine
from lad_runtime.method.policies.remask import Remask
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.sampling.autoregressive import autoregress
from lad_runtime.torch_backend.sampling.canvases import SamplingWork, denoise_answer
from lad_runtime.torch_backend.sampling.predict import check_tokens
from lad_runtime.types.sampling import Canvas, SamplingSpec


def sample_canvas(
    base: Base, snapshot: LoraAdapter | None, canvas: Canvas, index: int, spec: SamplingSpec
) -> SamplingWork:
    """Work: yields a request and (where `spec.frames`) a frame for each iteration, returns the answer.

    `index` names the canvas in frames and answer. `snapshot` must not change while the work runs: then the answer depends on
    base, snapshot, canvas and spec alone.

    Raises LadError(INVALID_OPTION) for token ids or a length that the base does not have, and in mode `ar` for an empty prompt.
    """
    check_canvas(base, canvas, spec)
    if spec.mode == "ar":
        return autoregress(base, snapshot, canvas, index, spec)
    return denoise_answer(base, snapshot, canvas, index, spec, partial(policy_of, spec, base))


def check_canvas(base: Base, canvas: Canvas, spec: SamplingSpec) -> None:
    """Raises LadError(INVALID_OPTION) as `sample_canvas` does."""
    check_tokens(base, "prompt", canvas.prompt, total=len(canvas.prompt) + 1)
    room = base.model.config.max_positions - len(canvas.prompt)
    if spec.answer_tokens > room:
        raise invalid_option(
            "answerTokens",
            spec.answer_tokens,
            f"the model has {base.model.config.max_positions} positions, and the prompt takes {len(canvas.prompt)} of them",
            f"Give {room} or fewer, or a shorter prompt.",
        )
    if spec.mode == "ar" and not canvas.prompt:
        raise invalid_option(
            "prompt", "[]", "nothing predicts the first token", "Give at least one token, such as BOS."
        )


def policy_of(spec: SamplingSpec, base: Base, canvas_tokens: int, seed: int) -> Policy:
    """The policy of modes remask, refine and llada for a canvas of so many positions."""
    if spec.mode == "refine":
        return Refine(iterations=spec.iterations)
    if spec.mode == "llada":
        return Llada(
            spec=spec.llada,
            answer_tokens=canvas_tokens,
            max_iterations=spec.iterations,
            stop_token_ids=base.info.stop_token_ids,
        )
    return Remask(
        spec=spec.remask,
        iterations=spec.iterations,
        seed=seed,
        stop_token_ids=base.info.stop_token_ids,
        mask_token_id=base.info.mask_token_id,
    )
