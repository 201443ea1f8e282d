"""Writes the blocking edge of the Python client, from the one for asyncio: they never differ."""

import re
import subprocess
from pathlib import Path

PACKAGE = Path("clients/python/paygate_client")

_REPLACED = (
    (r"\basync (?=def|for|with)", ""),
    (r"\bawait ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b__a(?=(enter|exit|iter)__)", "__"),
    (r"\ba(?=(close|closing|iter_raw)\b)", ""),
    (r"\basyncio\b", "time"),
    (r"\b_async\b", "_sync"),
)
_FIRST_LINE = "# Generated from `_async` by `make proto-generate`: change it there."


def synchronous(source: str) -> str:
    """Return what a module for asyncio is without it."""
    for pattern, replacement in _REPLACED:
        source = re.sub(pattern, replacement, source)
    return f"{_FIRST_LINE}\n{source}"


def main() -> None:
    """Write each module, as ruff formats it."""
    written = []
    for module in sorted((PACKAGE / "_async").glob("*.py")):
        target = PACKAGE / "_sync" / module.name
        target.write_text(synchronous(module.read_text()))
        written.append(str(target))
    mend = ("check", "--select", "I,UP028", "--fix", "--unsafe-fixes")
    for command in (mend, ("format", "--line-length", "100")):
        subprocess.run(["ruff", *command, "--isolated", "--quiet", *written], check=True)


if __name__ == "__main__":
    main()
