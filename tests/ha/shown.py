"""The clone, its packages and its Python, under paths by which any user finds them.

They may be in root's home, where nobody else may go. Patroni starts itself anew by its path, so a
descriptor as in tools/stack/doors.py, which a program closes, does not do.
"""

import subprocess
import sys
from pathlib import Path

from tests.ha.sealed import ROOT
from tools.stack.settings import REPOSITORY

# The virtual environment may be in the clone: then it is found there.
_SHOWN = {
    REPOSITORY: ROOT / "clone",
    Path(sys.prefix): ROOT / "venv",
    Path(sys.base_prefix): ROOT / "python",
}
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


def show() -> None:
    """Show them there, in our own name space."""
    for path, place in _SHOWN.items():
        place.mkdir()
        subprocess.run(["mount", "--bind", str(path), str(place)], check=True)


def through(path: Path) -> Path:
    """Return by which path any user finds what is there."""
    for root, place in _SHOWN.items():
        if path.is_relative_to(root):
            return place / path.relative_to(root)
    return path


def python() -> tuple[str, dict[str, str]]:
    """Return Python, and what has to be in its environment to find our packages."""
    base = through(Path(sys.base_prefix))
    packages = Path(sys.prefix, "lib", _VERSION, "site-packages")
    roots = [REPOSITORY, REPOSITORY / "build" / "python", packages]
    return str(base / "bin" / _VERSION), {
        "HOME": "/nonexistent",
        "LD_LIBRARY_PATH": str(base / "lib"),
        "PYTHONHOME": str(base),
        "PYTHONPATH": ":".join(str(through(root)) for root in roots),
        "PYTHONSAFEPATH": "1",
    }
