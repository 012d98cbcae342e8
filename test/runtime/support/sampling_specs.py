"""Complete specifications of sampling with the method's values, but for what a test says."""

from typing import Any

from lad_runtime.method.policies.ar import ArPolicy
from lad_runtime.method.policies.editing import EditingPolicy
from lad_runtime.method.policies.entropy_bound import EntropyBoundPolicy
from lad_runtime.method.policies.llada import LladaPolicy
from lad_runtime.method.policies.policy import AnswerCanvas
from lad_runtime.method.policies.refine import RefinePolicy
from lad_runtime.method.policies.remask import RemaskPolicy
from lad_runtime.method.policies.revoking import RevokingPolicy
from lad_runtime.method.policies.speculative import SpeculativePolicy
from lad_runtime.method.policies.threshold import ThresholdPolicy
from lad_runtime.method.random import CanvasKey
from lad_runtime.types.sampling import DrawSpec, PredictSpec, SamplingSpec


def remask_policy(**options: Any) -> RemaskPolicy:
    return RemaskPolicy(
        **{
            "iterations": 32,
            "schedule": "exponential",
            "sharpness": 5.0,
            "noise_start": 1.0,
            "positions": "random",
            "min_guidance_weight": 0.1,
            "cluster_span": 4,
            "retention": "none",
            "early_stop": True,
            "grow_tokens": 0,
            **options,
        }
    )


def refine_policy(**options: Any) -> RefinePolicy:
    return RefinePolicy(**{"iterations": 32, "early_stop": True, "grow_tokens": 0, **options})


def llada_policy(**options: Any) -> LladaPolicy:
    defaults = {"iterations": 32, "block_tokens": 0, "guidance_scale": 0.0, "eos_confidence_off": False}
    return LladaPolicy(**{**defaults, **options})


def ar_policy() -> ArPolicy:
    return ArPolicy()


def speculative_policy(**options: Any) -> SpeculativePolicy:
    defaults = {"draft_tokens": 32, "draft_confidence": 0.0, "decided": "canvas", "patience": 2}
    return SpeculativePolicy(**{**defaults, **options})


def threshold_policy(**options: Any) -> ThresholdPolicy:
    defaults = {"iterations": 32, "confidence": 0.9, "factor": 0.0, "block_tokens": 0}
    return ThresholdPolicy(**{**defaults, **options})


def editing_policy(**options: Any) -> EditingPolicy:
    defaults = {"iterations": 32, "confidence": 0.5, "edit_confidence": 0.5, "edits": 4}
    return EditingPolicy(**{**defaults, **options})


def revoking_policy(**options: Any) -> RevokingPolicy:
    return RevokingPolicy(**{"iterations": 32, "confidence": 0.6, "keep_confidence": 0.5, **options})


def entropy_bound_policy(**options: Any) -> EntropyBoundPolicy:
    defaults = {
        "iterations": 32,
        "bound": 0.1,
        "anneal": True,
        "temperature_start": 0.8,
        "temperature_end": 0.4,
        "stable_forwards": 2,
        "stable_entropy": 0.005,
    }
    return EntropyBoundPolicy(**{**defaults, **options})


POLICY_BUILDERS = {
    "remask": remask_policy,
    "refine": refine_policy,
    "llada": llada_policy,
    "ar": ar_policy,
    "speculative": speculative_policy,
    "threshold": threshold_policy,
    "editing": editing_policy,
    "revoking": revoking_policy,
    "entropy-bound": entropy_bound_policy,
}


def draw_spec(**options: Any) -> DrawSpec:
    defaults = {
        "temperature": 0.0,
        "top_k": 0,
        "top_p": 1.0,
        "method": "inverse-cdf",
        "confidence": "unfiltered",
        "eos_bias": 0.0,
        "allow_mask": False,
    }
    return DrawSpec(**{**defaults, **options})


def sampling_spec(**options: Any) -> SamplingSpec:
    """`remask` with frames."""
    return SamplingSpec(
        **{
            "policy": remask_policy(),
            "draw": draw_spec(),
            "frames": True,
            "attention": "full",
            "context": "prompt",
            "canvas_tokens": 0,
            "window_tokens": 0,
            "share_weight": 1.0,
            "pad_tokens": (),
            "stop": (),
            "total_tokens": 0,
            **options,
        }
    )


def predict_spec(**options: Any) -> PredictSpec:
    defaults = {
        "draw": draw_spec(),
        "iteration": 0,
        "top": 0,
        "logits": False,
        "mode": "full",
        "guidance_scale": 0.0,
    }
    return PredictSpec(**{**defaults, **options})


def answer_canvas(
    tokens: int,
    *,
    seed: int = 0,
    canvas: int = 0,
    mask_token_id: int = 0,
    stop_token_ids: tuple[int, ...] = (),
    pad_token_ids: tuple[int, ...] = (),
) -> AnswerCanvas:
    key = CanvasKey(seed=seed, canvas=canvas)
    return AnswerCanvas(
        tokens=tokens,
        key=key,
        mask_token_id=mask_token_id,
        stop_token_ids=stop_token_ids,
        pad_token_ids=pad_token_ids,
    )
