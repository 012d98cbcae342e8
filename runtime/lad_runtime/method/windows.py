"""Examples to token windows (docs/method.md §2): prompt through the chat template, answer, its end, a tail."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Protocol, overload

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.method.chat_turns import Piece, every_answer, last_answer
from lad_runtime.method.example import Example, Message
from lad_runtime.method.prepared_example import PreparedExample
from lad_runtime.method.window_spec import CutExample, WindowReport, WindowSpec


class Encoder(Protocol):
    """What windowing needs of a tokenizer."""

    @property
    def eos_token(self) -> str: ...

    @property
    def eos_token_id(self) -> int: ...

    @property
    def mask_token_id(self) -> int: ...

    @property
    def mask_is_text(self) -> bool: ...

    def pad_ids(self, pad_tokens: Sequence[str]) -> tuple[int, ...]: ...

    def controls_in(self, text: str) -> int: ...

    def hidden(self, messages: Sequence[Message]) -> tuple[Message, ...]: ...

    def encode(self, text: str) -> list[int]: ...

    def render(self, messages: Sequence[Message], add_generation_prompt: bool) -> str: ...


class Positions(Protocol):
    """What windowing needs of a base."""

    @property
    def name(self) -> str: ...

    @property
    def max_positions(self) -> int: ...


@dataclass(frozen=True)
class _Window:
    """One example, small: ids without the tail, and for each where it is an answer."""

    id: int
    ids: "array[int]"
    answer: bytes
    weight: float


class PreparedExamples(Sequence[PreparedExample]):
    """A data set's windows; the tails are added as examples are read, so that a million of them fit into memory."""

    def __init__(self, windows: list[_Window], length: int, padding: Sequence[int]) -> None:
        self._windows = windows
        self._length = length  # that windows are padded to; 0: not padded
        self._padding = padding  # token ids that the tails repeat in turn, at least one

    def __len__(self) -> int:
        return len(self._windows)

    @overload
    def __getitem__(self, index: int) -> PreparedExample: ...

    @overload
    def __getitem__(self, index: slice) -> "PreparedExamples": ...

    def __getitem__(self, index: int | slice) -> "PreparedExample | PreparedExamples":
        if isinstance(index, slice):
            return PreparedExamples(self._windows[index], self._length, self._padding)
        window = self._windows[index]
        return padded(window.id, window.ids, window.answer, self._length, self._padding, weight=window.weight)


def prepare(
    examples: Iterable[Example], spec: WindowSpec, tokenizer: Encoder, info: Positions
) -> tuple[PreparedExamples, WindowReport]:
    """Renders, encodes and windows examples in order; every one that is dropped or cut is counted.

    Raises INVALID_OPTION for a window beyond the base's positions, and for pad tokens that are no tokens of it; INVALID_DATA for an
    example without an answer, for one that is too long where `too_long` is `error`, where no example is left or
    all have weight 0.
    """
    padding = _padding(spec, tokenizer)
    windows: list[_Window] = []
    seen = truncated = answers = specials = masks = 0
    for cut in cut_examples(examples, spec, tokenizer, info):
        seen += 1
        if cut.is_dropped:
            continue
        truncated += not cut.fits
        answers += sum(cut.answer)
        specials += cut.special_tokens
        masks += cut.mask_tokens
        windows.append(_Window(cut.example.id, array("i", cut.ids), bytes(cut.answer), cut.example.weight))
    if not windows:
        raise nothing_left(seen, spec)
    if not any(window.weight for window in windows):
        raise _nothing_counts(len(windows))
    length = spec.window if spec.pad_to_window else 0
    tokens = sum(len(window.ids) for window in windows)
    report = WindowReport(
        examples=seen,
        kept=len(windows),
        dropped=seen - len(windows),
        truncated=truncated,
        prompt_tokens=tokens - answers,
        answer_tokens=answers,
        tail_tokens=len(windows) * length - tokens if length else 0,
        special_tokens=specials,
        mask_tokens=masks,
        end_token=tokenizer.eos_token,
        end_token_id=tokenizer.eos_token_id,
    )
    return PreparedExamples(windows, length, padding), report


def padded(
    id: int,
    ids: Sequence[int],
    answer: Sequence[int],
    length: int,
    padding: Sequence[int],
    *,
    weight: float,
) -> PreparedExample:
    """A window with the tail that fills it up to so many tokens; those of `padding` take turns."""
    tail = max(0, length - len(ids))
    return PreparedExample(
        id=id,
        ids=(*ids, *islice(cycle(padding), tail)),
        answer=(*map(bool, answer), *[True] * tail),
        tail=(*[False] * len(ids), *[True] * tail),
        weight=weight,
    )


