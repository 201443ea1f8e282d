"""Wheels, built and installed as their users get them, without asking a network."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

SECONDS_MAX = 60.0
# Asked for by a package of which one file is used and no code: the clone does without.
LEFT_OUT = {"flask-openapi"}


def build(target: str, project: Path, folder: Path) -> list[Path]:
    """Build a distribution of a project, and return what there is of that kind."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=SECONDS_MAX)
    return list(folder.glob("*.whl" if target == "wheel" else "*.tar.gz"))


def installed(wheel: Path, folder: Path) -> Path:
    """Make a virtual environment with a wheel and what it needs; return its Python.

    What it needs comes from the packages that run this test: those, and no others.
    """
    uv("venv", "--python", sys.executable, str(folder))
    python = folder / "bin" / "python"
    uv("pip", "install", "--offline", "--no-deps", "--python", str(python), str(wheel))
    (packages,) = folder.glob("lib/python*/site-packages")
    (about,) = packages.glob(f"{wheel.name.split('-')[0]}-*.dist-info")
    for name in needed(metadata.Distribution.at(about).requires or []):
        for there, file in files(metadata.distribution(name)):
            here = packages / file
            here.parent.mkdir(parents=True, exist_ok=True)
            if not here.exists():
                _same(there, here)
    return python


def uv(*arguments: str) -> None:
    """Run uv to its end, which must be well."""
    program = str(Path(sys.executable).with_name("uv"))
    subprocess.run(
        [program, "--quiet", *arguments], check=True, capture_output=True, timeout=SECONDS_MAX
    )


def needed(requirements: list[str]) -> set[str]:
    """Return the names of all that is required, and of what that requires."""
    found: set[str] = set()
    left = list(requirements)
    while left:
        one = Requirement(left.pop())
        is_asked = one.marker is None or one.marker.evaluate({"extra": ""})
        if is_asked and one.name not in found | LEFT_OUT:
            found.add(one.name)
            left += metadata.distribution(one.name).requires or []
    return found


def files(distribution: metadata.Distribution) -> Iterator[tuple[Path, Path]]:
    """Return the files of a distribution, and where each is, seen from site-packages."""
    for file in distribution.files or ():
        yield Path(str(file.locate())), Path(*file.parts)


def _same(there: Path, here: Path) -> None:
    """Make a second name of a file: a copy would be half a gigabyte. Elsewhere it is a copy."""
    try:
        os.link(there, here)
    except OSError:
        shutil.copy2(there, here)
