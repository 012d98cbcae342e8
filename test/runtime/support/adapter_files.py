"""An adapter's files as bytes by name, and back."""

from pathlib import Path
from tempfile import TemporaryDirectory

from lad_runtime.torch_backend.adapters.peft_format import load_adapter, write_adapter
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.lora import LoraAdapter


def adapter_files(adapter: LoraAdapter) -> dict[str, bytes]:
    with TemporaryDirectory(prefix="lad-") as folder:
        write_adapter(Path(folder), adapter)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def adapter_from(files: dict[str, bytes], config: LlamaConfig) -> LoraAdapter:
    with TemporaryDirectory(prefix="lad-") as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        return load_adapter(Path(folder), config)
