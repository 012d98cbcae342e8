"""The format of a checkpoint's state: named in what is written, and read back by the names of fields, older formats too."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.adapters import AdapterSpec
from lad_runtime.types.training_events import LossReport

T = TypeVar("T")

FORMAT = 6
"""What is written. It grows when a field is added whose absence one of the tables below explains; format 1 does not name itself."""

_ABSENT: Mapping[type, Mapping[str, object]] = {
    # A measure that was not taken yet is one of no tokens.
    LossReport: {field.name: math.nan if field.type is float else 0 for field in fields(LossReport)},
    AdapterSpec: {"use_rslora": False},
}
"""What it means that an older format does not have a field. What is not here has always been written."""

_ABSENT_OF_RUN: Mapping[str, object] = {"attention": "full", "context": "prompt", "canvas_tokens": 0}

_ABSENT_OF_LOSS: Mapping[str, object] = {"soft": None, "tail_weight": 1.0}

_ABSENT_OF_WINDOW: Mapping[str, object] = {"allow_special": False, "pad_tokens": []}

_ABSENT_OF_CLAIMS: Mapping[str, object] = {"pad_tokens": []}
"""Values for options of runs, losses and windows, and for claims, that older files lack. Options that may change on resume
(resume.py) are not compared, and need none.
"""


def check_format(state: Mapping[str, Any], name: str) -> None:
    """Raises LadError(VERSION_MISMATCH) for a checkpoint of a newer format than this worker writes."""
    found = state.get("format", 1)
    if found > FORMAT:
        raise LadError(
            ErrorCode.VERSION_MISMATCH,
            f"The checkpoint {name} is of format {found}, which is newer than this worker's ({FORMAT}).",
            option="checkpoint",
            value=name,
            remedy="Load it with the version of lad that wrote it, or a newer one.",
        )


def read_value(kind: type[T], values: Mapping[str, Any]) -> T:
    """A value by the names of its fields. Raises TypeError for a field that it lacks, or that the class does not have."""
    return kind(**{**_ABSENT.get(kind, {}), **values})


def read_run_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """A run's specification as JSON holds it, with the options that its format did not have yet."""
    return {
        **_ABSENT_OF_RUN,
        **options,
        "window": {**_ABSENT_OF_WINDOW, **options["window"]},
        "loss": {**_ABSENT_OF_LOSS, **options["loss"]},
    }


def read_claimed(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Claims as JSON holds them, whatever that is, with those that their format did not have yet."""
    loss = claims.get("loss")
    return {
        **_ABSENT_OF_CLAIMS,
        **claims,
        **({"loss": {**_ABSENT_OF_LOSS, **loss}} if isinstance(loss, Mapping) else {}),
    }
