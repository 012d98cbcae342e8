"""Where a user's workers keep what they can make again."""

import os
from pathlib import Path


def user_cache() -> Path | None:
    """`$LAD_HOME`, else `~/.cache/lad`; None where that is no absolute path, such as without a home."""
    folder = os.environ.get("LAD_HOME") or os.path.expanduser("~/.cache/lad")
    return Path(folder) if os.path.isabs(folder) else None
