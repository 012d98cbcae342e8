"""Training runs over the examples that the tests share: begun, killed in the middle of a step, several at once."""

import pytest

from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import ForwardRequest
from lad_runtime.torch_backend.training.trainer import train
from lad_runtime.types.training_events import StepEvent
from training_support import EXAMPLES, REPORT, drive, tiny_base

BASE = tiny_base()


class Killed(Exception):
    """Ends what is driven, from the outside."""


def begin_run(store, spec, trained, base=BASE, **options):
    """The work of a run over all examples, which validates on the first four where it validates."""
    validation = (EXAMPLES[:4], REPORT) if spec.validation else None
    offloads = store._root / "optimizers"
    return train(
        base, trained, EXAMPLES, REPORT, spec, validation, checkpoints=store, offloads=offloads, **options
    )


def kill_after(work, step, base=BASE):
    """Closes a run while it computes the step after `step`, as the engine does on a cancel; returns its events."""
    events = []

    def after(event):
        events.append(event)
        if isinstance(event, StepEvent) and event.step == step + 1:
            raise Killed

    with pytest.raises(Killed):
        drive(work, base.model, after)
    work.close()
    return events


def run_together(works, base=BASE):
    """Runs pieces of work to their ends; what they ask for at the same time, and may share a forward, is computed at once.

    Returns how many forwards were shared.
    """
    waiting = {work: _next_request(work, None) for work in works}
    shared = 0
    while waiting:
        group = next(iter(waiting.values())).group
        asking = [work for work, request in waiting.items() if request.group == group]
        results = compute(base.model, [waiting[work] for work in asking])
        shared += len(asking) > 1
        for work, result in zip(asking, results, strict=True):
            waiting[work] = _next_request(work, result)
        waiting = {work: request for work, request in waiting.items() if request is not None}
    return shared


def _next_request(work, reply):
    """What the work asks for next; None at its end."""
    while True:
        try:
            item = work.send(reply)
        except StopIteration:
            return None
        if isinstance(item, ForwardRequest):
            return item
        reply = None
