"""Imports a reference's own code from a checkout, unmodified."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def import_from(folder: str | Path, name: str) -> Any:
    """The module `name` whose package lies in `folder`."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return importlib.import_module(name)


def skip_packages(folder: str | Path, names: tuple[str, ...]) -> None:
    """Registers packages of `folder` without running their `__init__`, which would import far more than is measured."""
    for name in names:
        package = ModuleType(name)
        package.__path__ = [str(Path(folder, *name.split(".")))]
        sys.modules[name] = package
