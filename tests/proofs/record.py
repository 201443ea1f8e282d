"""Results of proofs: a file each in `proofs/`, of which render.py makes the table of the page."""

import json
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.proofs import scale
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


@contextmanager
def outcome(name: str, began: datetime) -> Iterator[dict[str, Any]]:
    """Give what to put figures into; when the block ends, they are written, if all is done.

    Where the block fails they are written as those of a proof that has failed.
    """
    figures: dict[str, Any] = {}
    try:
        yield figures
    except BaseException as problem:
        figures["failure"] = f"{type(problem).__name__}: {problem}"[:2_000]
        raise
    finally:
        if scale.IS_FULL:
            write(name, figures, began=began, ok="failure" not in figures)


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty", "--abbrev=8", "--exclude=*"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _machine() -> str:
    memory = psutil.virtual_memory().total / (1 << 30)
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"
