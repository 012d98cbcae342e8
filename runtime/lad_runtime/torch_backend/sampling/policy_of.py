"""Which policy denoises in which mode."""

from collections.abc import Sequence
from typing import Literal

from lad_runtime.errors import assert_never
from lad_runtime.method.policies.llada import Llada
from lad_runtime.method.policies.policy import Policy
from lad_runtime.method.policies.refine import Refine
from lad_runtime.method.policies.remask import Remask
from lad_runtime.types.sampling import SamplingSpec

DenoisingMode = Literal["remask", "refine", "llada"]
"""Every mode of SamplingSpec but `ar`, which denoises nothing."""


def policy_of(
    mode: DenoisingMode,
    spec: SamplingSpec,
    *,
    canvas_tokens: int,
    seed: int,
    mask_token_id: int,
    stop_token_ids: Sequence[int],
) -> Policy:
    """The policy for a canvas of so many positions."""
    match mode:
        case "remask":
            return Remask(
                spec=spec.remask,
                iterations=spec.iterations,
                seed=seed,
                stop_token_ids=tuple(stop_token_ids),
                mask_token_id=mask_token_id,
            )
        case "refine":
            return Refine(iterations=spec.iterations)
        case "llada":
            return Llada(
                spec=spec.llada,
                answer_tokens=canvas_tokens,
                max_iterations=spec.iterations,
                stop_token_ids=tuple(stop_token_ids),
            )
        case _:
            return assert_never(mode)
