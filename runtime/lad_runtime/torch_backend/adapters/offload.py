"""Optimizer states that wait on the disk while nobody trains their adapters."""

import secrets
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.optimizers.optimizer import Optimizer
from lad_runtime.types.training import OptimizerSpec


class OffloadedOptimizer:
    """A file that holds an optimizer's state, and goes with this object."""

    def __init__(self, spec: OptimizerSpec, path: Path, nbytes: int) -> None:
        self.spec = spec
        self._path = path
        self.nbytes = nbytes
        self._remove = weakref.finalize(self, path.unlink, missing_ok=True)

    @classmethod
    def write(cls, optimizer: Optimizer, folder: Path) -> "OffloadedOptimizer":
        """Raises STORAGE, leaving no file, when the disk is full or fails."""
        path = folder / f"{secrets.token_hex(8)}.safetensors"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            safetensors.torch.save_file({n: t.contiguous() for n, t in optimizer.state().items()}, path)
        except (OSError, SafetensorError) as error:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            remedy = "Make room on the worker's disk, or give a folder on another one."
            raise _storage_error("written", error, remedy) from error
        return cls(optimizer.spec, path, optimizer.nbytes)

    def load(self, parameters: Mapping[str, Tensor]) -> Optimizer:
        """The optimizer as it was, to the bit; its file is gone then. Raises STORAGE where it cannot be read."""
        optimizer = Optimizer(self.spec, parameters)
        try:
            optimizer.load(safetensors.torch.load_file(self._path))
        except (OSError, SafetensorError) as error:
            remedy = "Load a checkpoint, or create the adapter anew; its weights can still be saved."
            raise _storage_error("read", error, remedy) from error
        self._remove()
        return optimizer


def _storage_error(what: str, error: Exception, remedy: str) -> LadError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return LadError(
        ErrorCode.STORAGE,
        f"An optimizer's state could not be {what} on the worker's disk: {reason}.",
        option="stateFolder",
        remedy=remedy,
    )
