"""Folders that a program may enter though its user may not go there by their path.

Root's clone is often under /root, and its Python too, where no other user may look anything up. So
the folders are opened for the program before it becomes that user, and it names them by what was
opened. What may be read in there is still asked of each file.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.stack.program import User
from tools.stack.settings import REPOSITORY

# launch.py opens them in this order.
FIRST_DESCRIPTOR = 200
ROOTS = (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix))


@dataclass(frozen=True, kw_only=True)
class Doors:
    """The folders of the repository, its virtual environment, and the Python that it is made of.

    Attributes:
        user: Who goes through; None for ourselves, who need none.
    """

    user: User | None

    @property
    def opened(self) -> tuple[Path, ...]:
        """What has to be opened for the program."""
        return ROOTS if self.user else ()

    def through(self, path: Path) -> Path:
        """Return by which path the program finds what is there."""
        if self.user is None:
            return path
        for number, root in enumerate(ROOTS, start=FIRST_DESCRIPTOR):
            if path.is_relative_to(root):
                # The virtual environment is in the repository: either leads there.
                return Path(f"/proc/self/fd/{number}", path.relative_to(root))
        return path

    def python(self) -> tuple[str, Mapping[str, str]]:
        """Return Python, and what has to be in its environment to find our packages."""
        roots = [REPOSITORY, REPOSITORY / "build" / "python"]
        if self.user is None:
            return sys.executable, {"PYTHONPATH": _joined(roots)}
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        base = self.through(Path(sys.base_prefix))
        packages = Path(sys.prefix, "lib", version, "site-packages")
        return str(base / "bin" / version), {
            "HOME": "/nonexistent",  # root's, which libraries would look into
            "LD_LIBRARY_PATH": str(base / "lib"),
            "PYTHONHOME": str(base),
            "PYTHONPATH": _joined([self.through(path) for path in (*roots, packages)]),
            "PYTHONSAFEPATH": "1",
        }


def _joined(paths: list[Path]) -> str:
    return ":".join(map(str, paths))
