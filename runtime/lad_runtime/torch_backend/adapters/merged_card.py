"""The card of a checkpoint that has an adapter in its weights: how it was trained, how it attends, and a program that asks it."""

import json
from dataclasses import asdict

from lad_runtime.torch_backend.adapters.card import ATTENDS, DENOISES, LOGITS, code, lora_of, question_program
from lad_runtime.torch_backend.loading.base_files import BaseSource
from lad_runtime.types.adapters import AdapterClaims, AdapterSpec
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.bases import BaseInfo


def merged_card_of(
    spec: AdapterSpec, claims: AdapterClaims | None, info: BaseInfo, source: BaseSource
) -> str:
    """README.md as a model card of the hub. The adapter is of any mode but `causal-prefix`, which is never merged."""
    attention: AttentionMode = claims.attention if claims is not None else "full"
    sections = [
        _front_matter(source, attention),
        f"# {code(info.name)} with an adapter in its weights",
        f"{lora_of(spec, info)} (revision {code(info.revision)}), merged: the weights are the base's plus the adapter's update.",
        ATTENDS[attention],
    ]
    if attention == "causal":
        sections.append("It is used as any causal model: `AutoModelForCausalLM` and `model.generate`.")
    else:
        sections += [
            DENOISES.format(mask=code(info.mask_token)),
            f"## From Python\n\nWith torch and transformers, in this folder.\n\n```python\n"
            f"{_HEAD}{LOGITS[attention]}{question_program(claims, info)}```\n\n"
            "The loop is lad's policy `refine` at temperature 0.",
        ]
    return "\n\n".join([*sections, _facts(spec, claims)]) + "\n"


def _front_matter(source: BaseSource, attention: AttentionMode) -> str:
    named = (
        [f"base_model: {json.dumps(source.name)}", "base_model_relation: merge"] if source.revision else []
    )
    tags = "[lora]" if attention == "causal" else "[lora, text-diffusion]"
    return "\n".join(["---", *named, "library_name: transformers", f"tags: {tags}", "---"])


def _facts(spec: AdapterSpec, claims: AdapterClaims | None) -> str:
    facts: dict[str, object] = {
        "rank": spec.rank,
        "alpha": spec.alpha,
        "rank-stabilised": spec.use_rslora,
        "projections": ", ".join(spec.targets),
    }
    if claims is None:
        said = "Nothing is known of its training; what is said above assumes what lad assumes then."
    else:
        said = f"By lad {code(claims.version)}; `lad.json` has the same for programs."
        facts |= {
            name.replace("_", " "): value for name, value in asdict(claims).items() if name != "version"
        }
    rows = [f"| {name} | {_cell(value)} |" for name, value in facts.items()]
    return "\n".join(["## How it was trained", "", said, "", "| | |", "| --- | --- |", *rows])


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return code(text.replace("|", "\\|")) if text else "–"


_HEAD = """\
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

FOLDER = "."
model = AutoModelForCausalLM.from_pretrained(FOLDER).float().eval()
tokenizer = AutoTokenizer.from_pretrained(FOLDER)


@torch.no_grad()
def logits(prompt, answer):
    \"\"\"[len(answer), vocabulary]: row i predicts the answer's token i.\"\"\"
"""
