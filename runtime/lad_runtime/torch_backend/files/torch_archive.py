"""The tensors of a file of `torch.save`, a state dict or a whole module, read without unpickling anything."""

import io
import math
import os
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lad_runtime.torch_backend.files.inert_pickle import Made, Named, Persistent, damaged, read_pickle

SUFFIXES = (".pth", ".pt")

_MOST_PICKLE_BYTES = 8 << 20  # even a whole module of a large Llama takes less than 2 MiB
_MOST_ENTRIES = 100_000
_MOST_DIRECTORY_BYTES = 8 << 20  # of the zip file; torch writes about 80 for an entry
_MOST_MODULES = 100_000
_MOST_VISITS = 1_000_000  # of modules, parameters and buffers, each under all its paths
_MOST_TEMPORARY = 100  # buffers of one module that are not saved
_DEEPEST = 32
_LONGEST_NAME = 400
_LOCAL_HEADER = 30

_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_KINDS = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}

# What whole modules of Llamas with PEFT are made of. None of it is imported; a pickle that names anything else is no model.
_PACKAGES = {
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "collections",
    "numpy",
    "models",
    "model_config",
    "__main__",
}
_BUILTINS = {
    "set",
    "frozenset",
    "dict",
    "list",
    "tuple",
    "object",
    "getattr",
    "int",
    "float",
    "bool",
    "str",
    "slice",
}
_OTHERS = {"functools.partial", "copy_reg._reconstructor", "copyreg._reconstructor", "_codecs.encode"}


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """A tensor's place: numbers of an entry of the archive."""

    entry: str
    dtype: torch.dtype
    offset: int  # in numbers, like the strides
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def numbers(self) -> int:
        """From the first to the last one."""
        if 0 in self.shape:
            return 0
        return 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))


