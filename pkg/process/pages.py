"""The few pages that a process shows of itself, over HTTP/1.1.

By h11, which only reads and writes the protocol: what a web framework brings besides would be a
third of the time that a process takes to start, and a tenth of its memory.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import h11

# Who asks nothing for so long is closed; a request has to arrive whole within it, too.
IDLE_SECONDS_MAX = 75.0
HEAD_BYTES_MAX = 16_384
READ_BYTES = 65_536
CONNECTIONS_MAX = 256
# What is being answered when the process ends has so long.
END_SECONDS_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered."""

    body: bytes
    content_type: str
    status: int = HTTPStatus.OK


Shown = Mapping[str, Callable[[], Page]]


@asynccontextmanager
async def shown(pages: Shown, host: str, port: int, *, is_held: bool) -> AsyncIterator[None]:
    """Show pages while the block runs.

    Args:
        pages: Makes a page, by its path. The loop runs it, so a process that hangs shows none.
        host: Where to listen.
        port: Where to listen.
        is_held: Whether somebody else holds the port, which this process is to join.

    Raises:
        OSError: The address can't be listened on.
    """
    asking: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        if len(asking) >= CONNECTIONS_MAX:
            writer.close()
            return
        asking.add(task)
        try:
            await _Client(reader, writer).answer(pages)
        except (OSError, TimeoutError):
            pass  # it has gone, or does not read
        finally:
            asking.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, host, port, reuse_port=is_held or None)
    try:
        yield
    finally:
        server.close()
        for task in list(asking):
            task.cancel()
        if asking:
            await asyncio.wait(asking, timeout=END_SECONDS_MAX)


class _Client:
    """A connection, whose requests are answered one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)

    async def answer(self, pages: Shown) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS_MAX):
                    request = await self._request()
            except h11.RemoteProtocolError as problem:
                await self._refuse(problem.error_status_hint)
                return
            if request is None:
                return
            await self._send(_page(request, pages), with_body=request.method != b"HEAD")
            if self._protocol.our_state is not h11.DONE:
                return
            self._protocol.start_next_cycle()

    async def _request(self) -> h11.Request | None:
        """Return the next one, once it is there whole; None where there is none."""
        request = None
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                self._protocol.receive_data(await self._reader.read(READ_BYTES))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.EndOfMessage):
                return request
            elif not isinstance(event, h11.Data):  # nobody wants a body
                return None

    async def _refuse(self, status: int) -> None:
        if self._protocol.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            await self._send(_status(status), with_body=True)

    async def _send(self, page: Page, *, with_body: bool) -> None:
        headers = [("content-type", page.content_type), ("content-length", str(len(page.body)))]
        response = h11.Response(
            status_code=page.status, headers=headers, reason=HTTPStatus(page.status).phrase
        )
        parts = [self._protocol.send(response)]
        if with_body:
            parts.append(self._protocol.send(h11.Data(data=page.body)))
        parts.append(self._protocol.send(h11.EndOfMessage()))
        self._writer.write(b"".join(part for part in parts if part))
        async with asyncio.timeout(IDLE_SECONDS_MAX):
            await self._writer.drain()


def _page(request: h11.Request, pages: Shown) -> Page:
    path = request.target.split(b"?")[0].decode("latin-1")
    if path not in pages:
        return _status(HTTPStatus.NOT_FOUND)
    if request.method not in {b"GET", b"HEAD"}:
        return _status(HTTPStatus.METHOD_NOT_ALLOWED)
    return pages[path]()


def _status(status: int) -> Page:
    text = f"{status}: {HTTPStatus(status).phrase}"
    return Page(text.encode(), "text/plain; charset=utf-8", status)
