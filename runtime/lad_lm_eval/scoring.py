"""Log-likelihoods, computed by the worker."""

import hashlib
import struct
from collections.abc import Sequence

from lad_lm_eval.arguments import ModelArguments
from lad_lm_eval.attention import CAUSAL, denoising_attention
from lad_lm_eval.connection import Connection
from lad_lm_eval.resident import Resident
from lad_lm_eval.windows import Pair
from lad_runtime.gen.lad.v1 import data_pb2, evaluation_pb2


class Scorer:
    """Scores pairs by one likelihood: that of the causal model, or one that masks, in the mode that the adapter was trained in."""

    def __init__(self, connection: Connection, resident: Resident, arguments: ModelArguments) -> None:
        self._connection = connection
        self._resident = resident
        self._likelihood = _likelihood(arguments)
        is_causal = arguments.likelihood == "causal"
        self._mode = CAUSAL if is_causal else denoising_attention(resident.claims)

    def scores(self, pairs: Sequence[Pair]) -> list[tuple[float, bool]]:
        """Of each pair log p(continuation | prompt) in nats, and whether every token is the most probable one."""
        request = evaluation_pb2.ScoreRequest(
            base_id=self._resident.base.id,
            adapter_id=self._resident.adapter_id,
            mode=self._mode,
            items=[_item(pair) for pair in pairs],
            likelihood=self._likelihood,
        )
        reply = self._connection.call(self._connection.evaluation.Score, request)
        return [(score.log_likelihood, score.greedy) for score in reply.scores]


def _likelihood(arguments: ModelArguments) -> evaluation_pb2.Likelihood:
    if arguments.likelihood == "causal":
        return evaluation_pb2.Likelihood(causal=evaluation_pb2.CausalLikelihood())
    if arguments.likelihood == "pseudo":
        return evaluation_pb2.Likelihood(pseudo=evaluation_pb2.PseudoLikelihood())
    drawn = evaluation_pb2.MonteCarloLikelihood(
        samples=arguments.samples, stratified=True, seed=arguments.seed
    )
    return evaluation_pb2.Likelihood(monte_carlo=drawn)


def _item(pair: Pair) -> evaluation_pb2.ScoreItem:
    return evaluation_pb2.ScoreItem(
        prompt=data_pb2.TokenIds(ids=pair.prompt),
        continuation=data_pb2.TokenIds(ids=pair.continuation),
        key=_key(pair),
    )


def _key(pair: Pair) -> int:
    """From the item's tokens, as the SDK's: the same item has the same masks in any company."""
    words = (len(pair.prompt), *pair.prompt, *pair.continuation)
    digest = hashlib.sha256(struct.pack(f"<{len(words)}I", *words)).digest()
    return int.from_bytes(digest[:8], "little")
