"""Samples a canvas by any policy."""

from collections.abc import Callable, Sequence

from lad_runtime.errors import invalid_option
from lad_runtime.method.policies.ar import ArPolicy
from lad_runtime.method.policies.policy import DenoisingPolicy, Policy
from lad_runtime.method.policies.speculative import SpeculativePolicy
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.sampling.autoregressive import autoregress
from lad_runtime.torch_backend.sampling.begin import check_begin
from lad_runtime.torch_backend.sampling.canvases import denoise_answer
from lad_runtime.torch_backend.sampling.needs import sampling_bytes
from lad_runtime.torch_backend.sampling.predict import check_tokens
from lad_runtime.torch_backend.sampling.speculate import speculate
from lad_runtime.torch_backend.task_kind import TaskKind
from lad_runtime.types.memory import Needs
from lad_runtime.types.sampling import AnswerEvent, Canvas, SampleTask, SamplingSpec
from lad_runtime.types.work import Work


def sample_canvas(
    base: Base, snapshot: LoraAdapter | None, canvas: Canvas, index: int, spec: SamplingSpec
) -> Work[AnswerEvent]:
    """Work: yields a request and (where `spec.frames`) a frame for each iteration, returns the answer.

    `index` names the canvas in frames and answer. `snapshot` must not change while the work runs: then the answer depends on
    base, snapshot, canvas and spec alone. `check_canvas` has seen canvas and spec.
    """
    if isinstance(spec.policy, DenoisingPolicy):
        return denoise_answer(base, snapshot, canvas, index, spec, spec.policy)
    return _FROM_LEFT_TO_RIGHT[type(spec.policy)](base, snapshot, canvas, index, spec)


_FromLeftToRight = Callable[[Base, LoraAdapter | None, Canvas, int, SamplingSpec], Work[AnswerEvent]]

_FROM_LEFT_TO_RIGHT: dict[type[Policy], _FromLeftToRight] = {
    ArPolicy: autoregress,
    SpeculativePolicy: speculate,
}
"""How the policies that denoise nothing write an answer."""


def check_canvas(base: Base, canvas: Canvas, spec: SamplingSpec) -> None:
    """Raises LadError(INVALID_OPTION) for token ids or a length that the base does not have, and for an empty prompt where
    tokens follow one another; for pad tokens that are no tokens of it."""
    base.tokenizer.pad_ids(spec.pad_tokens)
    check_tokens(base, "prompt", canvas.prompt, total=len(canvas.prompt) + 1)
    room = base.model.config.max_positions - len(canvas.prompt)
    if spec.answer_tokens > room:
        raise invalid_option(
            "answerTokens",
            spec.answer_tokens,
            f"the model has {base.model.config.max_positions} positions, and the prompt takes {len(canvas.prompt)} of them",
            f"Give {room} or fewer, or a shorter prompt.",
        )
    if not isinstance(spec.policy, DenoisingPolicy) and not canvas.prompt:
        raise invalid_option(
            "prompt", "[]", "nothing predicts the first token", "Give at least one token, such as BOS."
        )
    if canvas.begin is not None:
        check_begin(base, canvas.begin, spec)


def _needs(base: Base, tasks: Sequence[SampleTask]) -> Needs:
    """Of the canvases of one run."""
    return Needs(caches=sampling_bytes(base.model, [task.canvas for task in tasks], tasks[0].spec))


SAMPLING = TaskKind(
    task=SampleTask,
    check=lambda base, task: check_canvas(base, task.canvas, task.sized),
    needs=lambda base, _, tasks: _needs(base, tasks),
    work=lambda at, task: sample_canvas(at.base, at.weights, task.canvas, task.index, task.sized),
)
