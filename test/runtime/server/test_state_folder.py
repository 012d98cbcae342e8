"""One worker a state folder."""

import errno
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.server.process.state_folder import StateInUseError, take_folder

HOLD = (
    "import sys, pathlib; from lad_runtime.server.process.state_folder import take_folder\n"
    "print(take_folder(pathlib.Path(sys.argv[1]), or_next=True), flush=True); sys.stdin.read()"
)


@contextmanager
def holder(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """Another process that has a state folder, and which."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().rstrip("\n"))
        finally:
            process.kill()


def test_a_folder_that_another_process_has_is_refused_with_its_id_until_that_is_killed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "state"
    with holder(folder) as (process, taken):
        assert taken == folder
        with pytest.raises(StateInUseError, match=f"process {process.pid} on ") as refused:
            take_folder(folder, or_next=False)
        assert (refused.value.code, refused.value.option) == (ErrorCode.INVALID_STATE, "stateFolder")
        assert str(folder) in refused.value.message and "address" in refused.value.remedy
        process.kill()
        process.wait()
        assert take_folder(folder, or_next=False) == folder


def test_the_next_free_folder_is_taken_where_that_will_do(tmp_path: Path) -> None:
    with holder(tmp_path / "state") as (first, _), holder(tmp_path / "state") as (_, second):
        assert second == tmp_path / "state-2"
        assert take_folder(tmp_path / "state", or_next=True) == tmp_path / "state-3"
        first.kill()
        first.wait()
        assert take_folder(tmp_path / "state", or_next=True) == tmp_path / "state"


def test_a_worker_that_is_about_to_end_is_waited_for(tmp_path: Path) -> None:
    with holder(tmp_path / "state") as (process, _):
        dying = threading.Timer(0.3, process.kill)
        dying.start()
        assert take_folder(tmp_path / "state", or_next=True) == tmp_path / "state"
        dying.join()


def test_a_file_system_without_locks_is_used_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def lockless(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", lockless)
    assert take_folder(tmp_path / "state", or_next=False) == tmp_path / "state"
    assert "has no locks" in caplog.text


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LadError, match="cannot be written") as refused:
        take_folder(tmp_path / "file" / "state", or_next=True)
    assert refused.value.code is ErrorCode.STORAGE
