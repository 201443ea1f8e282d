"""The data folder: making it ours, holding it alone, emptying it."""

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pkg.process.called import RESET, RUN
from tools.stack import users
from tools.stack.errors import StackError
from tools.stack.program import User
from tools.stack.settings import Settings

MARKER = ".paygate-data"
LOCK = "lock"
SECRETS = ("paygate_key_pepper", "paygate_hash_key", "paygate_webhook_key", "paygate_admin_token")


@contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Hold the data folder alone while the block runs, making the folder first if need be.

    The kernel gives the lock back when the process ends, however it ends.

    Raises:
        StackError: It isn't ours, can't be written, or another run holds it.
    """
    folder = settings.data_dir
    try:
        _make_ours(folder)
        lock = (folder / LOCK).open("a+")
        _close(settings)
    except OSError as error:
        raise StackError(f"The data folder {folder} can't be used: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StackError(
                f"Another run uses the data folder {folder}: stop it,"
                " or choose another folder with PAYGATE_DATA_DIR and another PAYGATE_PORT."
            ) from error
        yield


def is_held(settings: Settings) -> bool:
    """Say whether a run holds the data folder now."""
    try:
        with (settings.data_dir / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def prepare(settings: Settings, services: User | None) -> None:
    """Make the folders and, once each, the secrets: an older folder may lack newer ones.

    Args:
        settings: Where they are.
        services: Whom the secrets are for; None for ourselves.
    """
    make(settings.logs)
    make(settings.secrets, services)
    make(settings.run, mode=_entered())
    for name in SECRETS:
        if not (settings.secrets / name).exists():
            write(settings.secrets / name, secrets.token_hex(32))
    users.give(settings.secrets, services)


def reset(settings: Settings) -> bool:
    """Remove everything in the data folder, and the folder; say whether there was anything.

    Raises:
        StackError: It isn't ours, or something still runs on it.
    """
    folder = settings.data_dir
    if not folder.exists():
        return False
    with held(settings):
        if _postgres_runs(folder):
            raise StackError("PostgreSQL is still stopping: try again in a few seconds.")
        for path in folder.iterdir():
            # The marker and the lock last: interrupted half way, the folder is still ours.
            if path.name in {MARKER, LOCK}:
                continue
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        (folder / MARKER).unlink()
        (folder / LOCK).unlink()
    folder.rmdir()
    return True


def make(path: Path, owner: User | None = None, *, mode: int = 0o700) -> None:
    """Make a folder, or close one that is there.

    Args:
        path: Of the folder.
        owner: Whose it is; None for ours.
        mode: Whatever the umask is.
    """
    path.mkdir(exist_ok=True)
    path.chmod(mode)
    if owner:
        os.chown(path, owner.uid, owner.gid)


def write(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all of it or nothing."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _make_ours(folder: Path) -> None:
    """Make the folder, or adopt an empty one; never one with somebody's files."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.umask(0o077)  # from here on, whatever this process or its children make
    marker = folder / MARKER
    if not marker.exists():
        if any(folder.iterdir()):
            raise StackError(
                f"The folder {folder} holds files that are not paygate's:"
                " choose an empty one with PAYGATE_DATA_DIR."
            )
        marker.write_text(f"Made by paygate's `{RUN}`; `{RESET}` empties this folder.\n")
    folder.chmod(_entered())


def _entered() -> int:
    """Return the mode of folders that lead to others' folders.

    As root, programs run as other users, which may pass through but not list.
    """
    return 0o711 if os.geteuid() == 0 else 0o700


def _close(settings: Settings) -> None:
    """Close what an older version has left open to other users; PostgreSQL sees to its own."""
    folder = settings.data_dir
    paths = [path for path in folder.iterdir() if not path.name.startswith("postgres")]
    for inside in (settings.logs, settings.secrets):
        paths += inside.glob("*")
    for path in paths:
        mode = path.lstat().st_mode
        if path != settings.run and not stat.S_ISLNK(mode) and mode & 0o077:
            path.chmod(stat.S_IMODE(mode) & ~0o077)


def _postgres_runs(folder: Path) -> bool:
    try:
        pid = int((folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, 0)
    except (OSError, ValueError):
        return False
    return True
