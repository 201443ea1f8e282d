"""The TypeScript client: its own tests, and that it stays small. `make check` checks its types."""

import subprocess

import pytest

from tests.typescript import CLIENT, NODE, needs_node_modules
from tools.stack.settings import REPOSITORY

SECONDS_MAX = 60.0


@needs_node_modules
def test_its_own_tests_pass() -> None:
    """They run under Node's own test runner, against a gateway that answers from a script."""
    ended = subprocess.run(
        [str(NODE), "--test"],
        cwd=CLIENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(("module", "lines_max"), [("index.ts", 61), ("watch.ts", 80)])
def test_it_stays_small(module: str, lines_max: int) -> None:
    """A page is written by hand: the types are generated, openapi-fetch does the rest."""
    assert len((CLIENT / "src" / module).read_text().splitlines()) <= lines_max


@pytest.mark.parametrize("folder", ["clients/typescript", "clients/collection", "console"])
def test_a_lock_file_names_no_registry(folder: str) -> None:
    """Packages come from wherever npm is told to fetch them, and their digests are checked."""
    lock = (REPOSITORY / folder / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
