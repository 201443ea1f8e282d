"""Where the TypeScript client is, and what runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.stack.settings import REPOSITORY

CLIENT = REPOSITORY / "clients" / "typescript"
NODE = Path(sys.prefix) / "bin" / "node"
EXAMPLE_SECONDS_MAX = 90.0

EXAMPLE_PRINTS = "STATUS_PARTIALLY_REFUNDED 1000 700\n"

# `make test` installs them; in CI nothing is skipped.
CLIENT_IS_INSTALLED = (CLIENT / "node_modules").exists() or bool(os.environ.get("CI"))
needs_node_modules = pytest.mark.skipif(
    not CLIENT_IS_INSTALLED,
    reason="npm's packages are not installed: make node-modules",
)


def run_example(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the README's example against a stack, to its end."""
    return subprocess.run(
        [str(NODE), str(CLIENT / "example.ts")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=EXAMPLE_SECONDS_MAX,
    )
