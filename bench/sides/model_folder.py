"""The files of a base as a Hugging Face folder, for sides that load them by themselves."""

from pathlib import Path

from bench.sides.specs import base_spec
from lad_runtime.torch_backend.loading.base_files import files_of
from lad_runtime.torch_backend.loading.stub import write_stub


def model_folder(name: str, scratch: Path) -> Path:
    """Where a base's files lie; the stub's are written into `scratch`, the others' are kept in a cache or shipped."""
    if name == "stub":
        folder = scratch / "stub"
        folder.mkdir(exist_ok=True)
        write_stub(folder, base_spec(name).seed)
        return folder
    with files_of(base_spec(name), lambda progress: None) as found:
        return found.folder
