"""Texts and token ids, by the worker's tokenizer."""

from collections.abc import Iterator, Sequence

from lad_lm_eval.connection import Connection
from lad_runtime.gen.lad.v1 import data_pb2, worker_pb2

_MOST_TEXTS = 1024
_MOST_CHARACTERS = 1 << 20


class Text:
    """Control tokens that a text writes out are those tokens, as in the harness's own models: chat templates write them."""

    def __init__(self, connection: Connection, base: worker_pb2.Base) -> None:
        self._connection = connection
        self._base = base
        (self.prefix,) = self._encoded([""], add_special=True)
        self._prefix_text = self.decode([self.prefix])[0] if self.prefix else ""

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """With the tokens that the tokenizer puts before a text, unless it begins with them."""
        begun = [bool(self._prefix_text) and text.startswith(self._prefix_text) for text in texts]
        with_prefix = iter(self._encoded([t for t, b in zip(texts, begun, strict=True) if not b], True))
        without = iter(self._encoded([t for t, b in zip(texts, begun, strict=True) if b], False))
        return [next(without if has else with_prefix) for has in begun]

    def encode_bare(self, texts: Sequence[str]) -> list[list[int]]:
        return self._encoded(texts, add_special=False)

    def decode(self, sequences: Sequence[Sequence[int]]) -> list[str]:
        request = data_pb2.DecodeRequest(
            base_id=self._base.id,
            sequences=[data_pb2.TokenIds(ids=ids) for ids in sequences],
            keep_special=True,
        )
        return list(self._connection.call(self._connection.data.Decode, request).texts)

    def render(self, history: Sequence[dict[str, str]], add_generation_prompt: bool) -> str:
        """An assistant's turn at the end is where the answer goes on (lm-eval's `gen_prefix`)."""
        messages = [data_pb2.Message(role=turn["role"], content=turn["content"]) for turn in history]
        goes_on = bool(messages) and messages[-1].role == "assistant"
        request = data_pb2.RenderRequest(
            base_id=self._base.id,
            messages=messages,
            add_generation_prompt=add_generation_prompt or goes_on,
            allow_special=True,
        )
        return self._connection.call(self._connection.data.Render, request).text

    def _encoded(self, texts: Sequence[str], add_special: bool) -> list[list[int]]:
        encoded: list[list[int]] = []
        for some in _groups(texts):
            request = data_pb2.EncodeRequest(
                base_id=self._base.id, texts=some, allow_special=True, add_special=add_special
            )
            reply = self._connection.call(self._connection.data.Encode, request)
            encoded.extend(list(result.ids) for result in reply.results)
        return encoded


def _groups(texts: Sequence[str]) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for text in texts:
        if group and (len(group) == _MOST_TEXTS or size + len(text) > _MOST_CHARACTERS):
            yield group
            group, size = [], 0
        group.append(text)
        size += len(text)
    if group:
        yield group
