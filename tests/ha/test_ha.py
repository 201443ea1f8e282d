"""The short form: one leader killed, one cut off, under load; `make ha` is the long one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ha import sealed
from tools.stack.settings import REPOSITORY

SECONDS_MAX = 200.0
IMPORTS = f"{REPOSITORY / 'build' / 'python'}:{REPOSITORY / 'clients' / 'python'}"


@pytest.mark.chaos
@pytest.mark.root
@pytest.mark.alone
def test_another_machine_takes_over(tmp_path: Path) -> None:
    """No write is lost or doubled, all is settled, and both gaps are as short as is promised."""
    reason = sealed.why_not()
    if reason:
        pytest.skip(f"three machines can't be tried here: {reason}")
    report, logs = tmp_path / "ha.json", tmp_path / "logs"
    ended = subprocess.run(
        [sys.executable, "-m", "tests.ha", "--short", "--json", report, "--logs", logs],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": IMPORTS},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    told = json.loads(report.read_text())
    assert [row["fault"] for row in told["rows"]] == [
        "leader's PostgreSQL killed",
        "leader's machine cut off",
    ]
    assert (told["lost"], told["double"], told["missed"]) == (0, 0, [])