class TorchArchive:
    """Named tensors, as of safetensors' `safe_open`: `keys`, `get_slice` for shape and kind, `get_tensor`. A context manager.

    Names are those of the state dict, or those that the module's own would have. `modules` has the attributes of each module by
    its path, such as a LoRA layer's `scaling`; the root's path is empty. Raises LadError(INVALID_FILE) for a file that is damaged,
    is no model, or names what no model is made of. Modules that are one object in the file share their attributes here as well.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}  # of each entry: its first byte, its bytes
        content = self._read_directory()
        self._file = path.open("rb")
        self.modules: dict[str, Mapping[str, object]] = {}
        self._visits = 0
        try:
            self._tensors: dict[str, _Stored] = {}
            for name, stored in self._named(read_pickle(content, _is_of_a_model)):
                if name in self._tensors:
                    raise damaged(f"it has two tensors {name[:120]!r}")
                self._tensors[name] = stored
                if len(self._tensors) > _MOST_ENTRIES:
                    raise damaged(f"it has more than {_MOST_ENTRIES} tensors")
            if not self._tensors:
                raise damaged("it holds no tensors")
        except BaseException:
            self._file.close()
            raise

    def keys(self) -> list[str]:
        return list(self._tensors)

    def get_slice(self, name: str) -> "StoredShape":
        stored = self._tensors[name]
        kind = _KINDS.get(stored.dtype, str(stored.dtype).removeprefix("torch."))
        return StoredShape(shape=stored.shape, kind=kind)

    def get_tensor(self, name: str) -> Tensor:
        """A copy of the file's numbers, in its dtype."""
        stored = self._tensors[name]
        numbers = torch.empty(stored.numbers, dtype=stored.dtype)
        if stored.numbers:
            self._file.seek(self._places[stored.entry][0] + stored.offset * stored.dtype.itemsize)
            into: Any = numbers.view(torch.uint8).numpy()
            if self._file.readinto(into) != numbers.nbytes:
                raise damaged(f"it ends within {name}")
        return numbers.as_strided(stored.shape, stored.strides)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "TorchArchive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_directory(self) -> bytes:
        """Finds the entries, none of which is unpacked; returns that of the pickle."""
        try:
            with _BoundedFile(self._path) as file, closing(zipfile.ZipFile(file)) as archive:
                entries = archive.infolist()
                if len(entries) > _MOST_ENTRIES:
                    raise damaged(f"it has {len(entries)} entries")
                names = [entry.filename for entry in entries]
                pickles = [name for name in names if name.count("/") == 1 and name.endswith("/data.pkl")]
                if len(pickles) != 1 or len(set(names)) < len(names):
                    raise damaged("it is a zip file of something else")
                (folder,) = (name.removesuffix("data.pkl") for name in pickles)
                for entry in entries:
                    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
                        raise damaged(f"its entry {entry.filename[:120]} is compressed or encrypted")
                    self._places[entry.filename.removeprefix(folder)] = _place(file, entry)
                if self._content(file, "byteorder", b"little").strip() != b"little":
                    raise damaged("its numbers are big-endian")
                return self._content(file, "data.pkl")
        except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
            problem = "it is no zip file, as torch.save writes since version 1.6; an older file is not read"
            raise damaged(f"{problem} ({str(error)[:80]})") from error

    def _content(self, file: Any, name: str, default: bytes = b"") -> bytes:
        start, length = self._places.get(name, (0, 0))
        if length > _MOST_PICKLE_BYTES:
            raise damaged(f"its {name} is longer than {_MOST_PICKLE_BYTES >> 20} MiB")
        file.seek(start)
        return bytes(file.read(length)) if name in self._places else default

    def _named(self, root: object) -> Iterator[tuple[str, _Stored]]:
        if isinstance(root, dict):
            for name, value in root.items():
                yield _text(name), self._stored(_text(name), value)
        elif isinstance(root, Made) and isinstance(root.state, dict):
            yield from self._of_module("", root, 0)
        else:
            raise damaged("it is neither a state dict nor a module")

    def _of_module(self, path: str, module: Made, depth: int) -> Iterator[tuple[str, _Stored]]:
        state = module.state
        if not isinstance(state, dict) or depth > _DEEPEST or len(self.modules) >= _MOST_MODULES:
            raise damaged(f"its module {path[:120]!r} is no module of a model")
        self.modules[path] = state  # itself: modules can share one
        temporary = _members(state.get("_non_persistent_buffers_set"))
        for kind in ("_parameters", "_buffers"):
            for name, place, value in self._items(path, state.get(kind)):
                if value is not None and name not in temporary:
                    yield place, self._stored(place, value)
        for _, place, inner in self._items(path, state.get("_modules")):
            if inner is not None:
                if not isinstance(inner, Made):
                    raise damaged(f"its {place[:120]} is no module")
                yield from self._of_module(place, inner, depth + 1)

    def _items(self, path: str, value: object) -> Iterator[tuple[str, str, object]]:
        """Names, paths and values of what a module at `path` has. Modules can be one object: without a count 30 make 2^30 paths."""
        items = value.items if isinstance(value, Made) else value
        for given, item in (items if isinstance(items, dict) else {}).items():
            self._visits += 1
            if self._visits > _MOST_VISITS:
                raise damaged(f"it has more than {_MOST_VISITS} modules, parameters and buffers")
            name = _text(given)
            if not name or "." in name:  # so that two ways never make one path
                raise damaged(f"its module {path[:120]!r} has a part of the name {name[:120]!r}")
            yield name, _text(f"{path}.{name}" if path else name), item

    def _stored(self, name: str, value: object, depth: int = 0) -> _Stored:
        """The place of a tensor or a parameter, all of whose numbers are in the file."""
        if (
            isinstance(value, Made)
            and isinstance(value.what, Named)
            and isinstance(value.arguments, tuple)
            and depth < 4
        ):
            arguments = value.arguments
            if value.what.path in (
                "torch._utils._rebuild_parameter",
                "torch._utils._rebuild_parameter_with_state",
            ):
                return self._stored(name, arguments[0] if arguments else None, depth + 1)
            if value.what.path == "torch._tensor._rebuild_from_type_v2" and len(arguments) > 2:
                return self._stored(name, Made(arguments[0], arguments[2]), depth + 1)
            if value.what.path == "torch._utils._rebuild_tensor_v2" and len(arguments) >= 4:
                return self._checked(name, *arguments[:4])
        raise damaged(f"its {name[:120]!r} is no tensor")

    def _checked(self, name: str, storage: object, offset: Any, shape: Any, strides: Any) -> _Stored:
        shaped = isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides) <= 8
        numbers = (offset, *shape, *strides) if shaped else (-1,)
        if not all(type(number) is int and 0 <= number < 2**48 for number in numbers):
            raise damaged(f"{name[:120]!r} has a shape of something else than sizes")
        entry, dtype, held = self._storage(name, storage)
        stored = _Stored(entry=entry, dtype=dtype, offset=offset, shape=shape, strides=strides)
        if offset + stored.numbers > held or math.prod(shape) > max(held, 1):
            raise damaged(f"{name[:120]!r} is larger than its storage")
        return stored

    def _storage(self, name: str, storage: object) -> tuple[str, torch.dtype, int]:
        """Entry, dtype and numbers of a storage, which the file must have all of."""
        match storage:
            case Persistent(id=("storage", Named(module="torch", name=kind), str(key), str(), int(numbers))):
                dtype, entry = _DTYPES.get(kind), f"data/{key[:_LONGEST_NAME]}"
                if dtype is None:
                    raise damaged(f"{name[:120]!r} is of the kind {kind[:40]}")
                if entry not in self._places or numbers * dtype.itemsize > self._places[entry][1]:
                    raise damaged(f"the numbers of {name[:120]!r} are missing")
                return entry, dtype, numbers
        raise damaged(f"{name[:120]!r} has no storage in the file")


