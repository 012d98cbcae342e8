"""Ownership of checkpoint names: only one writer uses a name at a time, and overwriting another adapter's must be asked for."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from lad_runtime.errors import ErrorCode, LadError

RunOption = Literal["checkpoint", "validation.keepBest"]
"""The options of a run that name a checkpoint."""

_NAMED_BY: Mapping[RunOption, str] = {
    "checkpoint": "checkpoint.name",
    "validation.keepBest": "validation.keepBest",
}


@dataclass(frozen=True, kw_only=True)
class Writer:
    """An adapter that writes checkpoints under a name: one by a call, or several throughout a run."""

    adapter_id: str
    run_id: str = ""  # empty: one checkpoint, by a call

    @property
    def told(self) -> str:
        return self.run_id or self.adapter_id


_DELETION = Writer(adapter_id="a call of deleteCheckpoint")


class CheckpointNames:
    """The names in the worker's store. An adapter may overwrite its own checkpoint; any other writer has to ask for that.
    Every method may be called from any thread.

    `stored` tells whether a checkpoint of a name exists, `living` whether an adapter of an id exists.
    """

    def __init__(self, stored: Callable[[str], bool], living: Callable[[str], bool]) -> None:
        self._stored = stored
        self._living = living
        self._writing: dict[str, list[Writer]] = {}  # by name; all writers of a name are of one adapter
        self._written_by: dict[str, str] = {}  # adapter ids by name, since this worker began
        self._lock = threading.Lock()

    def claim_for_run(
        self, name: str, writer: Writer, *, option: RunOption, resume: bool, overwrite: bool
    ) -> None:
        """Reserves a name for a run until `release`.

        Raises LadError: INVALID_STATE while the name has a writer; ALREADY_EXISTS if there is a checkpoint, unless the run
        overwrites it, or resumes from it and its author is not another adapter that still exists.
        """
        with self._lock:
            self._check_unwritten(name, writer, option=_NAMED_BY[option])
            if self._stored(name) and not overwrite:
                author = self._written_by.get(name, "")
                if not resume:
                    raise _exists(name, author, _for_a_run(option))
                if author not in ("", writer.adapter_id) and self._living(author):
                    raise _exists(name, author, _for_a_resumed_run(option))
            self._writing[name] = [writer]

    def claim_for_save(self, name: str, writer: Writer, *, overwrite: bool) -> bool:
        """Reserves a name for one checkpoint of an adapter until `release`. Returns whether it replaces another adapter's.

        Raises LadError: INVALID_STATE while the name has another writer; ALREADY_EXISTS if another adapter or an earlier
        worker wrote the checkpoint, unless `overwrite`.
        """
        with self._lock:
            self._check_unwritten(name, writer, option="name")
            author = self._written_by.get(name, "")
            foreign = author != writer.adapter_id and self._stored(name)
            if foreign and not overwrite:
                raise _exists(name, author, _FOR_A_CALL)
            self._writing.setdefault(name, []).append(writer)
        return foreign

    def wrote(self, name: str, adapter_id: str) -> None:
        with self._lock:
            self._written_by[name] = adapter_id

    def release(self, name: str, writer: Writer) -> None:
        """Ends a claim. The adapter remains the author of what it has written."""
        with self._lock:
            writers = self._writing.get(name, [])
            if writer in writers:
                writers.remove(writer)
            if not writers:
                self._writing.pop(name, None)

    @contextmanager
    def deleting(self, name: str) -> Iterator[None]:
        """Claims a name while its checkpoint is deleted; afterwards the name is free. Raises LadError(INVALID_STATE) while it has
        a writer.
        """
        with self._lock:
            self._check_unwritten(name, _DELETION, option="name")
            self._writing.setdefault(name, []).append(_DELETION)
        try:
            yield
            with self._lock:
                self._written_by.pop(name, None)
        finally:
            self.release(name, _DELETION)

    def _check_unwritten(self, name: str, asking: Writer, *, option: str) -> None:
        """Rejects a second writer. Calls of one adapter may queue for a name; a run has its name to itself."""
        for writer in self._writing.get(name, []):
            if writer == asking and not writer.run_id:
                continue
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"{option} is {name}: {writer.told} is writing under that name.",
                option=option,
                value=name,
                remedy="Give another name, or wait for it to end.",
            )


_FOR_A_CALL = ("name", "Give another name, set overwrite, or free the name with deleteCheckpoint.")


def _for_a_run(option: RunOption) -> tuple[str, str]:
    going_on = "Set checkpoint.resume to go on from it, " if option == "checkpoint" else "Set "
    return _NAMED_BY[option], f"{going_on}{option}.overwrite to replace it, or give another name."


def _for_a_resumed_run(option: RunOption) -> tuple[str, str]:
    remedy = (
        f"Drop that adapter, set {option}.overwrite too to take its checkpoint over, or give another name."
    )
    return _NAMED_BY[option], remedy


def _exists(name: str, author: str, option_and_remedy: tuple[str, str]) -> LadError:
    option, remedy = option_and_remedy
    whose = f"adapter {author} wrote it" if author else "it was written before this worker began"
    return LadError(
        ErrorCode.ALREADY_EXISTS,
        f"There is a checkpoint named {name} already: {whose}.",
        option=option,
        value=name,
        remedy=remedy,
    )
