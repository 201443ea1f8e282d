"""How far something has come that takes long, on standard error, where people see it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Show(Protocol):
    """What is told how far something is."""

    def __call__(self, done: int, total: int | None = None, /) -> object:
        """Show how many are done, and of how many if that is known."""


@contextmanager
def progress(what: str) -> Iterator[Show]:
    """Show how far something is, on a terminal alone; nothing of it is left when it has ended.

    Args:
        what: What is being done.
    """
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    # rich takes 60 ms, and few commands need it.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total=None, /: bar.update(task, completed=done, total=total)
