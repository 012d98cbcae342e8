"""The tasks that this backend computes."""

from typing import Any

from lad_runtime.torch_backend.sampling.predict import PREDICTING
from lad_runtime.torch_backend.sampling.sampler import SAMPLING
from lad_runtime.torch_backend.scoring.score import SCORING
from lad_runtime.torch_backend.task_kind import TaskKind
from lad_runtime.torch_backend.training.primitives import (
    FORWARD_BACKWARD,
    NOISED_FORWARD_BACKWARD,
    OPTIM_STEP,
)
from lad_runtime.torch_backend.training.trainer import TRAINING
from lad_runtime.torch_backend.training.validate import VALIDATING
from lad_runtime.types.task import Task

_KINDS: dict[type[Task[Any]], TaskKind[Any]] = {
    kind.task: kind
    for kind in (
        FORWARD_BACKWARD,
        NOISED_FORWARD_BACKWARD,
        OPTIM_STEP,
        PREDICTING,
        SAMPLING,
        SCORING,
        TRAINING,
        VALIDATING,
    )
}


def kind_of(task: Task[object]) -> TaskKind[Any]:
    return _KINDS[type(task)]
