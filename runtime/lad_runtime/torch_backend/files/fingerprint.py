"""A fingerprint of a model folder's content, fast to compute even for many gigabytes of weights."""

import hashlib
from pathlib import Path

from lad_runtime.torch_backend.files.model_files import SMALL_FILES, file_in, weight_files

_BLOCK = 64 << 10
_BLOCKS = 64  # samples of each weights file; any further training changes all of them


def fingerprint(folder: Path, weights: Path | None = None) -> str:
    """A digest, in 40 hexadecimal digits, of the configuration, the tokenizer, and samples spread over each weights file.

    `weights` are in place of the folder's own. It distinguishes models; it does not prove that a file is intact.
    """
    digest = hashlib.sha256()
    small = [file_in(folder, name) for name in SMALL_FILES]
    for path in [
        *(path for path in small if path.is_file()),
        *((weights,) if weights else weight_files(folder)),
    ]:
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            for start in range(0, size, max(_BLOCK, size // _BLOCKS)):
                file.seek(start)
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()[:40]
