"""A merchant's endpoint for hours: it keeps nothing but counts, and fails now and then."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FAILS_PERCENT = 2


class Receiver:
    """Answers POSTs; `posted` is how many came."""

    def __init__(self) -> None:
        self.posted = 0
        self.failed = 0
        self.port = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, until the other side closes it."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                await reader.readexactly(length)
                self.posted += 1
                fails = random.randrange(100) < FAILS_PERCENT
                self.failed += fails
                status = b"500 Internal Server Error" if fails else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run one until the block ends."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
