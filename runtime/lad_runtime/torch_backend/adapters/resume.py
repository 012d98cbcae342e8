"""An adapter set back to a checkpoint, so exactly that the run goes on as if it had never been interrupted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.torch_backend.adapters.checkpoint import Checkpoint, RunPosition, spec_json
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.types.bases import BaseInfo, MatrixKernel
from lad_runtime.types.training import TrainingSpec

_FREE = (
    "steps",
    "validation",
    "checkpoint",
    "checkpoint_every_steps",
    "resume",
    "overwrite",
    "gradient_checkpointing",
    "share_weight",
    "tensorboard",
)
"""Options that a resumed run may change: they touch no step already taken, or no number of any step."""

_FLAT = ("window", "schedule")
"""Groups whose options stand beside the others in the SDK."""

_RENAMED = {
    ("", "dataset_id"): "data",
    ("window", "window"): "windowTokens",
    ("window", "supervise"): "superviseTurns",
}


def restore(trained: TrainedAdapter, checkpoint: Checkpoint) -> None:
    """Overwrites an adapter's weights and step count, and its optimizer with that of the checkpoint, in place.

    Raises INVALID_STATE, nothing changed, where the checkpoint's adapter is of another shape.
    """
    own = {name: p.shape for name, p in trained.parameters.items()}
    if own != {name: p.shape for name, p in checkpoint.parameters.items()}:
        raise LadError(
            ErrorCode.INVALID_STATE,
            "The checkpoint's adapter has other matrices than this one.",
            option="checkpoint",
            remedy="Create the adapter with the rank and targets, on the base, that the checkpoint was saved with.",
        )
    trained.load_parameters(checkpoint.parameters)
    trained.steps = checkpoint.steps
    trained.claims = checkpoint.claims
    trained.forget_optimizer()
    if checkpoint.optimizer is not None:
        trained.optimizer_for(checkpoint.optimizer).load(checkpoint.optimizer_state)


def resume(
    trained: TrainedAdapter, checkpoint: Checkpoint, info: BaseInfo, spec: TrainingSpec
) -> RunPosition:
    """`restore`, once it is certain that `spec` is the same run; returns how far that had come.

    Raises INVALID_STATE for a checkpoint that no run wrote or that is of another base or adapter, INVALID_OPTION naming the
    first option that differs. `steps` may differ: the schedule is then that of the new number from here on.
    """
    position = checkpoint.run
    if position is None:
        raise LadError(
            ErrorCode.INVALID_STATE,
            "The checkpoint was saved by a call, not by a run, so it has no step to go on from.",
            option="checkpoint.resume",
            remedy="Load it with loadCheckpoint and train under another checkpoint name.",
        )
    revision = checkpoint.base["revision"]
    if revision != info.revision:
        raise LadError(
            ErrorCode.INVALID_STATE,
            f"The checkpoint belongs to {checkpoint.base['name']} of revision {revision}, not to {info.name} of {info.revision}.",
            option="checkpoint.resume",
            remedy="Resume on the base that the run began on.",
        )
    _check_adapter(asdict(checkpoint.adapter), asdict(trained.spec))
    other = difference(position.spec, spec_json(spec))
    if other is not None:
        option, was, now = other
        raise invalid_option(
            option,
            now,
            f"the run of this checkpoint began with {was}",
            f"Give {was}, or another checkpoint name.",
        )
    if spec.steps < position.step:
        raise invalid_option(
            "steps",
            spec.steps,
            f"the checkpoint is at step {position.step}",
            f"Give at least {position.step}.",
        )
    restore(trained, checkpoint)
    return position


def resume_warnings(checkpoint: Checkpoint, info: BaseInfo) -> tuple[str, ...]:
    """What a caller should know of a run that goes on from the checkpoint on this base, in a sentence each."""
    was, now = checkpoint.kernels, info.kernels
    if was is None or set(was) == set(now):
        return ()
    return (
        f"The run goes on with other matrix kernels than its checkpoint was computed with ({_kernels_shown(now)}; "
        f"before: {_kernels_shown(was)}): from step {checkpoint.steps} on it may differ, in the last bits at first, "
        "from a run that was never interrupted.",
    )


def _kernels_shown(ways: Sequence[MatrixKernel]) -> str:
    """`qkv and down by mkl out-in, head by onednn out-in`."""
    matrices: dict[str, list[str]] = {}
    for way in ways:
        matrices.setdefault(f"{way.kernel} {way.layout}", []).append(way.matrix)
    return (
        ", ".join(f"{' and '.join(names)} by {how}" for how, names in matrices.items()) or "the device's own"
    )


def _check_adapter(was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for option, old in was.items():
        if old != now[option]:
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"The run of this checkpoint trained an adapter with {option} {_shown(old)}, "
                f"and this one has {_shown(now[option])}.",
                option="checkpoint.resume",
                remedy="Resume with an adapter of the options that the run began with.",
            )


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def difference(
    was: Mapping[str, Any], now: Mapping[str, Any], group: str = ""
) -> tuple[str, Any, Any] | None:
    """The first option that differs, by its name in the SDK, with both values."""
    for name in now:
        if not group and name in _FREE:
            continue
        old, new = was.get(name), now[name]
        if isinstance(old, dict) and isinstance(new, dict):
            inner = difference(old, new, f"{group}.{name}" if group else name)
            if inner is not None:
                return inner
        elif old != new:
            return _option(group, name), old, new
    return None


def _option(group: str, name: str) -> str:
    """`window`, `too_long` → `tooLong`; `noise`, `min_time` → `noise.minTime`; `noise`, `kind` → `noise`."""
    if (group, name) in _RENAMED:
        return _RENAMED[group, name]
    head, *rest = name.split("_")
    option = head + "".join(word.capitalize() for word in rest)
    if name == "kind":
        return group
    return f"{group}.{option}" if group and group not in _FLAT else option
