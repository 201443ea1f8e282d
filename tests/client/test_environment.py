"""Whom the Python client talks to does not depend on the environment."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from paygate_client import AsyncPaygate, Paygate
from tests.client.gateway import API_KEY


class Server(ThreadingHTTPServer):
    """Answers every request with the same, and keeps to what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        """Answer that there are no cards."""
        self.server.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"cards": []}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """Yield a server on a loopback port."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


async def _asynchronously(url: str) -> None:
    async with AsyncPaygate(url, API_KEY) as paygate:
        assert await paygate.sandbox.test_cards() == ()


def test_a_proxy_of_the_environment_is_not_told_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would read key and card, which are meant for the gateway's address alone."""
    with serving() as gateway, serving() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        for name in ("NO_PROXY", "no_proxy", "REQUEST_METHOD"):
            monkeypatch.delenv(name, raising=False)
        with Paygate(gateway.url, API_KEY) as paygate:
            assert paygate.sandbox.test_cards() == ()
        asyncio.run(_asynchronously(gateway.url))
        assert proxy.asked == []
        assert gateway.asked == ["/sandbox/test-cards"] * 2
