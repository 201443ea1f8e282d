"""What people type here: in a clone it is `make run`, where paygate was installed `paygate run`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# deploy/sandbox/pyproject.toml puts this file into the tree of the package.
INSTALLED = (ROOT / "installed").is_file()

COMMAND = "paygate" if INSTALLED else "./paygate"
RUN, READY, RESET = (
    f"{'paygate' if INSTALLED else 'make'} {verb}" for verb in ("run", "ready", "reset")
)


def as_here(page: bytes, *, installed: bool = INSTALLED) -> bytes:
    """Return a file that was written for a clone with the commands of this place."""
    if not installed:
        return page
    for verb in (b"run", b"ready", b"reset"):
        page = page.replace(b"make " + verb, b"paygate " + verb)
    return page.replace(b"./paygate", b"paygate")
