"""The causal model's scores at the answer tokens of a batch of lessons."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lad_runtime.tiny.lessons import Lesson
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.segment import Segment


def answer_scores(model: Llama, batch: Sequence[Lesson]) -> tuple[Tensor, Tensor]:
    """(logits [R, V], the answer tokens that they should predict [R]) over the answers of all lessons, one after the other."""
    flat = model.batch([Segment(ids=torch.tensor(lesson.inputs), mode="causal") for lesson in batch])
    rows = [
        start + row
        for (start, _), lesson in zip(flat.spans, batch, strict=True)
        for row in lesson.answer_rows
    ]
    targets = [token for lesson in batch for token in lesson.answer]
    hidden_RD = model.hidden_states(flat)[torch.tensor(rows)]
    return model.logits(hidden_RD), torch.tensor(targets)


def lesson_loss(logits_RV: Tensor, targets_R: Tensor, batch: Sequence[Lesson]) -> Tensor:
    """Cross-entropy in which an answer of n tokens counts √n, so that long explanations do not drown short sums."""
    lengths = torch.tensor([len(lesson.answer) for lesson in batch])
    weights_R = lengths.float().rsqrt().repeat_interleave(lengths)
    return (F.cross_entropy(logits_RV, targets_R, reduction="none") * weights_R).sum() / weights_R.sum()


@torch.no_grad()
def exact_matches(model: Llama, questions: Sequence[Lesson]) -> tuple[list[bool], float]:
    """Whether greedy decoding gives each answer, and the mean cross-entropy of the answer tokens in nats.

    Greedy decoding gives exactly the answer if and only if every answer token is the arg-max after those before it, so that
    one forward over question and answer tells.
    """
    logits_RV, targets_R = answer_scores(model, questions)
    right = (logits_RV.argmax(dim=-1) == targets_R).split([len(question.answer) for question in questions])
    return [bool(part.all()) for part in right], float(F.cross_entropy(logits_RV, targets_R))
