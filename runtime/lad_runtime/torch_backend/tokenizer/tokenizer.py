"""Translates text to token ids and back with the model's own tokenizer (`tokenizer.json`) and chat template."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import tokenizers

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.torch_backend.tokenizer.literal_encoder import LiteralEncoder, encoded
from lad_runtime.torch_backend.tokenizer.literals import Literals
from lad_runtime.torch_backend.tokenizer.template import ChatTemplate
from lad_runtime.types.bases import Token
from lad_runtime.types.data import Message


class Tokenizer:
    """A base's tokenizer, with its mask token and the tokens that end an answer.

    Training answers end with the first of `stop_tokens`, which is `eos_token`; a sampled answer ends at any of them.

    A control token that a text writes out is encoded as that token. If `hide` or `hidden` replaces it by a stand-in first, the
    template and `encode` treat it as text.

    `vocab_size` is one more than the highest token id; the model's logits may be wider (padding rows of the embedding).
    """

    def __init__(
        self,
        backend: tokenizers.Tokenizer,
        *,
        stop_tokens: Sequence[str],
        controls: Mapping[str, int],
        mask_token: str,
        template: ChatTemplate | None,
        system_prompt: str = "",
        warnings: tuple[str, ...] = (),
    ) -> None:
        backend.no_truncation()
        backend.no_padding()
        self._backend = backend
        self._template = template
        self._controls = dict(controls)
        self._literals = Literals(controls)
        self.system_prompt = system_prompt
        self.warnings = warnings  # about its files, a sentence each
        self.stop_tokens = _known_stops(backend, stop_tokens)
        self.eos_token, self.eos_token_id = self.stop_tokens[0]
        self.mask_token = mask_token
        self.mask_token_id = _single_id(backend, "maskToken", mask_token)
        self.vocab_size: int = 1 + max(backend.get_vocab(with_added_tokens=True).values())
        if any(id == self.mask_token_id for _, id in self.stop_tokens):
            raise invalid_option(
                "maskToken",
                mask_token,
                "it is the token that ends an answer",
                "Give another string that is exactly one token.",
            )

    @property
    def has_template(self) -> bool:
        return self._template is not None

    @property
    def template_digest(self) -> str:
        """SHA-256 of the chat template's text, in hexadecimal; empty where there is none."""
        return hashlib.sha256(self._template.source.encode()).hexdigest() if self._template else ""

    @property
    def mask_is_text(self) -> bool:
        """Whether the mask is an ordinary word, which a text may contain."""
        return self.mask_token_id not in self._controls.values()

    def pad_ids(self, pad_tokens: Sequence[str]) -> tuple[int, ...]:
        """The token ids of what fills the tails of answers. Raises INVALID_OPTION for a text that is not exactly one token, and for
        the mask token."""
        ids = tuple(_single_id(self._backend, "padTokens", token) for token in pad_tokens)
        for token, id in zip(pad_tokens, ids, strict=True):
            if id == self.mask_token_id:
                problem = f"it is the mask token ({id})"
                raise invalid_option("padTokens", token, problem, "Give tokens that answers never use.")
        return ids

    def controls_in(self, text: str) -> int:
        """How many control tokens a text writes out."""
        return self._literals.count(text)

    def hide(self, text: str) -> str:
        """The text with stand-ins for the control tokens that it writes out, so that they are encoded as text."""
        return self._literals.hide(text)

    def hidden(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages with stand-ins for the control tokens that they write out, so that they are encoded as text."""
        return tuple(replace(message, content=self.hide(message.content)) for message in messages)

    def reveal(self, text: str) -> str:
        """The text with its stand-ins replaced by what they stand for."""
        return self._literals.reveal(text)

    def encode(self, text: str, add_special: bool = False) -> list[int]:
        """Token ids of `text`. Written-out control tokens are encoded as such, and what stand-ins stand for as text.

        `add_special` adds the model's own special tokens around it.
        """
        try:
            if self._literals.is_in(text):
                return self._literal_encoder.encode(text, self.reveal)
            return list(encoded(self._backend, text, add_special=add_special).ids)
        except (UnicodeEncodeError, TypeError):  # versions of the library differ
            raise LadError(
                ErrorCode.INVALID_DATA,
                "A text holds half of a surrogate pair, which is no character.",
                option="text",
                remedy="Give well-formed Unicode.",
            ) from None

    def decode(self, ids: Sequence[int], skip_special: bool = True) -> str:
        """The text of `ids`. Invalid UTF-8 becomes U+FFFD; ids beyond the vocabulary have no text."""
        try:
            return str(self._backend.decode(list(ids), skip_special_tokens=skip_special))
        except OverflowError:
            problem = "a token id is a whole number from 0 to 4294967295"
            raise invalid_option("ids", list(ids), problem, "Give ids of this base's vocabulary.") from None

    def render(self, messages: Sequence[Message], add_generation_prompt: bool) -> str:
        """Renders a conversation with the chat template. The base's system prompt is added if the conversation has none.

        Stand-ins in the messages, and those for control tokens in the base's system prompt, stay stand-ins in the result. Raises
        INVALID_OPTION if the base has no template, INVALID_DATA if the template changes a stand-in, and as
        ChatTemplate.render.
        """
        if self._template is None:
            raise invalid_option(
                "chatTemplate",
                "",
                "this base has no chat template of its own",
                "Give one when the base is loaded, or give token ids instead of messages.",
            )
        if self.system_prompt and not any(message.role == "system" for message in messages):
            messages = [Message(role="system", content=self.hide(self.system_prompt)), *messages]
        text = self._template.render(messages, add_generation_prompt)
        if any(self._literals.is_in(message.content) for message in messages):
            respelled = [replace(m, content=self._literals.respelled(m.content)) for m in messages]
            again = self._template.render(respelled, add_generation_prompt)
            if self._literals.respelled(again) != text:
                raise _taken_apart()
        return text

    def prompt(self, messages: Sequence[Message]) -> tuple[str, list[int]]:
        """The conversation up to where its answer goes on, as text and token ids.

        An assistant message last is the answer's beginning: it is encoded by itself and as it is, behind the prompt that the
        template makes of the messages before it, as answers are in training. Raises as `render`, and INVALID_OPTION where it
        stands alone.
        """
        begins = bool(messages) and messages[-1].role == "assistant"
        asked, beginning = (messages[:-1], messages[-1].content) if begins else (messages, "")
        if begins and not asked:
            raise invalid_option(
                "messages",
                "an assistant message alone",
                "nothing is asked that it begins to answer",
                "Give a user message before it.",
            )
        text = self.render(asked, True)
        return text + beginning, self.encode(text) + self.encode(beginning)

    @cached_property
    def _literal_encoder(self) -> LiteralEncoder:
        """Made at first use: it is as large as the tokenizer itself."""
        return LiteralEncoder(self._backend, self._controls)

    def close(self) -> None:
        """Ends the chat template's process."""
        if self._template is not None:
            self._template.close()


def _taken_apart() -> LadError:
    return LadError(
        ErrorCode.INVALID_DATA,
        "The chat template takes apart a special token that a message writes out, so that it cannot be kept as text.",
        option="messages",
        remedy="Take it out of the message, give allowSpecial, or another chatTemplate.",
    )


def _known_stops(backend: tokenizers.Tokenizer, stop_tokens: Sequence[str]) -> tuple[Token, ...]:
    if not stop_tokens:
        raise LadError(
            ErrorCode.INVALID_FILE,
            "The model folder names no token that ends an answer.",
            remedy="Set eos_token in tokenizer_config.json, or eos_token_id in config.json.",
        )
    return tuple((token, _known_id(backend, token)) for token in stop_tokens)


def _known_id(backend: tokenizers.Tokenizer, stop_token: str) -> int:
    found = backend.token_to_id(stop_token)
    if found is None:
        raise LadError(
            ErrorCode.INVALID_FILE,
            f"The token that ends an answer, {json.dumps(stop_token)}, is not in the vocabulary.",
            remedy="Correct eos_token in tokenizer_config.json.",
        )
    return int(found)


def _single_id(backend: tokenizers.Tokenizer, option: str, token: str) -> int:
    ids = backend.encode(token, add_special_tokens=False).ids
    if len(ids) != 1:
        raise invalid_option(
            option,
            token,
            f"it must be exactly one token of this base, and is {len(ids)}: {ids[:16]}",
            "Give a string that the tokenizer encodes to one token that answers never use.",
        )
    return int(ids[0])
