"""The text of an answer, and where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lad_runtime.method.answer_end import (
    CutAnswer,
    Decode,
    cut_at_stop,
    end_of_answer,
    holds_stop_string,
)
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.types.sampling import SamplingSpec


@dataclass(frozen=True, kw_only=True)
class AnswerText:
    """Answers of one run as text: they end before the first stop token, and before the first stop string.

    Stop strings are looked for in the text of all tokens from the answer's first on, decoded anew each time: a letter may be of
    several tokens, and a decoder may treat the first token otherwise than the same one in the middle. It costs less than what
    one more token reads of the keys and values before it.
    """

    stop_token_ids: tuple[int, ...]
    stop: tuple[str, ...]
    decode: Decode
    before: tuple[int, ...] = ()  # the answer's tokens before those that are asked about

    @classmethod
    def of(cls, base: Base, spec: SamplingSpec) -> "AnswerText":
        return cls(stop_token_ids=base.info.stop_token_ids, stop=spec.stop, decode=base.tokenizer.decode)

    def behind(self, ids: Sequence[int]) -> "AnswerText":
        """Of what follows the answer's tokens so far."""
        return replace(self, before=(*self.before, *ids))

    def is_cut_in(self, ids: Sequence[int]) -> bool:
        """Whether a stop string ends the answer within these first tokens of it."""
        return bool(self.stop) and holds_stop_string(self._answered(ids), self.stop, self.decode)

    def cut(self, ids: Sequence[int]) -> CutAnswer:
        """The answer of what stands at all of its positions."""
        return cut_at_stop(self._answered(ids), self.stop, self.decode)

    def _answered(self, ids: Sequence[int]) -> Sequence[int]:
        whole = (*self.before, *ids)
        return whole[: end_of_answer(whole, self.stop_token_ids)]
