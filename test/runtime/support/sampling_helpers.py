"""Bases and drivers that the sampler's tests share: a small random Llama, and a fake whose logits the test decides."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import ContextRequest, HeadRequest, LogitsRequest
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.bases import BaseInfo
from lad_runtime.types.sampling import AnswerEvent, FrameEvent
from type_specs import adapter_spec

VOCAB_SIZE, EOS_ID, MASK_ID = 61, 2, 5

CONFIG = LlamaConfig(
    vocab_size=VOCAB_SIZE,
    hidden_size=32,
    intermediate_size=48,
    num_layers=2,
    num_heads=4,
    num_kv_heads=2,
    head_dim=8,
    max_positions=96,
    tied=True,
)


class Spelled:
    """A tokenizer that writes ids as numbers."""

    def decode(self, ids: Sequence[int], skip_special: bool = True) -> str:
        return " ".join(str(token) for token in ids)

    def pad_ids(self, pad_tokens: Sequence[str]) -> tuple[int, ...]:
        return tuple(map(int, pad_tokens))


def small_base(seed: int = 3) -> Base:
    """A random Llama whose logits differ enough to be worth drawing from."""
    model = Llama.random(CONFIG, seed, deviation=0.3)
    info = BaseInfo(
        id="small",
        name="small",
        revision="",
        parameter_count=model.parameter_count,
        nbytes=model.nbytes,
        dtype="float32",
        vocab_size=VOCAB_SIZE,
        hidden_size=CONFIG.hidden_size,
        num_layers=CONFIG.num_layers,
        num_heads=CONFIG.num_heads,
        num_kv_heads=CONFIG.num_kv_heads,
        max_positions=CONFIG.max_positions,
        projections=("q_proj", "v_proj"),
        max_rank=64,
        mask_token="<mask>",
        mask_token_id=MASK_ID,
        eos_token="<eos>",
        eos_token_id=EOS_ID,
        system_prompt="",
        has_chat_template=False,
    )
    return Base(info=info, model=model, tokenizer=Spelled())  # type: ignore[arg-type]


def trained_adapter(rank: int = 4, seed: int = 9) -> LoraAdapter:
    """An adapter whose B is not zero."""
    spec = adapter_spec(rank=rank, alpha=float(rank), targets=("q_proj", "v_proj"), seed=seed)
    adapter = LoraAdapter.create(CONFIG, spec)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in adapter.parameters.items():
            if name.endswith("lora_B"):
                parameter.normal_(0, 0.3, generator=generator)
    return adapter


Answerer = Callable[[Segment, Tensor], Tensor]
"""Logits [R, V] of a segment's rows."""


def run_work(work: Any, answer: Answerer) -> tuple[list[FrameEvent], Any, list[LogitsRequest]]:
    """Runs one piece of work on a fake model: its frames, its outcome and its requests for logits."""
    frames: list[FrameEvent] = []
    requests: list[LogitsRequest] = []
    reply: Any = None
    while True:
        try:
            asked = work.send(reply)
        except StopIteration as end:
            return frames, end.value, requests
        reply = None
        if isinstance(asked, FrameEvent):
            frames.append(asked)
        elif isinstance(asked, ContextRequest):
            for segment in asked.missing:
                assert segment.cache is not None
                segment.cache.advance(len(segment.ids), torch.zeros(1, CONFIG.hidden_size))
        elif isinstance(asked, HeadRequest):
            requests.append(asked)  # type: ignore[arg-type]
            reply = answer(Segment(ids=torch.tensor([0])), torch.tensor([0]))
        else:
            requests.append(asked)
            reply = tuple(answer(s, rows) for s, rows in zip(asked.segments, asked.rows, strict=True))


def run_alone(work: Any, model: Llama) -> tuple[list[FrameEvent], Any]:
    """Runs one piece of work on a real model, by itself."""
    frames, (outcome,) = run_together([work], model)
    return frames[0], outcome


def run_together(works: Sequence[Any], model: Llama) -> tuple[list[list[FrameEvent]], list[Any]]:
    """Runs several pieces of work as the engine does: all that they ask for at a time in one batch."""
    frames: list[list[FrameEvent]] = [[] for _ in works]
    outcomes: list[Any] = [None] * len(works)
    replies: dict[int, Any] = dict.fromkeys(range(len(works)))
    while replies:
        requests: dict[int, LogitsRequest] = {}
        for index, reply in list(replies.items()):
            try:
                asked = works[index].send(reply)
                while isinstance(asked, FrameEvent):
                    frames[index].append(asked)
                    asked = works[index].send(None)
                requests[index] = asked
            except StopIteration as end:
                outcomes[index] = end.value
        replies = (
            dict(zip(requests, compute(model, list(requests.values())), strict=True)) if requests else {}
        )
    return frames, outcomes


def peaked(tokens: Sequence[int], height: float = 8.0) -> Tensor:
    """Logits [R, V] that are certain of one token a row."""
    logits_RV = torch.zeros(len(tokens), VOCAB_SIZE)
    logits_RV[torch.arange(len(tokens)), torch.tensor(tokens)] = height
    return logits_RV


def scripted(prompt: int, answers: Sequence[Sequence[int]]) -> Answerer:
    """A fake model that is certain of answers[i] in its i-th forward, and of the last one from then on."""
    calls = iter(answers)
    current = list(answers[-1])

    def answer(segment: Segment, rows: Tensor) -> Tensor:
        tokens = next(calls, current)
        return peaked([tokens[row - prompt] for row in rows.tolist()])

    return answer


def random_logits(seed: int) -> Answerer:
    """A fake model without sense: fresh logits each time, multiples of ⅛ with ties."""
    generator = torch.Generator().manual_seed(seed)

    def answer(segment: Segment, rows: Tensor) -> Tensor:
        return torch.randint(-32, 32, (len(rows), VOCAB_SIZE), generator=generator) / 8.0

    return answer


def answered(outcome: Any) -> AnswerEvent:
    assert isinstance(outcome, AnswerEvent)
    return outcome
