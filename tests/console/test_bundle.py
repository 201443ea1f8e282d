"""The console's bundle: small, and made of sources whose own tests pass. No browser is needed."""

import gzip
import subprocess

from tests.committed import committed
from tests.typescript import NODE, needs_node_modules
from tools.stack.settings import REPOSITORY

CONSOLE = REPOSITORY / "console"
BUNDLE = REPOSITORY / "build" / "console"
BYTES_MAX = 60_000
FILE_LINES_MAX = 300
TESTS_SECONDS_MAX = 60.0


def test_it_loads_at_once() -> None:
    """Script and style together, as they go over the network."""
    sizes = {
        name: len(gzip.compress((BUNDLE / name).read_bytes(), 6))
        for name in ("console.js", "console.css")
    }
    assert sum(sizes.values()) <= BYTES_MAX, sizes


@needs_node_modules
def test_its_own_tests_pass() -> None:
    """They run under Node's own test runner."""
    ended = subprocess.run(
        [str(NODE), "--test", "test/**/*.test.ts"],
        cwd=CONSOLE,
        capture_output=True,
        text=True,
        check=False,
        timeout=TESTS_SECONDS_MAX,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "ℹ tests 0" not in ended.stdout


def test_no_file_is_too_long() -> None:
    """What is written by hand is short, as in Python."""
    kinds = (".ts", ".tsx", ".css", ".mjs", ".html")
    names = [name for name in committed() if name.startswith("console/") and name.endswith(kinds)]
    assert "console/src/main.tsx" in names
    lengths = {name: len((REPOSITORY / name).read_text().splitlines()) for name in names}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_it_says_whose_work_is_in_it() -> None:
    """Licences ask that their words go with each copy."""
    script = (BUNDLE / "console.js").read_text()
    for package in ("preact", "@preact/signals", "openapi-fetch"):
        assert f"\n{package} " in script
    assert "Permission is hereby granted" in script
