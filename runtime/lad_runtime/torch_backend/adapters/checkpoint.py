"""Checkpoints: an adapter, its optimizer and its run's position, kept under a name. The one before the last is kept too."""

import json
import logging
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from lad_runtime.checks import check_name
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.checkpoint_format import (
    FORMAT,
    check_format,
    read_run_options,
    read_value,
)
from lad_runtime.torch_backend.adapters.claims import read_claims
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.files.durable import (
    DamagedFolderError,
    storage_error,
    sync_folder,
    verify_folder,
    write_folder,
)
from lad_runtime.types.adapters import AdapterClaims, AdapterSpec, StoredCheckpoint
from lad_runtime.types.bases import BaseInfo, MatrixKernel
from lad_runtime.types.early_stopping import UNWATCHED, ValidationWatch
from lad_runtime.types.training import OptimizerSpec, TrainingSpec
from lad_runtime.types.training_events import LossReport

_KEPT = 2
_DELETED = ".deleted-"
_STATE, _ADAPTER, _OPTIMIZER = "state.json", "adapter.safetensors", "optimizer.safetensors"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunPosition:
    """How far a run has come. Order and noise are pure functions of the step, so that no generator's state belongs to it."""

    spec: Mapping[str, Any]  # the run's TrainingSpec, as JSON holds it
    step: int
    report: LossReport | None
    validation: LossReport | None
    watch: ValidationWatch = UNWATCHED


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What `CheckpointStore.read` found, verified."""

    adapter: AdapterSpec
    base: Mapping[str, str]  # name and revision
    steps: int
    parameters: dict[str, Tensor]
    optimizer: OptimizerSpec | None
    optimizer_state: dict[str, Tensor]
    run: RunPosition | None  # None: saved by a call, not by a run
    kernels: tuple[MatrixKernel, ...] | None = (
        None  # of the base, as `BaseInfo` has them; None: it does not say
    )
    claims: AdapterClaims | None = None  # None: it was never trained, or does not say how


class CheckpointStore:
    """Named checkpoints under one folder: `<root>/<name>/<number>/`, the highest whole number being the current one."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, name: str) -> bool:
        return bool(self._numbers(self._folder(name)))

    def nbytes(self, name: str) -> int:
        """Of the files of the latest checkpoint of that name; 0 where there is none."""
        folder = self._folder(name)
        newest = folder / f"{max(self._numbers(folder), default=0):08d}"
        return sum(path.stat().st_size for path in newest.glob("*.safetensors"))

    def all(self) -> list[StoredCheckpoint]:
        """The latest of each name that says what it is, by name."""
        try:
            names = sorted(entry.name for entry in self._root.iterdir() if not entry.name.startswith("."))
        except FileNotFoundError:
            return []
        return [stored for name in names if (stored := self._stored(name)) is not None]

    def _stored(self, name: str) -> StoredCheckpoint | None:
        """None: nothing of this worker's has that name."""
        try:
            newest = self._folder(name) / f"{max(self._numbers(self._folder(name)), default=0):08d}"
            state = _object(json.loads((newest / _STATE).read_bytes()))
            base = _base(state["base"])
            return StoredCheckpoint(
                name=name,
                base_name=base["name"],
                base_revision=base["revision"],
                rank=_count(_object(state["adapter"])["rank"]),
                steps=_count(state["steps"]),
                nbytes=self.nbytes(name),
            )
        except (KeyError, TypeError, ValueError, RecursionError, OSError, LadError):
            return None

    def write(
        self,
        name: str,
        trained: TrainedAdapter,
        info: BaseInfo,
        run: RunPosition | None = None,
        *,
        replace: bool = False,
        spared_step: int | None = None,
    ) -> str:
        """Adds a checkpoint under `name` and drops all but the two latest, or all others where it replaces them, but never the one
        that a run wrote at `spared_step`; returns the SHA-256 of its manifest.

        Raises STORAGE when the disk is full or fails, DIVERGED where a weight is no finite number; the checkpoints that were
        there are then whole.
        """
        trained.check_finite()
        folder = self._folder(name)
        numbers = self._numbers(folder)
        digest = write_folder(folder / f"{max(numbers, default=0) + 1:08d}", _files(trained, info, run))
        for number in numbers[: len(numbers) + 1 - (1 if replace else _KEPT)]:
            if spared_step is None or _step_of(folder / f"{number:08d}") != spared_step:
                shutil.rmtree(folder / f"{number:08d}", ignore_errors=True)
        return digest

    def take_back(self, name: str, step: int) -> bool:
        """Drops the checkpoints that a run wrote under `name` after a step; returns whether the latest is then of that step."""
        folder = self._folder(name)
        for number in self._numbers(folder):
            if _step_of(folder / f"{number:08d}") > step:
                shutil.rmtree(folder / f"{number:08d}", ignore_errors=True)
        left = self._numbers(folder)
        return bool(left) and _step_of(folder / f"{left[-1]:08d}") == step

    def read(self, name: str) -> Checkpoint:
        """The latest whole checkpoint of that name; a damaged one is passed over with a warning.

        Raises NOT_FOUND where there is none, INVALID_FILE where none is whole, VERSION_MISMATCH where a newer worker wrote it.
        """
        folder = self._folder(name)
        numbers = self._numbers(folder)
        if not numbers:
            raise _not_found(name)
        for number in reversed(numbers):
            try:
                verify_folder(folder / f"{number:08d}")
                return _read(folder / f"{number:08d}", name)
            except DamagedFolderError as damage:
                _log.warning("checkpoint %s, number %d is damaged (%s)", name, number, damage)
        raise LadError(
            ErrorCode.INVALID_FILE,
            f"Every checkpoint named {name} is damaged.",
            option="checkpoint",
            value=name,
            remedy="Train again under another name.",
        )

    def delete(self, name: str) -> None:
        """Removes every checkpoint of that name: at once, so that no crash leaves half of one. Raises NOT_FOUND, STORAGE."""
        folder = self._folder(name)
        if not folder.is_dir():
            raise _not_found(name)
        try:
            folder.rename(self._root / f"{_DELETED}{secrets.token_hex(8)}")
            sync_folder(self._root)
        except OSError as error:
            raise storage_error("deleted", error) from error
        for deleted in self._root.glob(f"{_DELETED}*"):
            shutil.rmtree(deleted, ignore_errors=True)

    def _folder(self, name: str) -> Path:
        check_name("checkpoint", name)
        root = self._root.resolve()
        folder = (root / name).resolve()
        if folder.parent != root:
            raise LadError(
                ErrorCode.INVALID_FILE,
                f"The checkpoint {name} is a link that leads out of the store.",
                option="checkpoint",
                value=name,
                remedy="Remove the link.",
            )
        return folder

    def _numbers(self, folder: Path) -> list[int]:
        try:
            return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error("read", error) from error


