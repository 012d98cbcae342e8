"""Encodes text in which some control tokens are meant as such and others are text."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import tokenizers


class LiteralEncoder:
    """Encodes as `backend` does, but for control tokens that a text spells and that are to stay text.

    It has a copy of the tokenizer, whose control tokens go by secret names that no text can spell: a text in which those that are
    meant as such are named is encoded in one piece, to the ids of the tokenizer itself.
    """

    def __init__(self, backend: tokenizers.Tokenizer, controls: Mapping[str, int]) -> None:
        secret = secrets.token_bytes(16)
        names = {text: f"\ue000{_private(secret, id)}\ue001" for text, id in controls.items()}
        self._backend = backend
        self._controls = {id: text for text, id in controls.items()}
        self._names = {id: names[text] for text, id in controls.items()}
        self._copy = tokenizers.Tokenizer.from_str(json.dumps(_renamed(json.loads(backend.to_str()), names)))
        assert all(self._copy.token_to_id(name) == id for id, name in self._names.items()), "other ids"

    def encode(self, text: str, reveal: Callable[[str], str]) -> list[int]:
        """Token ids of `reveal(text)`. Control tokens that `text` itself holds are such, those that `reveal` adds are text."""
        return list(encoded(self._copy, reveal(self._named(text))).ids)

    def _named(self, text: str) -> str:
        """The text with its control tokens named, where the tokenizer finds them."""
        pieces, end = [], 0
        found = encoded(self._backend, text)
        for id, (start, stop) in zip(found.ids, found.offsets, strict=True):
            control = self._controls.get(id, "")
            at = text.find(control, start, stop) if control else -1  # behind the space that it may take in
            if at >= 0:  # else it is text that the vocabulary lacks, and this the token for that
                pieces += [text[end:at], self._names[id]]
                end = at + len(control)
        return "".join([*pieces, text[end:]])


def _private(secret: bytes, id: int) -> str:
    """As characters for private use, which no other token is made of."""
    return "".join(chr(0xE100 + byte) for byte in secret + id.to_bytes(4, "big"))


def encoded(tokenizer: tokenizers.Tokenizer, text: str, *, add_special: bool = False) -> tokenizers.Encoding:
    """As a batch of one: the library lets other threads run then, and holds them up for a single text."""
    return tokenizer.encode_batch([text], add_special_tokens=add_special)[0]


def _renamed(tokenizer: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A parsed tokenizer.json with the tokens of `names` renamed wherever text could be matched with them."""
    for token in tokenizer["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    model = tokenizer["model"]
    vocabulary = model["vocab"]
    if isinstance(vocabulary, dict):
        model["vocab"] = {names.get(token, token): id for token, id in vocabulary.items()}
    else:  # of a unigram model, tokens with their scores
        model["vocab"] = [[names.get(token, token), score] for token, score in vocabulary]
    if model.get("unk_token") in names:
        model["unk_token"] = names[model["unk_token"]]
    if "merges" in model:
        model["merges"] = [merge for merge in model["merges"] if _joined(merge) not in names]
    return tokenizer | {"post_processor": None}


def _joined(merge: str | list[str]) -> str:
    return merge.replace(" ", "", 1) if isinstance(merge, str) else "".join(merge)