@dataclass(frozen=True, kw_only=True)
class StoredShape:
    """What `safe_open` tells of a tensor before it is read."""

    shape: tuple[int, ...]
    kind: str

    def get_shape(self) -> list[int]:
        return list(self.shape)

    def get_dtype(self) -> str:
        return self.kind


class _BoundedFile(io.FileIO):
    """Reads no more at once than a directory may have: `zipfile` reads one whole, as long as the file says that it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        to_end = os.fstat(self.fileno()).st_size - self.tell()
        asked = to_end if size is None or size < 0 else min(size, to_end)
        if asked > _MOST_DIRECTORY_BYTES:
            raise damaged(f"its directory is longer than {_MOST_DIRECTORY_BYTES >> 20} MiB")
        return super().read(max(asked, 0)) or b""


def _is_of_a_model(named: Named) -> bool:
    if named.module in ("builtins", "__builtin__"):
        return named.name in _BUILTINS
    return named.module.split(".")[0] in _PACKAGES or named.path in _OTHERS


def _place(file: Any, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """The first byte of an entry's content, behind its local header, and its length."""
    size = os.fstat(file.fileno()).st_size
    header = b""
    if 0 <= entry.header_offset <= size - _LOCAL_HEADER:
        file.seek(entry.header_offset)
        header = file.read(_LOCAL_HEADER)
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    start = entry.header_offset + _LOCAL_HEADER + names
    if header[:4] != b"PK\x03\x04" or start + entry.file_size > size:
        raise damaged(f"its entry {entry.filename[:120]} is not where its directory says")
    return start, entry.file_size


def _members(value: object) -> Collection[object]:
    """Of a set, which a pickle of torch makes by calling its class with a list."""
    if isinstance(value, Made) and isinstance(value.arguments, tuple):
        value = next(iter(value.arguments), ())
    members = value if isinstance(value, list | set) else ()
    if len(members) > _MOST_TEMPORARY:
        raise damaged(f"it has a module with {len(members)} buffers that are not saved")
    return members


def _text(name: object) -> str:
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        raise damaged("a name of a tensor is no text, or too long")
    return name
