"""Adapters with random weights on a shipped base, and what they claim of their training."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import torch

from lad_runtime.torch_backend.adapters.claims import claims_of
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.forward.base import Base, load_base
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.types.adapters import AdapterClaims
from lad_runtime.types.attention import AttentionMode
from type_specs import adapter_spec, base_spec

NAME = "tiny-0.7m"
WINDOW = 40
SPEC = adapter_spec(rank=4, alpha=4.0, targets=("q_proj", "v_proj"), seed=2)


@pytest.fixture
def load() -> Iterator[Callable[..., Base]]:
    with ExitStack() as held:

        def loaded(**settings: Any) -> Base:
            base = load_base(base_spec(**settings), "cpu", lambda _: None)
            held.callback(base.close)
            return base

        yield loaded


def claims_on(base: Base, attention: AttentionMode) -> AdapterClaims:
    claims = claims_of(
        base.info,
        attention=attention,
        context="prompt",
        noise=None,
        loss=None,
        lengths=(WINDOW,),
        canvas_tokens=0,
        pad_tokens=(),
    )
    return replace(claims, steps=7)


def random_adapter(base: Base, claims: AdapterClaims | None) -> TrainedAdapter:
    lora = LoraAdapter.create(base.model.config, SPEC)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in lora.parameters.values():
            parameter.normal_(0.0, 0.05, generator=generator)
    return TrainedAdapter(lora, claims=claims)


def program_of(card: str) -> str:
    (program,) = re.findall(r"^```python$\n(.*?)^```$", card, re.DOTALL | re.MULTILINE)
    return str(program)
