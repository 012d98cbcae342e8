"""Our causal likelihoods: the items of one request, as the engine computes them."""

from bench.sides.lad_worker import LadWorker
from bench.sides.serve import Values, serve
from lad_runtime.types.evaluation import CausalLikelihood, ScoreItem, ScoreTask


class Scoring:
    """`prepare` gives every turn's items: prompt and continuation of each, as token ids."""

    def load(self, request: Values) -> Values:
        self._worker = LadWorker(request)
        return self._worker.facts

    def prepare(self, request: Values) -> None:
        self._turns = [[_item(*item) for item in items] for items in request["turns"]]

    def run(self, request: Values) -> Values:
        items = tuple(self._turns[request.get("turn", 0)])
        task = ScoreTask(items=items, mode="causal", likelihood=CausalLikelihood())
        seconds, (scores,) = self._worker.run([self._worker.backend.work(self._worker.base, None, task)])
        return {"seconds": seconds, "losses": [-score.log_likelihood for score in scores]}

    def profile(self, request: Values) -> None:
        self._worker.profile(request["file"], lambda: self.run({}))


def _item(prompt: list[int], continuation: list[int]) -> ScoreItem:
    return ScoreItem(prompt=tuple(prompt), continuation=tuple(continuation), key=0)


if __name__ == "__main__":
    serve(Scoring())
