"""Text to token ids and back, with the model's own tokenizer (`tokenizer.json`) and chat template."""

import json
from collections.abc import Sequence

import tokenizers

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.torch_backend.template import ChatTemplate
from lad_runtime.types import Message


class Tokenizer:
    """A base's tokenizer with what the method adds to it: which token is the mask, which ends an answer.

    `vocab_size` is one more than the highest token id; the model's logits may be wider (padding rows of the embedding).
    """

    def __init__(
        self,
        backend: tokenizers.Tokenizer,
        *,
        eos_token: str,
        mask_token: str,
        template: ChatTemplate | None,
        system_prompt: str = "",
    ) -> None:
        backend.no_truncation()
        backend.no_padding()
        self._backend = backend
        self._template = template
        self.system_prompt = system_prompt
        self.eos_token = eos_token
        self.eos_token_id = _eos_id(backend, eos_token)
        self.mask_token = mask_token
        self.mask_token_id = _single_id(backend, mask_token)
        self.vocab_size: int = 1 + max(backend.get_vocab(with_added_tokens=True).values())
        if self.mask_token_id == self.eos_token_id:
            raise invalid_option(
                "maskToken",
                mask_token,
                "it is the token that ends an answer",
                "Give another string that is exactly one token.",
            )

    @property
    def has_template(self) -> bool:
        return self._template is not None

    def encode(self, text: str, add_special: bool = False) -> list[int]:
        """Token ids of `text`. Special tokens written out in it count as such; `add_special` adds the model's own around it."""
        try:
            return list(self._backend.encode(text, add_special_tokens=add_special).ids)
        except (UnicodeEncodeError, TypeError):  # versions of the library differ
            raise LadError(
                ErrorCode.INVALID_DATA,
                "A text holds half of a surrogate pair, which is no character.",
                option="text",
                remedy="Give well-formed Unicode.",
            ) from None

    def decode(self, ids: Sequence[int], skip_special: bool = True) -> str:
        """The text of `ids`, bytes that are no UTF-8 shown as U+FFFD; ids beyond the vocabulary have no text."""
        try:
            return str(self._backend.decode(list(ids), skip_special_tokens=skip_special))
        except OverflowError:
            problem = "a token id is a whole number from 0 to 4294967295"
            raise invalid_option("ids", list(ids), problem, "Give ids of this base's vocabulary.") from None

    def render(self, messages: Sequence[Message], add_generation_prompt: bool) -> str:
        """The conversation in the chat template's form, headed by the base's system prompt where it has none of its own.

        Raises INVALID_OPTION where the base has no template, and what ChatTemplate.render raises.
        """
        if self._template is None:
            raise invalid_option(
                "chatTemplate",
                "",
                "this base has no chat template of its own",
                "Give one when the base is loaded, or give token ids instead of messages.",
            )
        if self.system_prompt and not any(message.role == "system" for message in messages):
            messages = [Message(role="system", content=self.system_prompt), *messages]
        return self._template.render(messages, add_generation_prompt)

    def close(self) -> None:
        """Ends the chat template's process."""
        if self._template is not None:
            self._template.close()


def _eos_id(backend: tokenizers.Tokenizer, eos_token: str) -> int:
    found = backend.token_to_id(eos_token)
    if found is None:
        raise LadError(
            ErrorCode.INVALID_FILE,
            f"The token that ends an answer, {json.dumps(eos_token)}, is not in the vocabulary.",
            remedy="Correct eos_token in tokenizer_config.json.",
        )
    return int(found)


def _single_id(backend: tokenizers.Tokenizer, mask_token: str) -> int:
    ids = backend.encode(mask_token, add_special_tokens=False).ids
    if len(ids) != 1:
        raise invalid_option(
            "maskToken",
            mask_token,
            f"it must be exactly one token of this base, and is {len(ids)}: {ids[:16]}",
            "Give a string that the tokenizer encodes to one token that answers never use.",
        )
    return int(ids[0])
