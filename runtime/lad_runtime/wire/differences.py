"""The names in which a message and its value differ, with the reasons."""

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
    names: Mapping[str, str] = field(default_factory=dict)  # the message's field to the value's
    apart: frozenset[str] = frozenset()  # fields of either side that the other does not have


EVERYWHERE = {"bytes": "nbytes", "data_type": "dtype"}
"""In Python `bytes` is a type, and torch's word is `dtype`."""

ADDRESS = frozenset({"base_id", "adapter_id"})
"""The fields of a request that name the weights. A value without them is what the request asks of those weights."""

DIFFERENCES: Mapping[tuple[str, Any], Difference] = {
    # The value separates the stop token that training appends to answers from the others; the message has all in two lists.
    ("lad.v1.Base", BaseInfo): Difference(apart=frozenset({"other_stops"})),
    # The value's comment gives the unit, bytes.
    ("lad.v1.LoadProgress", LoadProgress): Difference(names={"done_bytes": "done", "total_bytes": "total"}),
    # In a client, these names stand among others' tokens; in the worker, nothing else is old or new.
    ("lad.v1.Edit", Edit): Difference(names={"old_token": "old", "new_token": "new"}),
    # The call has its number and input; the value says how they are computed.
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
"""The message names of values that are named differently: in the worker, a run logs events and work has an outcome."""
