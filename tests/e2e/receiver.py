"""A merchant's endpoint in the test's own process: an HTTP server on a loopback address."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Posted:
    """One request, as it came: its headers by their names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Receiver:
    """Answers each request with `status` and remembers it.

    Args:
        host: Where it listens.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.status = 200
        self._posted: list[Posted] = []
        self._server = ThreadingHTTPServer((host, 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def everything(self) -> list[Posted]:
        """Whatever came to any path."""
        return list(self._posted)

    def posted(self, path: str) -> list[Posted]:
        """Return what came to one path, oldest first."""
        return [one for one in tuple(self._posted) if one.path == path]

    def wait(
        self, path: str, met: Callable[[list[Posted]], bool], *, seconds_max: float
    ) -> list[Posted]:
        """Wait until what came to a path meets a condition; fail if it never does."""
        deadline = time.monotonic() + seconds_max
        while not met(posted := self.posted(path)):
            assert time.monotonic() < deadline, f"after {seconds_max} s there is {posted}"
            time.sleep(POLL_SECONDS)
        return posted

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver._posted.append(Posted(self.path, headers, body))
                self.send_response(receiver.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        return Handler
