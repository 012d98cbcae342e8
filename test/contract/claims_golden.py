"""Writes claims.json: files `lad.json` beside an adapter's weights, and what the worker tells a client that loaded them.

    PYTHONPATH=runtime:test/runtime/support python test/contract/claims_golden.py

`file` is the content of `lad.json`; `adapter` is a message lad.v1.Adapter in base64.
"""

import base64
import json
from pathlib import Path
from typing import Any

from lad_runtime.gen.lad.v1 import worker_pb2
from lad_runtime.method.loss_targets import SoftTargets
from lad_runtime.torch_backend.adapters.claims import claims_file
from lad_runtime.types.adapters import AdapterClaims, AdapterInfo
from lad_runtime.wire.codec import writer
from method_specs import NOISE_BUILDERS, loss_spec
from type_specs import adapter_spec

FILE = Path(__file__).with_name("claims.json")

_SOME: dict[str, Any] = {
    "base_name": "org/base",
    "base_revision": "0123abc",
    "attention": "causal-prefix",
    "context": "prompt",
    "noise": NOISE_BUILDERS["lad"](),
    "loss": loss_spec(),
    "mask_token": "[MASK]",
    "eos_token": "</s>",
    "stop_tokens": ("</s>", "<|end|>"),
    "chat_template_digest": "ab" * 32,
    "steps": 2**40,
    "version": "0.1.0",
    "window_tokens": 60,
    "canvas_tokens": 0,
    "pad_tokens": (),
}
CLAIMS: dict[str, AdapterClaims] = {
    **{
        f"the noise {kind}": AdapterClaims(**{**_SOME, "noise": build()})
        for kind, build in NOISE_BUILDERS.items()
    },
    "decided tokens in the past": AdapterClaims(**{**_SOME, "context": "random-split"}),
    "short canvases": AdapterClaims(
        **{**_SOME, "context": "random-split", "canvas_tokens": 16}
    ),
    "weights by time": AdapterClaims(
        **{
            **_SOME,
            "attention": "full",
            "noise": NOISE_BUILDERS["mask-only"](tail_noise=False, min_time=0.25),
            "loss": loss_spec(
                supervise="corrupted-answer-tokens",
                tail=False,
                weighting="inverse-time",
            ),
        }
    ),
    "soft targets": AdapterClaims(
        **{
            **_SOME,
            "loss": loss_spec(
                supervise="all-answer-tokens", soft=SoftTargets(top_k=32, share=0.75)
            ),
        }
    ),
    "light tails of many tokens": AdapterClaims(
        **{
            **_SOME,
            "loss": loss_spec(supervise="all-answer-tokens", tail_weight=0.25),
            "pad_tokens": ("<|pad_0|>", "<|pad_1|>"),
        }
    ),
    "sequences of one's own": AdapterClaims(
        **{
            **_SOME,
            "attention": "causal",
            "noise": None,
            "loss": None,
            "stop_tokens": (),
            "chat_template_digest": "",
            "window_tokens": 0,
        }
    ),
}

_write_adapter = writer(AdapterInfo, worker_pb2.Adapter)


def golden(name: str, claims: AdapterClaims) -> dict[str, Any]:
    return {
        "name": name,
        "file": json.loads(claims_file(claims)),
        "adapter": message(claims),
    }


def message(claims: AdapterClaims) -> str:
    """An adapter that was loaded with these claims, as the worker tells of it."""
    info = AdapterInfo(
        id="adapter-1",
        base_id="base-1",
        spec=adapter_spec(rank=4, alpha=8.0, targets=("q_proj", "v_proj")),
        parameter_count=64,
        nbytes=256,
        steps=0,
        claims=claims,
    )
    return base64.b64encode(
        _write_adapter(info).SerializeToString(deterministic=True)
    ).decode()


def document() -> str:
    lines = ",\n".join(
        json.dumps(golden(name, claims)) for name, claims in CLAIMS.items()
    )
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
