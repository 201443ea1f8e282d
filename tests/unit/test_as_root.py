"""What root prepares for programs that run as others."""

import os
from pathlib import Path

from tools.stack.as_root import compile_for_others


def readable(folder: Path) -> list[bool]:
    """Return whether others can read each thing that was compiled, and the folder of it."""
    (cache,) = folder.rglob("__pycache__")
    return [path.stat().st_mode & 0o004 != 0 for path in (cache, *cache.iterdir())]


def test_what_is_compiled_can_be_read_by_others(tmp_path: Path) -> None:
    """Else each of them compiles everything at each start: our own umask lets nobody read."""
    (tmp_path / "one.py").write_text("x = 1\n")
    before = os.umask(0o077)
    try:
        compile_for_others(tmp_path)
        assert readable(tmp_path) == [True, True]
        (cache,) = tmp_path.rglob("__pycache__")
        for path in (*cache.iterdir(), cache):  # as older versions left it
            path.chmod(0o700 if path.is_dir() else 0o600)
        compile_for_others(tmp_path)
        assert readable(tmp_path) == [True, True]
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)
