"""`ar`, the causal model by itself (docs/method.md §6): one token after another."""

from dataclasses import dataclass, field
from typing import Literal

from lad_runtime.method.policies.policy import Policy


@dataclass(frozen=True, kw_only=True)
class ArPolicy(Policy):
    kind: Literal["ar"] = field(default="ar", init=False)
