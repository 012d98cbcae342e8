"""The card beside an adapter's files: how its model attends, and a program that asks it from Python."""

import json

from lad_runtime.tiny.sizes import SIZES
from lad_runtime.torch_backend.loading.base_files import BaseSource
from lad_runtime.types.adapters import AdapterClaims, AdapterSpec
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.bases import BaseInfo

CARD_FILE = "README.md"

_ANSWER_TOKENS = 64  # where the training's window is not known
_ITERATIONS = 16

ATTENDS: dict[AttentionMode, str] = {
    "full": "It is **bidirectional**: every token of prompt and answer attends to every other.",
    "prefix": (
        "It is **bidirectional**: the prompt's tokens attend to each other, the answer's tokens to prompt and answer."
    ),
    "causal-prefix": (
        "Its answers are **bidirectional** behind a causal prompt: the base alone, without the adapter, reads the prompt from "
        "left to right; with the adapter, the answer's tokens attend to that and to each other."
    ),
    "causal": "It is **causal**, as its base is: a token attends to those before it.",
}

DENOISES = (
    "`model.generate`, which reads from left to right, does not apply to it. A token is predicted in its own place, not from the "
    "one before it; places that are open hold the mask token {mask}."
)


def card_of(spec: AdapterSpec, claims: AdapterClaims | None, info: BaseInfo, source: BaseSource) -> str:
    """README.md as a model card of the hub, for an adapter of this spec whose base lies at `source`."""
    attention: AttentionMode = claims.attention if claims is not None else "full"
    sections = [
        _front_matter(source),
        f"# An adapter of {code(info.name)}",
        _told(spec, claims, info),
        ATTENDS[attention],
    ]
    if attention != "causal":
        sections += [
            DENOISES.format(mask=code(info.mask_token)),
            _from_python(attention, claims, info, source),
        ]
    return "\n\n".join(sections) + "\n"


def _front_matter(source: BaseSource) -> str:
    named = [f"base_model: {json.dumps(source.name)}"] if source.revision else []
    return "\n".join(["---", *named, "library_name: peft", "tags: [lora, text-diffusion]", "---"])


def _told(spec: AdapterSpec, claims: AdapterClaims | None, info: BaseInfo) -> str:
    what = lora_of(spec, info)
    if claims is None:
        return f"{what}. Nothing is known of its training; what follows assumes what lad assumes then."
    return (
        f"{what} (revision {code(info.revision)}), trained by lad {code(claims.version)} in {claims.steps} optimizer steps. "
        "`lad.json` says how."
    )


def lora_of(spec: AdapterSpec, info: BaseInfo) -> str:
    """Begins a sentence."""
    return f"LoRA of rank {spec.rank} on {', '.join(spec.targets)} of every layer of {code(info.name)}"


def _from_python(
    attention: AttentionMode, claims: AdapterClaims | None, info: BaseInfo, source: BaseSource
) -> str:
    if not source.name:
        return (
            f"The base {code(info.name)} has no files for transformers as they are: `adapter.merge` and `lad adapters merge` write "
            "a model with this adapter in its weights, which it loads."
        )
    where = (
        ""
        if source.revision
        else (
            " The base is named by a folder of the machine that wrote this; elsewhere, write where the same base lies into "
            "`base_model_name_or_path` of `adapter_config.json`."
        )
    )
    return (
        f"## From Python\n\nWith torch, transformers and peft, in this folder.{where}\n\n"
        f"```python\n{_program(attention, claims, info)}```\n\n"
        "The loop is lad's policy `refine` at temperature 0."
    )


def _program(attention: AttentionMode, claims: AdapterClaims | None, info: BaseInfo) -> str:
    return _HEAD + LOGITS[attention] + question_program(claims, info)


_SHIPPED_QUESTION = "Name the capitals.\nPeru Chile"
"""One that the small bases know."""


def question_program(claims: AdapterClaims | None, info: BaseInfo) -> str:
    """Renders a question and answers it, with the `tokenizer` and the function `logits` of a program's beginning."""
    system = [f'    {{"role": "system", "content": {info.system_prompt!r}}},\n'] if info.system_prompt else []
    user = '    {"role": "user", "content": QUESTION},\n'
    render = (
        f"messages = [\n{''.join(system)}{user}]\n"
        "text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)\n"
        if info.has_chat_template
        else "text = QUESTION\n"
    )
    question = _SHIPPED_QUESTION if info.name in SIZES else "What is 17 + 25?"
    return f"QUESTION = {json.dumps(question)}\n{render}" + _LOOP.format(
        mask=info.mask_token_id,
        ends=list(info.stop_token_ids),
        length=_answer_tokens(claims),
        iterations=_ITERATIONS,
    )


def _answer_tokens(claims: AdapterClaims | None) -> str:
    if claims is not None and claims.canvas_tokens:
        return f"{claims.canvas_tokens}  # of an answer that lad writes canvas by canvas, the first"
    if claims is not None and claims.window_tokens:
        return f"max(1, {claims.window_tokens} - len(prompt))  # the window that it was trained in"
    return str(_ANSWER_TOKENS)


_HEAD = """\
import torch
from peft import AutoPeftModelForCausalLM, PeftConfig
from transformers import AutoTokenizer

FOLDER = "."
model = AutoPeftModelForCausalLM.from_pretrained(FOLDER).float().eval()
config = PeftConfig.from_pretrained(FOLDER)
tokenizer = AutoTokenizer.from_pretrained(config.base_model_name_or_path, revision=config.revision)


@torch.no_grad()
def logits(prompt, answer):
    \"\"\"[len(answer), vocabulary]: row i predicts the answer's token i.\"\"\"
"""

LOGITS: dict[AttentionMode, str] = {
    "full": """\
    ids = torch.tensor([prompt + answer])
    mask = torch.zeros(1, 1, ids.shape[1], ids.shape[1])  # 0: attend, -inf: do not
    return model(ids, attention_mask=mask).logits[0, len(prompt) :]


""",
    "prefix": """\
    ids = torch.tensor([prompt + answer])
    mask = torch.zeros(1, 1, ids.shape[1], ids.shape[1])  # 0: attend, -inf: do not
    mask[..., : len(prompt), len(prompt) :] = -torch.inf
    return model(ids, attention_mask=mask).logits[0, len(prompt) :]


""",
    "causal-prefix": """\
    with model.disable_adapter():
        past = model(torch.tensor([prompt]), use_cache=True).past_key_values
    length = len(prompt) + len(answer)
    mask = torch.zeros(1, 1, len(answer), length)  # 0: attend, -inf: do not
    places = torch.arange(len(prompt), length)[None]
    ids = torch.tensor([answer])
    return model(ids, past_key_values=past, attention_mask=mask, position_ids=places).logits[0]


""",
}

_LOOP = """\
prompt = tokenizer(text, add_special_tokens=False).input_ids
MASK, ENDS = {mask}, {ends}
length = {length}
answer = [MASK] * length
for _ in range({iterations}):
    scores = logits(prompt, answer)
    scores[:, MASK] = -torch.inf  # an answer has no mask token
    answer = scores.argmax(-1).tolist()
end = next((place for place, token in enumerate(answer) if token in ENDS), length)
print(tokenizer.decode(answer[:end]))
"""


def code(text: str) -> str:
    """Inline code, whatever the text holds."""
    return f"`{' '.join(text.replace('`', '').split())}`"