def cut_examples(
    examples: Iterable[Example], spec: WindowSpec, tokenizer: Encoder, info: Positions
) -> Iterator[CutExample]:
    """Renders, encodes and cuts examples, one by one in order; raises as `prepare` does, but for where no example is left."""
    if spec.window > info.max_positions:
        raise invalid_option(
            "windowTokens",
            spec.window,
            f"{info.name} has {info.max_positions} positions",
            f"Give at most {info.max_positions}.",
        )
    padding = _padding(spec, tokenizer)
    for example in examples:
        ids, answer = _encode(example, spec, tokenizer)
        total, prompt = len(ids), len(ids) - _last_run(answer)
        fits = _fits(prompt, total, spec)
        if not fits and spec.too_long == "error":
            raise _too_long(example, total, prompt, spec)
        if not fits:
            ids, answer = _truncate(ids, answer, spec) if spec.too_long == "truncate" else ([], [])
        yield CutExample(
            example=example,
            tokens=total,
            prompt_tokens=prompt,
            fits=fits,
            ids=ids,
            answer=answer,
            padding=padding,
            special_tokens=sum(tokenizer.controls_in(message.content) for message in example.messages),
            mask_tokens=_masks(ids, answer, tokenizer),
        )


def _padding(spec: WindowSpec, tokenizer: Encoder) -> tuple[int, ...]:
    """The token ids that fill tails in turn."""
    return tokenizer.pad_ids(spec.pad_tokens) or (tokenizer.eos_token_id,)


def _masks(ids: Sequence[int], answer: Sequence[bool], tokenizer: Encoder) -> int:
    """Mask tokens in the answers' own text, where the mask is ordinary text."""
    if not tokenizer.mask_is_text:
        return 0
    return sum(id == tokenizer.mask_token_id for id, own in zip(ids, answer, strict=True) if own)


def _encode(example: Example, spec: WindowSpec, tokenizer: Encoder) -> tuple[list[int], list[bool]]:
    """Token ids of prompt and answers, and where they are answers (each with the token that ends it)."""
    messages = example.messages
    if not messages or messages[-1].role != "assistant":
        raise LadError(
            ErrorCode.INVALID_DATA,
            f"Example {example.id} does not end with the assistant's answer.",
            option="data",
            value=example.id,
            remedy="Give each example an output, or a last message of the role assistant.",
        )
    if not spec.allow_special:
        messages = tokenizer.hidden(messages)
    split = last_answer if spec.supervise == "last" else every_answer
    pieces: list[Piece] = split(example.id, messages, tokenizer.render, tokenizer.eos_token)
    ids: list[int] = []
    answer: list[bool] = []
    for text, is_answer in pieces:
        piece = tokenizer.encode(text)
        if is_answer:
            piece.append(tokenizer.eos_token_id)
        ids += piece
        answer += [is_answer] * len(piece)
    return ids, answer


def _last_run(answer: Sequence[bool]) -> int:
    """Tokens of the last answer, which is what stands at the end."""
    return next((i for i, is_answer in enumerate(reversed(answer)) if not is_answer), len(answer))


def _fits(prompt: int, total: int, spec: WindowSpec) -> bool:
    return total <= spec.window and (spec.max_prompt_tokens == 0 or prompt <= spec.max_prompt_tokens)


def _truncate(ids: list[int], answer: list[bool], spec: WindowSpec) -> tuple[list[int], list[bool]]:
    """Cuts the prompt's beginning, then the answer's end, which then is not closed: nothing is learned of where it stops.

    A prompt that leaves the answer no room gives way until half of the window is the answer's.
    """
    length = _last_run(answer)
    prompt = len(ids) - length
    kept = min(prompt, max(spec.window - length, spec.window // 2))
    if spec.max_prompt_tokens > 0:
        kept = min(kept, spec.max_prompt_tokens)
    cut = slice(prompt - kept, prompt - kept + spec.window)
    return ids[cut], answer[cut]


def _too_long(example: Example, total: int, prompt: int, spec: WindowSpec) -> LadError:
    limit = f"the window has {spec.window}"
    if total <= spec.window:
        limit = f"maxPromptTokens is {spec.max_prompt_tokens}"
    return LadError(
        ErrorCode.INVALID_DATA,
        f"Example {example.id} has {total} tokens, {prompt} of them prompt, and {limit}.",
        option="tooLong",
        value=spec.too_long,
        remedy='Give a larger window, or tooLong: "drop" or "truncate".',
    )


def nothing_left(seen: int, spec: WindowSpec) -> LadError:
    if seen == 0:
        return LadError(
            ErrorCode.INVALID_DATA,
            "The data set is empty.",
            option="data",
            remedy="Give at least one example.",
        )
    return LadError(
        ErrorCode.INVALID_DATA,
        f"None of the {seen} examples fits into a window of {spec.window} tokens.",
        option="windowTokens",
        value=spec.window,
        remedy='Give a larger window, a larger maxPromptTokens, or tooLong: "truncate".',
    )


def _nothing_counts(kept: int) -> LadError:
    return LadError(
        ErrorCode.INVALID_DATA,
        f"The weight of each of the {kept} examples is 0: no loss counts, and nothing would be learnt.",
        option="weight",
        value=0,
        remedy="Give some of them a weight above 0, or leave weight out: 1.",
    )
