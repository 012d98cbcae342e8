"""The registry of sampling policies (docs/method.md §6)."""

from typing import get_args

from lad_runtime.method.policies.ar import ArPolicy
from lad_runtime.method.policies.editing import EditingPolicy
from lad_runtime.method.policies.entropy_bound import EntropyBoundPolicy
from lad_runtime.method.policies.llada import LladaPolicy
from lad_runtime.method.policies.policy import Policy
from lad_runtime.method.policies.refine import RefinePolicy
from lad_runtime.method.policies.remask import RemaskPolicy
from lad_runtime.method.policies.revoking import RevokingPolicy
from lad_runtime.method.policies.speculative import SpeculativePolicy
from lad_runtime.method.policies.threshold import ThresholdPolicy

PolicySpec = (
    RemaskPolicy
    | RefinePolicy
    | LladaPolicy
    | ArPolicy
    | SpeculativePolicy
    | ThresholdPolicy
    | EditingPolicy
    | RevokingPolicy
    | EntropyBoundPolicy
)
"""Any policy."""

POLICIES: dict[str, type[Policy]] = {policy.kind: policy for policy in get_args(PolicySpec)}
"""By name."""
