"""A pool in which nobody waits for long, and which leaves a server that is no good any more."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import asyncpg

from pkg.postgres.connection import Connection
from pkg.postgres.servers import connect

# The driver's pool takes its parameter only from type checkers.
if TYPE_CHECKING:
    _Pool = asyncpg.Pool[asyncpg.Record]
else:
    _Pool = asyncpg.Pool

# In which a server answers that is not silent.
ANSWER_SECONDS_MAX = 0.5


class PatientPool(_Pool):
    """A pool in which nobody waits for a connection for longer than a statement may take.

    When a connection had to be dropped, the idle ones are asked whether they still answer: they may
    lead to the same silent server, and each would cost somebody that time again.

    Args:
        url: Of the database.
        wait_seconds_max: For a connection.
        moves: Whether a connection is left whose server refuses writes, since another may take
            them; otherwise it is kept, for reading.
        options: The driver's.
    """

    __slots__ = ("_asking", "_moves", "_wait_seconds_max", "waits")

    def __init__(self, url: str, *, wait_seconds_max: float, moves: bool, **options: Any) -> None:
        connected: Any = self._connected  # returns what its type has no room for
        super().__init__(
            url,
            max_queries=50_000,  # the driver's own default, as is the rest
            loop=None,
            connection_class=Connection,
            record_class=asyncpg.Record,
            **options,
            connect=connected,
        )
        self._wait_seconds_max = wait_seconds_max
        self._moves = moves
        self._asking: asyncio.Task[None] | None = None
        self.waits = 0

    def acquire(self, *, timeout: float | None = None) -> Any:
        """Acquire a connection; the driver's default is to wait for ever."""
        # A timeout costs a task. Whoever finds a free connection does not wait at all.
        if timeout is None and not self.get_idle_size():
            timeout = self._wait_seconds_max
            self.waits += 1
        return super().acquire(timeout=timeout)

    def release(self, connection: Any, *, timeout: float | None = None) -> Any:
        """Release a connection, to whoever asks next if its server is still good for it."""
        own: Connection | None = connection._con  # noqa: SLF001  # None once it is lost
        if self._moves and own and not own.is_closed() and own.refuses_writes:
            own.terminate()
        return super().release(connection, timeout=timeout)

    async def close(self) -> None:
        """Close all connections; those of a server that does not answer are dropped."""
        with contextlib.suppress(TimeoutError):  # by then the driver has dropped them
            await super().close()

    async def _connected(self, url: str, **options: Any) -> Connection:
        connection = await connect(url, **options)
        connection.when_dropped = self._dropped
        return connection

    def _dropped(self) -> None:
        if not self._asking and not self.is_closing():
            self._asking = asyncio.get_running_loop().create_task(self._ask_idle())

    async def _ask_idle(self) -> None:
        try:
            await asyncio.gather(*(self._ask() for _ in range(self.get_idle_size())))
        finally:
            self._asking = None

    async def _ask(self) -> None:
        with contextlib.suppress(Exception):  # it is dropped; whoever needs one hears why
            async with self.acquire(timeout=ANSWER_SECONDS_MAX) as connection:
                await connection.fetchval("SELECT 1", timeout=ANSWER_SECONDS_MAX)
