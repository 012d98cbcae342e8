"""Works and requests tied to the base that they are computed on."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.requests import ForwardRequest
from lad_runtime.types.work import Work


@dataclass(frozen=True, kw_only=True)
class BoundRequest:
    """A request and its base. Those of one base and kind share a group."""

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


def placed(base: Base, work: Work, prepare: Callable[[], None]) -> Work:
    """The work with its requests tied to `base`. `prepare` is called before each of its stretches, which may compute too."""
    prepare()
    advance: Callable[[], Any] = lambda: next(work)  # noqa: E731
    while True:
        try:
            item = advance()
        except StopIteration as end:
            return end.value
        if isinstance(item, ForwardRequest):
            item = BoundRequest(base=base, request=item)
        try:
            answer = yield item
        except GeneratorExit:
            work.close()
            raise
        except BaseException as error:
            advance = _thrower(work, error)
        else:
            advance = _sender(work, answer)
        prepare()


def _sender(work: Work, answer: Any) -> Callable[[], Any]:
    return lambda: work.send(answer)


def _thrower(work: Work, error: BaseException) -> Callable[[], Any]:
    return lambda: work.throw(error)
