"""A receiver that answers with bytes as they are given, and remembers those that it got."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawReceiver:
    """What came, by request; `lines` counts connections."""

    base: str = ""
    lines: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """Return the targets that were asked for, byte for byte."""
        return [request.split(b" ")[1].decode() for request in self.requests]

    async def request(self, reader: asyncio.StreamReader) -> None:
        """Read one request."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        self.requests.append(head + await reader.readexactly(length))


@asynccontextmanager
async def answering(
    answer: bytes | Talk, *, keep: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawReceiver]:
    """Run a receiver that gives each request this answer, then closes unless it is to `keep`.

    A function talks for itself when the first request has come.
    """
    receiver = RawReceiver()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.lines += 1
        try:
            while True:
                await receiver.request(reader)
                if not isinstance(answer, bytes):
                    await answer(reader, writer)
                    break
                writer.write(answer)
                await writer.drain()
                if not keep:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    place = "https://localhost" if tls else "http://127.0.0.1"
    receiver.base = f"{place}:{server.sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        server.close()
