"""How much processor time processes have used."""

from collections.abc import Mapping

import psutil


class Meter:
    """Counts the CPU seconds of named processes, each with all its children.

    Args:
        pids: By the name that the report shows; several of one name are added up.
    """

    def __init__(self, pids: Mapping[str, list[int]]) -> None:
        self._processes = {name: [psutil.Process(pid) for pid in ids] for name, ids in pids.items()}

    def read(self) -> dict[str, float]:
        """Return the seconds so far."""
        return {
            name: sum(_seconds(process) for process in processes)
            for name, processes in self._processes.items()
        }


def _seconds(process: psutil.Process) -> float:
    """Add up a process and its children; anew if one ends meanwhile: its parent gets its time."""
    while True:
        children = process.children(recursive=True)
        try:
            total = sum(_own(one) for one in (process, *children))
        except psutil.NoSuchProcess:
            continue
        if children == process.children(recursive=True):
            return total


def _own(process: psutil.Process) -> float:
    times = process.cpu_times()
    return sum(times[:4])  # user, system, and both of children that have ended
