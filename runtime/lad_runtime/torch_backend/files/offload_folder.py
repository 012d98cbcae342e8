"""Where optimizers wait on the disk, and what becomes of those of a process that was killed."""

import shutil
from pathlib import Path


def emptied_folder(folder: Path) -> Path:
    """A folder without what an earlier process left in it; whoever writes there makes it.

    The state folder around it is this process's alone, so nobody else keeps anything there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    return folder
