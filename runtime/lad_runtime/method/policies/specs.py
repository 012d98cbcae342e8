"""Settings of the policies."""

from dataclasses import dataclass
from typing import Literal

from lad_runtime.checks import check_choice, check_number, check_whole


@dataclass(frozen=True, kw_only=True)
class RemaskSpec:
    """Scheduled denoising with re-masking (docs/method.md §6).

    `retention` says what becomes of a position that an iteration did not re-mask: `none`, it may be re-masked later;
    `editable`, it is never MASK again, but its token is sampled anew in every iteration; `locked`, its token is final.
    """

    schedule: Literal["exponential", "linear"] = "exponential"
    sharpness: float = 5.0
    noise_start: float = 1.0
    positions: Literal["random", "clustered", "confidence"] = "random"
    min_guidance_weight: float = 0.1
    cluster_span: int = 4  # mean length of a cluster, in tokens
    retention: Literal["none", "editable", "locked"] = "none"

    def __post_init__(self) -> None:
        check_choice("schedule", self.schedule, ("exponential", "linear"))
        check_number("sharpness", self.sharpness, above=0)
        check_number("noiseStart", self.noise_start, low=0, high=1)
        check_choice("positions", self.positions, ("random", "clustered", "confidence"))
        check_number("minGuidanceWeight", self.min_guidance_weight, above=0, high=1)
        check_whole("clusterSpan", self.cluster_span, low=1)
        check_choice("retention", self.retention, ("none", "editable", "locked"))


@dataclass(frozen=True, kw_only=True)
class LladaSpec:
    """LLaDA's fixed budget (arXiv 2502.09992): each step commits its share of the most confident masks, for good."""

    block_tokens: int = 0  # 0: one block
    guidance_scale: float = 0.0  # classifier-free guidance
    eos_confidence_off: bool = False  # a stop token never wins by confidence

    def __post_init__(self) -> None:
        check_whole("blockTokens", self.block_tokens, low=0)
        check_number("guidanceScale", self.guidance_scale, low=0)
