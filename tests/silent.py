"""A server that takes connections and never says anything, as one does that hangs."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def silent_server() -> AsyncIterator[Path]:
    """Yield the folder of a socket that is PostgreSQL's by its name."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    with tempfile.TemporaryDirectory(prefix="paygate-silent-", dir="/tmp") as folder:
        server = await asyncio.start_unix_server(listen, f"{folder}/.s.PGSQL.5432")
        yield Path(folder)
        server.close()


@asynccontextmanager
async def by_tcp(folder: Path) -> AsyncIterator[int]:
    """Yield a port that leads to the server whose socket is in a folder."""

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
        target.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        await asyncio.gather(copy(reader, asks), copy(answers, writer))

    server = await asyncio.start_server(lead, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
