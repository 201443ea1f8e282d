"""What is in the repository."""

import subprocess

from tools.stack.settings import REPOSITORY

_DOCS = REPOSITORY / "docs"
# `make docs` writes them.
_CLIENTS = ("client-python", "client-python-testing", "client-typescript")
_MADE = {_DOCS / f"{name}.md" for name in ("reference", *_CLIENTS)}
PAGES = sorted({*_DOCS.rglob("*.md")} - _MADE)


def committed() -> list[str]:
    """Return every file that is, or is about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, text=True)
    return [name for name in listed.stdout.split("\0") if (REPOSITORY / name).is_file()]
