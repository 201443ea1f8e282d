"""Folders for sockets that are files, which only one user may enter."""

import os
import shutil
import tempfile
from pathlib import Path

from tools.stack import folder
from tools.stack.program import User

# Linux has 107 bytes for a socket's path, macOS 103; whoever makes the socket adds its name.
PATH_BYTES_MAX = 103 - len("/.s.PGSQL.5432.lock")


def make(path: Path, owner: User | None, *, mode: int = 0o700) -> Path:
    """Make the folder and return it, or a shorter one that it becomes a link to.

    Args:
        path: Of the folder. What an earlier run has left there is removed.
        owner: Whose it is; None for ours.
        mode: Of the folder.
    """
    remove(path)
    if len(os.fsencode(path)) <= PATH_BYTES_MAX:
        folder.make(path, owner, mode=mode)
        return path
    short = Path(tempfile.mkdtemp(prefix="paygate-", dir="/tmp"))
    path.symlink_to(short)
    folder.make(short, owner, mode=mode)
    return short


def remove(path: Path) -> None:
    """Remove the folder, which may be outside of the data folder, and all that is in it."""
    if path.is_symlink():
        shutil.rmtree(path.readlink(), ignore_errors=True)
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)
