"""Writes adapters' files to model repositories of a Hugging Face hub."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lad_runtime.engine.calls.adapters import Adapters
from lad_runtime.engine.data.storage import Transfers
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.adapters import Pushed, PushSpec
from lad_runtime.version import BUILD_VERSION


class HubPushes:
    def __init__(self, adapters: Adapters, transfers: Transfers) -> None:
        self._adapters = adapters
        self._transfers = transfers

    def push(self, adapter_id: str, spec: PushSpec) -> Pushed:
        """Writes the adapter's present weights, its card and its claims as one commit; blocks until the hub has them.

        The hub is that of HF_ENDPOINT, as for downloads. Raises LadError: NOT_FOUND, ACCESS_DENIED, UNAVAILABLE, STORAGE.
        """
        with self._transfers.folder() as folder:
            self._adapters.export(adapter_id, folder, with_card=True).result()
            return push_folder(folder, spec)


def push_folder(folder: Path, spec: PushSpec) -> Pushed:
    """Makes the repository, if it is not there, and writes a folder's files into it. Files of other names stay."""
    # Imported here alone: it takes half a second, which other calls do not need.
    from huggingface_hub import HfApi

    hub = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=spec.hub_token or None)
    with _translated(spec.repo):
        made = hub.create_repo(spec.repo, private=spec.private, exist_ok=True)
        written = hub.upload_folder(
            repo_id=made.repo_id,
            folder_path=folder,
            commit_message=spec.message or f"An adapter of lad {BUILD_VERSION}",
        )
    return Pushed(url=str(made), commit=str(written.oid))


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
        raise _unavailable(repo, f"it answers with status {status}") from None
    except errors.LocalTokenNotFoundError:
        raise _denied(repo) from None
    except Exception as error:  # of the HTTP library, which differs between versions of huggingface_hub
        raise _unavailable(repo, f"it cannot be reached ({type(error).__name__})") from None


def _denied(repo: str) -> LadError:
    return LadError(
        ErrorCode.ACCESS_DENIED,
        f"The hub does not let this token write to {repo}.",
        option="hubToken",
        remedy="Give hubToken, or set HF_TOKEN, with write access to that owner's models.",
    )


def _unavailable(repo: str, problem: str) -> LadError:
    return LadError(
        ErrorCode.UNAVAILABLE,
        f"The hub is needed for {repo}, and {problem}.",
        option="repo",
        value=repo,
        remedy="Check the network and HF_ENDPOINT, and push again: what was written before is overwritten.",
    )
