"""Our training: a run of some steps for each of several adapters, at once, as the engine sees fit."""

from typing import Any

from bench.sides.lad_worker import LadWorker
from bench.sides.serve import Values, serve
from bench.sides.specs import training_spec
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.types.data import PreparedExample, WindowReport
from lad_runtime.types.training import LossSpec, TrainTask
from lad_runtime.types.training_events import StepEvent
from lad_runtime.types.work import Work


class Training:
    """`load` names the adapters' ranks; `prepare` gives, for every turn, each adapter its examples, and says how to train."""

    def load(self, request: Values) -> Values:
        self._worker = LadWorker(request)
        self._adapters = [self._worker.adapter(rank, deviation=0.02) for rank in request["ranks"]]
        return {**self._worker.facts, "adapters": [self._worker.save(adapter) for adapter in self._adapters]}

    def prepare(self, request: Values) -> None:
        self._turns = [
            [[_example(example) for example in share] for share in turn] for turn in request["turns"]
        ]
        self._settings = request

    def run(self, request: Values) -> Values:
        steps: list[StepEvent] = []
        shares = self._turns[request.get("turn", 0)]
        works = [self._work(*given) for given in zip(self._adapters, shares, strict=True)]
        batches = [[work] for work in works] if self._settings.get("inTurn") else [works]
        runs = [self._worker.run(batch, lambda event: _keep_step(event, steps)) for batch in batches]
        outcomes = [outcome for _, ended in runs for outcome in ended]
        return {
            "seconds": sum(seconds for seconds, _ in runs),
            "tokens": sum(step.report.tokens for step in steps),
            "losses": [outcome.report.loss for outcome in outcomes],
            "gradientNorm": steps[-1].gradient_norm,
        }

    def profile(self, request: Values) -> None:
        self._worker.profile(request["file"], lambda: self.run({}))

    def _work(self, adapter: TrainedAdapter, share: list[PreparedExample]) -> Work:
        report = WindowReport(
            examples=len(share),
            kept=len(share),
            dropped=0,
            truncated=0,
            prompt_tokens=sum(not answer for example in share for answer in example.answer),
            answer_tokens=sum(sum(example.answer) - sum(example.tail) for example in share),
            tail_tokens=sum(sum(example.tail) for example in share),
        )
        loss = LossSpec(
            supervise=self._settings["supervise"], tail=True, tail_weight=1.0, weighting="uniform", soft=None
        )
        spec = training_spec(self._settings, loss, len(share), self._settings["attention"])
        return self._worker.backend.work(
            self._worker.base, adapter, TrainTask(spec=spec, data=(share, report))
        )


def _example(given: Values) -> PreparedExample:
    return PreparedExample(
        id=given["id"],
        ids=tuple(given["ids"]),
        answer=tuple(map(bool, given["answer"])),
        tail=tuple(map(bool, given["tail"])),
    )


def _keep_step(event: Any, steps: list[StepEvent]) -> None:
    if isinstance(event, StepEvent):
        steps.append(event)


if __name__ == "__main__":
    serve(Training())
