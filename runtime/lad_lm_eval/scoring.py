"""Log-likelihoods, computed by the worker."""

from collections.abc import Sequence

from lad_lm_eval.arguments import ModelArguments
from lad_lm_eval.connection import Connection
from lad_lm_eval.resident import Resident
from lad_lm_eval.windows import Pair
from lad_runtime.gen.lad.v1 import data_pb2, evaluation_pb2, training_pb2


class Scorer:
    def __init__(self, connection: Connection, resident: Resident, arguments: ModelArguments) -> None:
        self._connection = connection
        self._resident = resident
        self._arguments = arguments

    def scores(self, pairs: Sequence[Pair]) -> list[tuple[float, bool]]:
        """Of each pair log p(continuation | prompt) in nats, and whether every token is the most probable one."""
        request = evaluation_pb2.ScoreRequest(
            base_id=self._resident.base.id,
            adapter_id=self._resident.adapter_id,
            mode=training_pb2.AttentionMode.ATTENTION_MODE_CAUSAL,
            items=[
                evaluation_pb2.ScoreItem(
                    prompt=data_pb2.TokenIds(ids=pair.prompt),
                    continuation=data_pb2.TokenIds(ids=pair.continuation),
                )
                for pair in pairs
            ],
        )
        reply = self._connection.call(self._connection.evaluation.Score, request)
        return [(score.log_likelihood, score.greedy) for score in reply.scores]
