"""The folder of optimizer states on the disk."""

import shutil
from pathlib import Path


def emptied_folder(folder: Path) -> Path:
    """Removes a folder that an earlier process left; whoever writes there makes it again.

    Its parent, the state folder, is locked by this process, so no other process uses it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    return folder
