"""Modules with a rank or an alpha of their own, as `rank_pattern` and `alpha_pattern` give them: made one rank for all."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from lad_runtime.torch_backend.adapters.peft_modules import Module, module_path
from lad_runtime.torch_backend.adapters.peft_options import check_finite, check_rank, not_computed
from lad_runtime.types.adapters import AdapterSpec

_NAME = re.compile(r"\^?[\w.]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """`spec` is of the highest rank; a module of a lower rank has rows of zeros behind its A, and columns behind its B.

    They stay zero in training, since each one's gradient is a product with the other.
    """

    spec: AdapterSpec
    ranks: Mapping[Module, int]
    scales: Mapping[Module, float]  # what a module's update is scaled by, as a multiple of `spec.scaling`

    def widened(self, module: Module, factor: str, values: Tensor) -> Tensor:
        """A [r, in] or B [out, r] of a module at the adapter's rank and scaling."""
        if factor == "lora_B":
            values = values * self.scales[module] if self.scales[module] != 1.0 else values
        missing = self.spec.rank - self.ranks[module]
        if missing == 0:
            return values
        return torch.nn.functional.pad(values, (0, 0, 0, missing) if factor == "lora_A" else (0, missing))


def ranks_of(settings: Mapping[str, Any], spec: AdapterSpec, modules: Iterable[Module]) -> Ranks:
    """`spec` has the rank and the alpha of all modules that no pattern names.

    Raises UNSUPPORTED_MODEL for a pattern that is a regular expression, INVALID_FILE for a value that is no rank or alpha.
    """
    ranks, alphas = _pattern(settings, "rank_pattern"), _pattern(settings, "alpha_pattern")
    for path, rank in ranks.items():
        check_rank(f"rank_pattern of {path}", rank)
    for path, alpha in alphas.items():
        check_finite(f"alpha_pattern of {path}", alpha)
    own = {module: replace(spec, **_own(module_path(*module), ranks, alphas)) for module in modules}
    whole = _widest(spec, max(each.rank for each in own.values()))
    return Ranks(
        spec=whole,
        ranks={module: each.rank for module, each in own.items()},
        scales={module: each.scaling / whole.scaling for module, each in own.items()},
    )


def _pattern(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    given = settings.get(name) or {}
    if not isinstance(given, dict) or not all(_NAME.fullmatch(path) for path in given):
        raise not_computed(
            f"{name} is {str(given)[:80]!r}, and only names of modules are understood in it",
            "Write each module's name out, as model.layers.0.self_attn.q_proj or q_proj.",
            name,
        )
    return given


def _own(path: str, ranks: Mapping[str, Any], alphas: Mapping[str, Any]) -> dict[str, Any]:
    """Of several entries that name a module, the first counts, as in `peft`."""
    found: dict[str, Any] = {}
    for field, pattern in (("rank", ranks), ("alpha", alphas)):
        values = [value for name, value in pattern.items() if f".{path}".endswith(f".{name.lstrip('^')}")]
        if values:
            found[field] = values[0]
    return found


def _widest(spec: AdapterSpec, rank: int) -> AdapterSpec:
    """Of another rank and the same scaling."""
    if rank == spec.rank:
        return spec
    share = rank / spec.rank
    return replace(spec, rank=rank, alpha=spec.alpha * (math.sqrt(share) if spec.use_rslora else share))
