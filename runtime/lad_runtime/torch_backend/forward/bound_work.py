"""Work and requests bound to the base that computes them."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.requests import ForwardRequest
from lad_runtime.types.work import OutcomeT, Request, Step, Work


@dataclass(frozen=True, kw_only=True)
class BoundRequest(Request[object]):
    """A request with its base. Requests of one base and kind share a group."""

    base: Base
    request: ForwardRequest

    @property
    def tokens(self) -> int:
        return self.request.tokens

    @property
    def cost(self) -> int:
        return self.request.cost

    @property
    def group(self) -> Hashable:
        return id(self.base), self.request.group


def placed(base: Base, work: Work[OutcomeT], prepare: Callable[[], None]) -> Work[OutcomeT]:
    """Binds the requests of work to `base`. Calls `prepare` each time before the work advances, since it may compute, too."""
    prepare()
    advance: Callable[[], Step] = lambda: next(work)  # noqa: E731
    while True:
        try:
            step = advance()
        except StopIteration as end:
            outcome: OutcomeT = end.value
            return outcome
        if isinstance(step, ForwardRequest):
            step = BoundRequest(base=base, request=step)
        try:
            answer = yield step
        except GeneratorExit:
            work.close()
            raise
        except BaseException as error:
            advance = _thrower(work, error)
        else:
            advance = _sender(work, answer)
        prepare()


def _sender(work: Work[OutcomeT], answer: object) -> Callable[[], Step]:
    return lambda: work.send(answer)


def _thrower(work: Work[OutcomeT], error: BaseException) -> Callable[[], Step]:
    return lambda: work.throw(error)
