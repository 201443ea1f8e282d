"""Endpoints that misbehave, in a process of their own. `python hostile.py hang` says its port."""

import asyncio
import sys
from contextlib import suppress

FLOOD = b"HTTP/1.1 100 Continue\r\n\r\n" * 1000


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    with suppress(ConnectionError):
        await reader.read()
    writer.close()


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with `100 Continue` without end."""
    with suppress(ConnectionError):
        await reader.readuntil(b"\r\n\r\n")
        while True:
            writer.write(FLOOD)
            await writer.drain()
    writer.close()


async def serve(how: str) -> None:
    """Serve on a free port until this process is ended."""
    server = await asyncio.start_server({"hang": hang, "flood": flood}[how], "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
