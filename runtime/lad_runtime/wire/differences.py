"""Where a message and its value do not have the same names, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lad_runtime.errors import LadError
from lad_runtime.types.bases import BaseInfo, LoadProgress
from lad_runtime.types.primitives import ForwardSpec
from lad_runtime.types.sampling import AnswerEvent, Edit, FrameEvent, SamplingOutcome
from lad_runtime.types.training_events import CheckpointEvent, StepEvent, TrainingOutcome, ValidationEvent


@dataclass(frozen=True, kw_only=True)
class Difference:
    names: Mapping[str, str] = field(default_factory=dict)  # of the message's fields in the value
    apart: frozenset[str] = frozenset()  # fields of either that the other does not have


EVERYWHERE = {"bytes": "nbytes", "data_type": "dtype"}
"""Python has `bytes` for a type of its own, and torch says `dtype`."""

ADDRESS = frozenset({"base_id", "adapter_id"})
"""Whose weights a call is about: a value that has not these is what is asked of them."""

DIFFERENCES: Mapping[tuple[str, Any], Difference] = {
    # The value keeps the stop token that answers learn apart from the others; the message tells all of them in two lists.
    ("lad.v1.Base", BaseInfo): Difference(apart=frozenset({"other_stops"})),
    # The value's comment says that both count bytes.
    ("lad.v1.LoadProgress", LoadProgress): Difference(names={"done_bytes": "done", "total_bytes": "total"}),
    # A client reads these beside answers and ids, the worker where nothing else is old or new.
    ("lad.v1.Edit", Edit): Difference(names={"old_token": "old", "new_token": "new"}),
    # By which number and of what is the call's; how it is computed is the value's.
    ("lad.v1.ForwardBackwardRequest", ForwardSpec): Difference(
        names={"mode": "attention"}, apart=frozenset({"sequence", "input"})
    ),
}

CASES: Mapping[Any, str] = {
    StepEvent: "TrainingStep",
    ValidationEvent: "Validation",
    CheckpointEvent: "Checkpoint",
    TrainingOutcome: "TrainingFinished",
    FrameEvent: "Frame",
    AnswerEvent: "Answer",
    SamplingOutcome: "SamplingFinished",
    LadError: "ErrorDetail",
}
"""Values with another name than their message: within the worker a run says events, and a work has an outcome."""
