"""The Python client as its users get it: a wheel, in a virtual environment with nothing else."""

import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from paygate_client import VERSION
from tests.e2e.stack import Stack
from tests.e2e.test_documents import blocks
from tests.wheels import SECONDS_MAX, build, installed
from tools.stack.settings import REPOSITORY

CLIENT = REPOSITORY / "clients" / "python"
README = (CLIENT / "README.md").read_text()


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
