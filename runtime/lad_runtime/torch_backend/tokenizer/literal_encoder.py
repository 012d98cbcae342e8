"""Encodes text in which some control tokens are meant as control tokens and others as text."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import tokenizers


class LiteralEncoder:
    """Encodes as `backend` does, except that written-out control tokens that are meant as text are encoded as text.

    It uses a copy of the tokenizer in which control tokens have secret names that no text contains. The control tokens that are
    meant as such are replaced by these names, and the text is encoded in one piece, with the ids of `backend`.
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
        """Token ids of `reveal(text)`. Control tokens in `text` itself are control tokens; those that `reveal` adds are text."""
        return list(encoded(self._copy, reveal(self._named(text))).ids)

    def _named(self, text: str) -> str:
        """The text with the secret names in place of the control tokens that the tokenizer finds."""
        pieces, end = [], 0
        found = encoded(self._backend, text)
        for id, (start, stop) in zip(found.ids, found.offsets, strict=True):
            control = self._controls.get(id, "")
            at = text.find(control, start, stop) if control else -1  # the match may begin with a space
            if at >= 0:  # else the control token is the unknown token, which stands for other text
                pieces += [text[end:at], self._names[id]]
                end = at + len(control)
        return "".join([*pieces, text[end:]])


def _private(secret: bytes, id: int) -> str:
    """A secret name in private-use characters, which no other token contains."""
    return "".join(chr(0xE100 + byte) for byte in secret + id.to_bytes(4, "big"))


def encoded(tokenizer: tokenizers.Tokenizer, text: str, *, add_special: bool = False) -> tokenizers.Encoding:
    """Encodes a text as a batch of one: for batches the library releases Python's interpreter lock, for single texts not."""
    return tokenizer.encode_batch([text], add_special_tokens=add_special)[0]


def _renamed(tokenizer: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A parsed tokenizer.json with the tokens in `names` renamed wherever they could match text."""
    for token in tokenizer["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    model = tokenizer["model"]
    vocabulary = model["vocab"]
    if isinstance(vocabulary, dict):
        model["vocab"] = {names.get(token, token): id for token, id in vocabulary.items()}
    else:  # a unigram model: tokens with their scores
        model["vocab"] = [[names.get(token, token), score] for token, score in vocabulary]
    if model.get("unk_token") in names:
        model["unk_token"] = names[model["unk_token"]]
    if "merges" in model:
        model["merges"] = [merge for merge in model["merges"] if _joined(merge) not in names]
    return tokenizer | {"post_processor": None}


def _joined(merge: str | list[str]) -> str:
    return merge.replace(" ", "", 1) if isinstance(merge, str) else "".join(merge)
