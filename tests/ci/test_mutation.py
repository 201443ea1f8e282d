"""`make mutate` works, which nobody notices else: its tests run on a copy of a part of the tree."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.stack.settings import REPOSITORY

SECONDS_MAX = 300
NEEDED = ("Makefile", "build", "console/src", "pkg", "pyproject.toml", "services", "tests", "tools")


@pytest.mark.timeout(SECONDS_MAX)
def test_mistakes_in_money_are_noticed(tmp_path: Path) -> None:
    """The short form: one file is mutated; all tests that judge mutants pass on the copy."""
    for name in NEEDED:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to((REPOSITORY / ".venv").resolve())
    settings = tmp_path / "pyproject.toml"
    whole = settings.read_text("utf-8")
    small = re.sub(
        r"(?<=^only_mutate = )\[.*?^\]",
        '["services/payments/domain/money.py"]',
        whole,
        flags=re.MULTILINE | re.DOTALL,
    )
    assert small != whole
    settings.write_text(small, "utf-8")

    done = subprocess.run(
        ["make", "-o", "venv-dev", "mutate", "MUTANTS_NOTICED_MIN=95"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )

    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
    assert "% are noticed" in done.stdout
