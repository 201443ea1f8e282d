"""The Python client as its users get it: a wheel, in a virtual environment with nothing else."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from paygate_client import VERSION
from tests.e2e.stack import Stack
from tests.e2e.test_documents import blocks
from tools.stack.settings import REPOSITORY

CLIENT = REPOSITORY / "clients" / "python"
README = (CLIENT / "README.md").read_text()
SECONDS_MAX = 60.0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network of the source distribution, as a release does it."""
    folder = tmp_path_factory.mktemp("wheel")
    (source,) = build("sdist", CLIENT, folder)
    with tarfile.open(source) as packed:
        packed.extractall(folder, filter="data")
    (built,) = build("wheel", folder / source.name.removesuffix(".tar.gz"), folder)
    return built


def test_the_wheel_holds_the_client_and_nothing_else(wheel: Path) -> None:
    """It is typed, has its licence, and no file of the gateway."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "paygate_client/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert wheel.name == f"paygate_client-{VERSION}-py3-none-any.whl"
    licence = (REPOSITORY / "LICENSE").read_bytes()
    for language in ("python", "typescript"):
        assert (REPOSITORY / "clients" / language / "LICENSE").read_bytes() == licence
    assert {name.split("/")[0].split("-")[0] for name in names} == {"paygate_client"}


def test_the_readmes_examples_print_what_is_shown(
    wheel: Path, stack: Stack, tmp_path: Path
) -> None:
    """Where only the wheel and what it asks for is installed: a payment, and a watch."""
    shown = [block.text for block in blocks(README) if block.language != "sh"]
    python = installed(wheel, tmp_path / "venv")
    assert len(shown) == 4
    for program, text in zip(shown[::2], shown[1::2], strict=True):
        ended = subprocess.run(
            [str(python), "-I", "-W", "error", "-c", program],
            env={**os.environ, **stack.demo_env()},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_MAX,
        )
        assert (ended.returncode, ended.stderr, ended.stdout) == (0, "", text)


def build(target: str, project: Path, folder: Path) -> list[Path]:
    """Build a distribution of a project, and return what there is of that kind."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=SECONDS_MAX)
    return list(folder.glob("*.whl" if target == "wheel" else "*.tar.gz"))


def installed(wheel: Path, folder: Path) -> Path:
    """Make a virtual environment with a wheel and what it needs; return its Python.

    What it needs comes from the packages that run this test: no network is asked.
    """
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(packages)  # noqa: S202 - made a moment ago
    (about,) = packages.glob("*.dist-info/METADATA")
    names = needed(metadata.Distribution.at(about.parent).requires or [])
    for top in {top for name in names for top in tops(metadata.distribution(name))}:
        (packages / top.name).symlink_to(top)
    return folder / "bin" / "python"


def needed(requirements: list[str]) -> set[str]:
    """Return the names of all that is required, and of what that requires."""
    found = set()
    for one in map(Requirement, requirements):
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            found |= {one.name, *needed(metadata.distribution(one.name).requires or [])}
    return found


def tops(distribution: metadata.Distribution) -> Iterator[Path]:
    """Return the files and folders of a distribution that lie in site-packages itself."""
    names = {file.parts[0] for file in distribution.files or ()}
    for name in names - {"..", "__pycache__"}:
        yield Path(str(distribution.locate_file(name)))
