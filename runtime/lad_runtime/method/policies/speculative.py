"""`speculative`, self-speculation (docs/method.md §6): the adapter drafts, the frozen base checks, and the answer is the base's."""

from dataclasses import dataclass, field
from typing import Literal

from lad_runtime.checks import check_choice, check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.policies.policy import Policy


@dataclass(frozen=True, kw_only=True)
class SpeculativePolicy(Policy):
    """`decided` says where the tokens that are decided already stand: in the draft's `canvas`, visible before its MASKs, or, all
    but the last, in its `past`, which is the base's cache. A draft serves several rounds: what is left of it behind a refused token
    is checked again behind the base's own.
    """

    kind: Literal["speculative"] = field(default="speculative", init=False)
    draft_tokens: int  # drafted and checked in a round, at most
    draft_confidence: float  # a draft ends where the probability that all of it stands is lower, by its own estimate; 0: never
    decided: Literal["canvas", "past"]
    patience: int  # checks of what is left of a draft that may accept none of it before a new one is made

    def __post_init__(self) -> None:
        check_whole("policy.draftTokens", self.draft_tokens, low=1, high=2**20)
        check_number("policy.draftConfidence", self.draft_confidence, low=0, high=1)
        check_choice("policy.decided", self.decided, ("canvas", "past"))
        check_whole("policy.patience", self.patience, low=0, high=2**20)

    @property
    def needs_adapter(self) -> bool:
        return True

    def check_attention(self, attention: str) -> None:
        if self.decided == "past" and attention != "causal-prefix":
            raise invalid_option(
                "policy.decided",
                self.decided,
                f"in {attention} attention no past is shared with the base",
                'Give attention: "causal-prefix", or decided: "canvas".',
            )
