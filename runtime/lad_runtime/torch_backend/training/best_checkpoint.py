"""The checkpoint that keeps the adapter of a run's best validation."""

from dataclasses import dataclass

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore, RunPosition, spec_json
from lad_runtime.torch_backend.adapters.resume import difference, restore
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.types.bases import BaseInfo
from lad_runtime.types.training import TrainingSpec


@dataclass
class BestCheckpoint:
    """A name of the store that is this run's alone until it ends.

    The run's own checkpoint knows a best too, to which a resumed run returns: that one is spared while later ones come and go.
    """

    checkpoints: CheckpointStore
    name: str
    spared: int | None = None  # its step
    is_first: bool = True  # whatever is under the name is not of this run

    def begin(self, trained: TrainedAdapter, spec: TrainingSpec) -> None:
        """Raises ALREADY_EXISTS where the name has another run's checkpoint, unless the run overwrites it."""
        assert spec.validation is not None, "a run without validations has no best"
        if spec.validation.overwrite_best or not self.checkpoints.has(self.name):
            return
        found = self.checkpoints.read(self.name)
        if found.run is None or found.adapter != trained.spec:
            raise _of_another(self.name, "of another adapter")
        other = difference(found.run.spec, spec_json(spec))
        if other is not None:
            option, was, _ = other
            raise _of_another(self.name, f"of a run whose {option} is {was}")

    def go_on(self, step: int) -> bool:
        """Takes back what was kept after the run's own checkpoint, which is resumed; whether that of the best `step` is there."""
        if not self.checkpoints.take_back(self.name, step):
            return False
        self.spared, self.is_first = step, False
        return True

    def write(self, trained: TrainedAdapter, info: BaseInfo, position: RunPosition) -> None:
        """Raises as `CheckpointStore.write`."""
        self.checkpoints.write(
            self.name, trained, info, position, replace=self.is_first, spared_step=self.spared
        )
        self.is_first = False

    def restore(self, trained: TrainedAdapter, step: int) -> None:
        """Sets the adapter back to weights, optimizer and claims of the best `step`. Raises INVALID_FILE if they are damaged."""
        found = self.checkpoints.read(self.name)
        if found.run is None or found.run.step != step:
            raise LadError(
                ErrorCode.INVALID_FILE,
                f"The checkpoint {self.name} of step {step} is damaged, so the adapter is that of the last step.",
                option="validation.restoreBest",
                value=True,
                remedy="Load an earlier checkpoint with loadCheckpoint, or train again.",
            )
        restore(trained, found)


def _of_another(name: str, whose: str) -> LadError:
    return LadError(
        ErrorCode.ALREADY_EXISTS,
        f"There is a checkpoint named {name} already, {whose}.",
        option="validation.keepBest",
        value=name,
        remedy="Set validation.keepBest.overwrite to replace it, or give another name.",
    )
