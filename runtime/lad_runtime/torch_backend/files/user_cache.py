"""The user's cache folder, shared by all of the user's workers."""

import os
from pathlib import Path


def user_cache() -> Path | None:
    """`$LAD_HOME`, else `~/.cache/lad`; None if that is not an absolute path, for instance without a home."""
    folder = os.environ.get("LAD_HOME") or os.path.expanduser("~/.cache/lad")
    return Path(folder) if os.path.isabs(folder) else None
