"""Questions as token ids, packed into batches of a fixed number of tokens for causal training."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from tokenizers import Tokenizer

from lad_runtime.tiny.families import Item
from lad_runtime.tiny.generate import draw
from lad_runtime.tiny.vocabulary import ASSISTANT, EOS, USER

_CHUNK = 8000  # questions drawn and encoded at a time


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One question as the chat template renders it. `answer` ends with EOS."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    @property
    def inputs(self) -> tuple[int, ...]:
        """What the model reads: everything but the last token, which nothing follows."""
        return (*self.prompt, *self.answer[:-1])

    @property
    def answer_rows(self) -> range:
        """Positions of `inputs` whose next token belongs to the answer."""
        return range(len(self.prompt) - 1, len(self.inputs))


def lessons(items: Sequence[Item], tokenizer: Tokenizer) -> list[Lesson]:
    eos = tokenizer.token_to_id(EOS)
    assert eos is not None
    prompts = tokenizer.encode_batch([f"{USER}{item.instruction}\n{item.input}{ASSISTANT}" for item in items])
    answers = tokenizer.encode_batch([item.output for item in items])
    return [
        Lesson(prompt=tuple(prompt.ids), answer=(*answer.ids, eos))
        for prompt, answer in zip(prompts, answers, strict=True)
    ]


def batches(
    tokenizer: Tokenizer, *, tokens: int, seed: int, shares: Mapping[str, float]
) -> Iterator[list[Lesson]]:
    """Endless batches of at most `tokens` tokens of the training stream, in which no question is drawn for a second epoch."""
    items = draw("train", seed, shares)
    batch: list[Lesson] = []
    filled = 0
    while True:
        for lesson in lessons(list(islice(items, _CHUNK)), tokenizer):
            if filled + len(lesson.inputs) > tokens:
                yield batch
                batch, filled = [], 0
            batch.append(lesson)
            filled += len(lesson.inputs)
