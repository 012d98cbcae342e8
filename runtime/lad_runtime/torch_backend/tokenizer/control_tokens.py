"""Control tokens: what a tokenizer makes of a string that is no text."""

from collections.abc import Collection

import tokenizers


def control_tokens(backend: tokenizers.Tokenizer, named: Collection[str]) -> dict[str, int]:
    """Added tokens by their string: those that are special, and those of `named`, which the model's files use as such.

    A token that is matched in a text as these are, and is neither, is text: `<think>`, or a mask that is an ordinary word.
    """
    added = backend.get_added_tokens_decoder().items()
    return {token.content: id for id, token in added if token.special or token.content in named}
