"""The process that writes a folder's files to a hub (hub_pushes.py starts and ends it).

Reads one line of JSON; writes a line `.` for each piece of an upload that the hub takes and for each whole answer, then one line of
JSON. It ends when its standard input does, so it cannot outlive the worker.
"""

import io
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from lad_runtime.errors import ErrorCode, LadError

_MOST_ANSWER_BYTES = 8 << 20
_LONGEST_URL = 2048


def main() -> None:
    # Weights go by Git LFS, which every hub takes, and not by Xet: its library sends by itself, and does not tell what the hub has
    # taken; and a hub on one's own network seldom has Xet's store.
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    try:
        told: dict[str, Any] = _pushed(**asked)
    except LadError as error:
        names = ("message", "option", "value", "remedy")
        told = {"error": {"code": error.code.value, **{name: getattr(error, name) for name in names}}}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    os._exit(0)  # threads of the hub's library may still wait for something


def _end_with_the_worker() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _tell() -> None:
    sys.stdout.write(".\n")
    sys.stdout.flush()


def _pushed(
    *, folder: str, endpoint: str | None, repo: str, private: bool, message: str, token: str | None
) -> dict[str, Any]:
    from huggingface_hub import CommitOperationAdd, HfApi

    _watch_answers()
    hub = HfApi(endpoint=endpoint, token=token)
    _tell()
    with _translated(repo):
        made = hub.create_repo(repo, private=private, exist_ok=True)
        written = hub.create_commit(
            repo_id=made.repo_id,
            operations=[
                CommitOperationAdd(path_in_repo=path.name, path_or_fileobj=_Watched(path.open("rb", 0)))
                for path in sorted(Path(folder).iterdir())
            ],
            commit_message=message,
        )
        url, commit = str(made), str(written.oid)
        if len(url) > _LONGEST_URL or len(commit) > _LONGEST_URL:
            raise ValueError("an address as long as a book")
    return {"url": url, "commit": commit}


class _Watched(io.BufferedReader):
    """A file that tells of each piece that is read of it to be sent."""

    def read(self, size: int | None = -1, /) -> bytes:
        _tell()
        return super().read(size)


def _watch_answers() -> None:
    """Has each answer of a hub told of once it is whole, and bounded."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    def made() -> Any:
        client: Any = default_client_factory()
        library = type(client).__module__.split(".")[0]  # httpx or httpx2
        stream_of: Any = import_module(library).SyncByteStream

        class Bounded(stream_of):
            def __init__(self, stream: Any) -> None:
                self.stream = stream

            def __iter__(self) -> Iterator[bytes]:
                received = 0
                for piece in self.stream:
                    received += len(piece)
                    if received > _MOST_ANSWER_BYTES:
                        raise _TooLong
                    yield piece
                _tell()

            def close(self) -> None:
                self.stream.close()

        def bound(response: Any) -> None:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise _TooLong  # a few packed bytes can be any number
            response.stream = Bounded(response.stream)

        client.headers["Accept-Encoding"] = "identity"
        client.event_hooks = {**client.event_hooks, "response": [bound]}
        return client

    set_client_factory(made)


class _TooLong(Exception):
    pass


@contextmanager
def _translated(repo: str) -> Iterator[None]:
    """No error's text or cause holds the token: those of the hub's library may have a request's headers."""
    from huggingface_hub import errors

    try:
        yield
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise _denied(repo) from None
        if status == 404:
            raise LadError(
                ErrorCode.NOT_FOUND,
                f"The hub has no place for {repo}, or does not show it to this token.",
                option="repo",
                value=repo,
                remedy="Check the spelling of owner and name.",
            ) from None
        raise unavailable(repo, f"it answers with status {status}") from None
    except errors.LocalTokenNotFoundError:
        raise _denied(repo) from None
    except _TooLong:
        raise unavailable(
            repo, f"an answer of it is packed, or longer than {_MOST_ANSWER_BYTES >> 20} MiB"
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise unavailable(repo, f"what it answers is not understood ({type(error).__name__})") from None
    except Exception as error:  # of the HTTP library, which differs between versions of huggingface_hub
        raise unavailable(repo, f"it cannot be reached ({type(error).__name__})") from None


def _denied(repo: str) -> LadError:
    return LadError(
        ErrorCode.ACCESS_DENIED,
        f"The hub does not let this token write to {repo}.",
        option="hubToken",
        remedy="Give hubToken, or set HF_TOKEN, with write access to that owner's models.",
    )


def unavailable(repo: str, problem: str) -> LadError:
    return LadError(
        ErrorCode.UNAVAILABLE,
        f"The hub is needed for {repo}, and {problem}.",
        option="repo",
        value=repo,
        remedy="Check the network and HF_ENDPOINT, and push again: what was written before is overwritten.",
    )


if __name__ == "__main__":
    main()
