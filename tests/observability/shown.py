"""What the processes of a running stack show of themselves, wherever they show it."""

import http.client
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from tests.e2e.stack import Stack

PATHS = ("/metrics", "/stats/prometheus")
ANSWER_SECONDS_MAX = 5.0
ANSWERS = {200, 503}  # whoever is not well says so by 503
# The samples of a histogram are named after it.
_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")


@dataclass
class Shown:
    """The names of metrics, and the lines of each process, by the process's name."""

    names: set[str] = field(default_factory=set)
    pages: dict[str, str] = field(default_factory=dict)

    def read(self, process: str, page: str) -> None:
        """Take in one page of Prometheus' text format."""
        self.pages[process] = page
        for line in page.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                endings = _OF_A_HISTOGRAM if kind == "histogram" else ("",)
                self.names |= {name + ending for ending in endings}


def shown_by(stack: Stack) -> Shown:
    """Ask every process of the stack."""
    shown = Shown()
    for process, pid in stack.pids().items():
        for page in pages(pid, PATHS, kind="text/plain"):
            shown.read(process, page)
    return shown


def pages(pid: int, paths: Sequence[str], *, kind: str) -> Iterator[str]:
    """Yield what a process has at these paths, on every port that it listens on.

    Args:
        pid: Whose ports.
        paths: Of the pages.
        kind: How their content type begins; what is of another kind is left out.
    """
    for connection in psutil.Process(pid).net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN:
            for path in paths:
                page = _page(connection.laddr.port, path, kind)
                if page is not None:
                    yield page


def _page(port: int, path: str, kind: str) -> str | None:
    """Return what is there; None where something else listens, or nothing is there."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS_MAX)
    try:
        with suppress(OSError, http.client.HTTPException):
            asking.request("GET", path)
            answer = asking.getresponse()
            if answer.status in ANSWERS and answer.getheader("content-type", "").startswith(kind):
                return answer.read().decode()
    finally:
        asking.close()
    return None
