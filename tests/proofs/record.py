"""Results of proofs: a file each in `proofs/`, of which render.py makes the table of the page."""

import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tools.stack.settings import REPOSITORY

FOLDER = REPOSITORY / "proofs"


def write(name: str, figures: Mapping[str, Any], *, began: datetime, ok: bool) -> Path:
    """Write what a proof has found.

    Args:
        name: Of the proof, as in `make proof-NAME`.
        figures: What it counted and measured; plain values.
        began: When it began.
        ok: Whether all that is claimed was so.
    """
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(
        json.dumps(
            {
                "proof": name,
                "ok": ok,
                "date": began.date().isoformat(),
                "minutes": round((datetime.now(UTC) - began).total_seconds() / 60, 1),
                "commit": _commit(),
                "machine": _machine(),
                "figures": dict(figures),
            },
            indent=1,
        )
    )
    return path


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty", "--abbrev=8", "--exclude=*"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _machine() -> str:
    memory = psutil.virtual_memory().total / (1 << 30)
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"