def _not_found(name: str) -> LadError:
    return LadError(
        ErrorCode.NOT_FOUND,
        f"There is no checkpoint named {name}.",
        option="checkpoint",
        value=name,
        remedy="Give the name that it was saved under.",
    )


def _files(trained: TrainedAdapter, info: BaseInfo, run: RunPosition | None) -> dict[str, bytes]:
    optimizer = trained.optimizer
    state = {
        "format": FORMAT,
        "adapter": asdict(trained.spec),
        "base": {"name": info.name, "revision": info.revision},
        "kernels": [asdict(way) for way in info.kernels],
        "steps": trained.steps,
        "optimizer": asdict(optimizer.spec) if optimizer else None,
        "run": asdict(run) if run else None,
        "claims": asdict(trained.claims) if trained.claims else None,
    }
    files = {_STATE: json.dumps(state, indent=1).encode(), _ADAPTER: _bytes(trained.parameters)}
    return files | ({_OPTIMIZER: _bytes(optimizer.state())} if optimizer else {})


def _bytes(tensors: Mapping[str, Tensor]) -> bytes:
    return bytes(safetensors.torch.save({name: t.detach().contiguous() for name, t in tensors.items()}))


def _read(folder: Path, name: str) -> Checkpoint:
    """A folder that was verified: its bytes are those that were written."""
    try:
        state = _object(json.loads((folder / _STATE).read_bytes()))
        check_format(state, name)
        adapter, run = _object(state["adapter"]), state["run"]
        return Checkpoint(
            adapter=read_value(AdapterSpec, {**adapter, "targets": _texts(adapter["targets"])}),
            base=_base(state["base"]),
            steps=_count(state["steps"]),
            parameters=safetensors.torch.load_file(folder / _ADAPTER),
            optimizer=read_value(OptimizerSpec, state["optimizer"]) if state["optimizer"] else None,
            optimizer_state=safetensors.torch.load_file(folder / _OPTIMIZER) if state["optimizer"] else {},
            run=_position(run) if run else None,
            kernels=_kernels(state["kernels"]) if "kernels" in state else None,
            claims=read_claims(state["claims"]) if state.get("claims") else None,
        )
    except (KeyError, TypeError, ValueError, RecursionError, OSError, safetensors.SafetensorError) as error:
        raise DamagedFolderError(f"{type(error).__name__} while it was read") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("it is no object")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TypeError("it is no list of texts")
    return tuple(value)


def _count(value: Any) -> int:
    """A number of steps, which the protocol holds in 64 bits."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError("it is no number of steps")
    return value


def _base(value: Any) -> dict[str, Any]:
    base = _object(value)
    if not (isinstance(base["name"], str) and isinstance(base["revision"], str)):
        raise TypeError("it names no base")
    return base


def _step_of(folder: Path) -> int:
    """That of the run that wrote a checkpoint; −1 where none did, or it cannot be read."""
    try:
        return _count(_object(json.loads((folder / _STATE).read_bytes()))["run"]["step"])
    except (KeyError, TypeError, ValueError, RecursionError, OSError):
        return -1


def _position(run: dict[str, Any]) -> RunPosition:
    reports = {
        key: read_value(LossReport, run[key]) if run[key] else None for key in ("report", "validation")
    }
    watch = read_value(ValidationWatch, _object(run["watch"])) if "watch" in run else UNWATCHED
    return RunPosition(spec=read_run_options(run["spec"]), step=_count(run["step"]), watch=watch, **reports)


def _kernels(ways: list[dict[str, Any]]) -> tuple[MatrixKernel, ...]:
    return tuple(read_value(MatrixKernel, way) for way in ways)


def spec_json(spec: TrainingSpec) -> dict[str, Any]:
    """A specification as JSON gives it back."""
    return dict(json.loads(json.dumps(asdict(spec))))
