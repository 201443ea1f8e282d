"""The pages of a process: HTTP as its clients speak it, and as they should not."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pkg.process import pages
from pkg.process.pages import Page, shown
from tests.chaos.rig import free_port

SHOWN = {"/health": lambda: Page(b"{}", "application/json")}
GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """Show one page; return the port."""
    port = free_port()
    async with shown(SHOWN, "127.0.0.1", port, is_held=False):
        yield port


async def told(port: int, *sent: bytes) -> list[str]:
    """Return the first line of each answer, until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in sent:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.02)
    text = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return re.findall(r"HTTP/1\.1 \d+ [A-Za-z ]+", text.decode())


@pytest.mark.parametrize(
    ("sent", "lines"),
    [
        ((LAST,), ["200 OK"]),
        ((GET, GET, LAST), ["200 OK"] * 3),
        ((GET + GET + LAST,), ["200 OK"] * 3),
        ((LAST[:9], LAST[9:30], LAST[30:]), ["200 OK"]),
        ((LAST.replace(b"/health", b"/health?x=1"),), ["200 OK"]),
        ((LAST.replace(b"GET", b"HEAD"),), ["200 OK"]),
        ((LAST.replace(b"GET", b"POST"),), ["405 Method Not Allowed"]),
        ((LAST.replace(b"/health", b"/secrets"),), ["404 Not Found"]),
        ((b"GET /health HTTP/1.0\r\n\r\n",), ["200 OK"]),
        ((b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + LAST,), None),
        ((b"no HTTP at all\r\n\r\n",), ["400 Bad Request"]),
        (
            (b"GET /health HTTP/1.1\r\nX: " + b"x" * 20_000,),
            ["431 Request Header Fields Too Large"],
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_each_request_is_answered_in_its_turn(
    sent: tuple[bytes, ...], lines: list[str] | None
) -> None:
    """Whatever its pieces; a body is passed over, and what is no HTTP ends the connection."""
    async with serving() as port:
        found = await told(port, *sent)
    wanted = ["405 Method Not Allowed", "200 OK"] if lines is None else lines
    assert found == [f"HTTP/1.1 {line}" for line in wanted]


async def test_a_head_has_no_body() -> None:
    """Only its length."""
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(LAST.replace(b"GET", b"HEAD"))
        text = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert text.endswith(b"\r\n\r\n")
    assert b"content-length: 2" in text.lower()


async def test_who_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while; also in the middle of a request."""
    monkeypatch.setattr(pages, "IDLE_SECONDS_MAX", 0.2)
    async with serving() as port:
        assert await told(port) == []
        assert await told(port, GET[:20]) == []


async def test_only_so_many_are_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is one more is closed; once another has gone there is a place again."""
    monkeypatch.setattr(pages, "CONNECTIONS_MAX", 1)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        await reader.readuntil(b"{}")
        assert await told(port) == []
        writer.close()
        async with asyncio.timeout(10):
            while await told(port, LAST) != ["HTTP/1.1 200 OK"]:
                await asyncio.sleep(0.01)


async def test_connections_that_stay_open_hold_up_no_end() -> None:
    """They are closed."""
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        await reader.readuntil(b"{}")
        began = time.monotonic()
    assert time.monotonic() - began < 1.0
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
