"""Whose a checkpoint's name is: nobody writes over what another has written, and two never write under one name."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lad_runtime.errors import ErrorCode, LadError


@dataclass(frozen=True, kw_only=True)
class Writer:
    """An adapter that is about to write under a name, once or, in a run, from its start to its end."""

    adapter_id: str
    run_id: str = ""  # empty: one checkpoint, by a call

    @property
    def told(self) -> str:
        return self.run_id or self.adapter_id


_DELETION = Writer(adapter_id="a call of deleteCheckpoint")


class CheckpointNames:
    """The names in the worker's store. What an adapter has written under a name it may write again, and nobody else may
    unless that is said. Every method may be called from any thread.

    `stored`: whether there is a checkpoint of a name. `living`: whether there is an adapter of an id.
    """

    def __init__(self, stored: Callable[[str], bool], living: Callable[[str], bool]) -> None:
        self._stored = stored
        self._living = living
        self._writing: dict[str, list[Writer]] = {}  # of one adapter each
        self._written_by: dict[str, str] = {}  # adapters, since this worker began
        self._lock = threading.Lock()

    def claim_for_run(self, name: str, writer: Writer, *, resume: bool, overwrite: bool) -> None:
        """Gives a name to a run until `release`.

        Raises LadError: INVALID_STATE while somebody writes under it; ALREADY_EXISTS where there is a checkpoint, unless it is to
        be written over, or gone on from and no other adapter that is still there wrote it.
        """
        with self._lock:
            self._check_unwritten(name, writer, option="checkpoint.name")
            if self._stored(name) and not overwrite:
                author = self._written_by.get(name, "")
                if not resume:
                    raise _exists(name, author, _FOR_A_RUN)
                if author not in ("", writer.adapter_id) and self._living(author):
                    raise _exists(name, author, _FOR_A_RESUMED_RUN)
            self._writing[name] = [writer]

    def claim_for_save(self, name: str, writer: Writer, *, overwrite: bool) -> bool:
        """Gives a name to an adapter for one checkpoint, until `release`. Whether what is there is another's, to be replaced.

        Raises LadError: INVALID_STATE while somebody else writes under it; ALREADY_EXISTS where another adapter, or an earlier
        worker, wrote the checkpoint and it is not to be written over.
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
        """What the writer has written stays its adapter's."""
        with self._lock:
            writers = self._writing.get(name, [])
            if writer in writers:
                writers.remove(writer)
            if not writers:
                self._writing.pop(name, None)

    @contextmanager
    def deleting(self, name: str) -> Iterator[None]:
        """Around the removal of a checkpoint, after which its name is nobody's. Raises LadError(INVALID_STATE) while somebody
        writes under it.
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
        """Calls of one adapter may write one after another; a run shares its name with nobody."""
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
_FOR_A_RUN = (
    "checkpoint.name",
    "Set checkpoint.resume to go on from it, checkpoint.overwrite to replace it, or give another name.",
)
_FOR_A_RESUMED_RUN = (
    "checkpoint.name",
    "Drop that adapter, set checkpoint.overwrite too to take its checkpoint over, or give another name.",
)


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
