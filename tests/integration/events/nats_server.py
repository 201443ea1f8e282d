"""A real NATS server with JetStream, on a port and in a folder of its own."""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

from tests.certificates import AuthorityInFiles
from tests.chaos.rig import free_port

START_SECONDS_MAX = 10.0


@dataclass
class NatsServer:
    """Can be killed and started again with what it has stored."""

    folder: Path
    port: int = field(default_factory=free_port)
    authority: AuthorityInFiles | None = None
    config: Path | None = None
    password: str = ""
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        scheme, host = ("tls", "localhost") if self.authority else ("nats", "127.0.0.1")
        login = f"paygate:{self.password}@" if self.password else ""
        return f"{scheme}://{login}{host}:{self.port}"

    async def start(self) -> None:
        """Start, and wait until it serves."""
        self.process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("nats-server")),
            *("--addr", "127.0.0.1", "--port", str(self.port)),
            *("--jetstream", "--store_dir", str(self.folder)),
            *self._tls_options(),
            *((f"--config={self.config}",) if self.config else ()),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_SECONDS_MAX):
            while not await self._serves():
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it with -9."""
        if self.process:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
            self.process = None

    async def messages(self) -> list[tuple[str, str, bytes]]:
        """Return all that its stream holds: subject, message id, payload."""
        client = await self._connect()
        stream = client.jetstream()
        name = await stream.find_stream_name_by_subject("paygate.payments.>")
        count = (await stream.stream_info(name)).state.messages
        found = [await stream.get_msg(name, seq) for seq in range(1, count + 1)]
        await client.close()
        return [
            (one.subject or "", (one.headers or {}).get("Nats-Msg-Id", ""), one.data or b"")
            for one in found
        ]

    def _tls_options(self) -> tuple[str, ...]:
        if self.authority is None:
            return ()
        pair = self.authority.issue("localhost")
        return ("--tls", f"--tlscert={pair.certificate}", f"--tlskey={pair.key}")

    def _connect(self, **options: Any) -> Coroutine[Any, Any, Client]:
        file = self.authority.file if self.authority else None
        tls = ssl.create_default_context(cafile=file) if file else None
        return nats.connect(self.url, allow_reconnect=False, tls=tls, **options)

    async def _serves(self) -> bool:
        try:
            client = await self._connect(reconnect_time_wait=0, error_cb=_ignore)
            await client.jetstream(timeout=1).account_info()
        except (OSError, nats.errors.Error):
            return False
        await client.close()
        return True


@asynccontextmanager
async def nats_running(
    folder: Path, authority: AuthorityInFiles | None = None
) -> AsyncIterator[NatsServer]:
    """Run a server meanwhile, with a certificate of the authority if there is one."""
    server = NatsServer(folder, authority=authority)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


async def _ignore(_problem: Exception) -> None:
    """A server that is not there yet is no news."""
