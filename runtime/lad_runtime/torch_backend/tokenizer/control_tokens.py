"""Control tokens: strings with a meaning of their own, which a tokenizer encodes as one token."""

from collections.abc import Collection

import tokenizers


def control_tokens(backend: tokenizers.Tokenizer, named: Collection[str]) -> dict[str, int]:
    """The ids of control tokens by their strings: the special added tokens, and those in `named`, which the model's files use.

    Any other added token is text, although it is matched in the same way: `<think>`, or a mask that is an ordinary word.
    """
    added = backend.get_added_tokens_decoder().items()
    return {token.content: id for id, token in added if token.special or token.content in named}
