"""Connections to receivers: to addresses that were just checked, and kept for a moment."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from socket import socket
from typing import cast

from aiohappyeyeballs import start_connection
from aiohappyeyeballs.types import AddrInfoType

from pkg.process.mode import Mode
from services.events.exchange import ConnectionLostError, UnansweredError
from services.events.lookup import Lookup
from services.events.target import AddressNotAllowedError, Target

ADDRESS_NOT_ALLOWED = "address not allowed"

# Idle: below what any usual server keeps a connection for.
_KEPT_SECONDS = 1.0
# From its beginning, however busy it is: then what the name stands for is looked up, and checked.
AGE_SECONDS_MAX = 10.0
_KEPT_MAX = 256
_BUFFER_BYTES = 16 * 1024  # of one connection; what comes beside it waits in the kernel
_SECOND_ADDRESS_SECONDS = 0.25  # RFC 8305, section 5

Key = tuple[bool, str, int]


class Line(asyncio.Protocol):
    """One connection, which carries no request that begins after `end`, by the loop's time.

    `expiry` ends it if it is kept and nobody takes it.

    What comes is kept in `buffer` until it is taken off; when that is much, the rest waits in the
    kernel. Streams of asyncio do the same for twice the price.
    """

    def __init__(self, end: float) -> None:
        self.end = end
        self.expiry: asyncio.TimerHandle | None = None
        self.buffer = bytearray()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._is_lost = False
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Know what to write to."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what has come."""
        self.buffer += data
        if len(self.buffer) > _BUFFER_BYTES and self._transport and not self._is_paused:
            self._transport.pause_reading()
            self._is_paused = True
        self._wake()

    def eof_received(self) -> None:
        """Nothing more will come."""
        self._is_lost = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # all are the same
        """Nothing more will come."""
        self._is_lost = True
        self._wake()

    async def more(self, deadline: float) -> None:
        """Wait until more has come.

        Raises:
            ConnectionLostError: Nothing will.
            UnansweredError: Nothing has, by that time of the loop's.
        """
        if self._is_lost:
            raise ConnectionLostError
        if self._is_paused and self._transport:
            self._transport.resume_reading()
            self._is_paused = False
        self._waiting = self._loop.create_future()
        timer = self._loop.call_at(deadline, self._give_up)
        size = len(self.buffer)
        try:
            await self._waiting
        finally:
            timer.cancel()
            self._waiting = None
        if len(self.buffer) == size:  # or it was lost right after what it brought
            raise ConnectionLostError

    def write(self, data: bytes) -> None:
        """Send a request. It is small: nobody waits until all of it is under way."""
        if self._is_lost or self._transport is None:
            raise ConnectionLostError
        self._transport.write(data)

    def is_open(self) -> bool:
        """Tell whether the receiver has not closed it, as far as is known, and has said nothing."""
        return not (self._is_lost or self.buffer or not self._transport) and (
            not self._transport.is_closing()
        )

    def close(self) -> None:
        """Let go of it, and wait for nobody."""
        if self._transport:
            self._transport.abort()

    def _wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    def _give_up(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(UnansweredError("no answer in time"))


class Lines:
    """Opens connections, and keeps what has carried an answer for the next. See `Poster`."""

    def __init__(
        self,
        mode: Mode,
        own_ports: frozenset[int],
        *,
        age_seconds_max: float = AGE_SECONDS_MAX,
    ) -> None:
        self._age_seconds_max = age_seconds_max
        self._lookup = Lookup(mode, own_ports=own_ports)
        self._tls = ssl.create_default_context()
        self._tls.set_alpn_protocols(["http/1.1"])
        self._kept: defaultdict[Key, list[Line]] = defaultdict(list)
        self._count = 0

    def take(self, target: Target) -> Line | None:
        """Return a connection that was kept."""
        lines = self._kept.get(_key(target), [])
        while lines:
            line = lines[-1]
            self._drop(_key(target), line)
            if line.is_open():
                return line
            line.close()
        return None

    def keep(self, target: Target, line: Line) -> None:
        """Keep a connection for a moment, or close it."""
        loop = asyncio.get_running_loop()
        seconds = min(_KEPT_SECONDS, line.end - loop.time())
        if seconds <= 0 or self._count >= _KEPT_MAX:
            line.close()
            return
        self._kept[_key(target)].append(line)
        self._count += 1
        line.expiry = loop.call_later(seconds, self._expire, _key(target), line)

    async def open(self, target: Target, deadline: float, *, owner: str) -> Line:
        """Connect.

        Args:
            target: Where to.
            deadline: By the loop's time.
            owner: Whose endpoint it is.

        Raises:
            UnansweredError: There is no connection, or none that can be trusted.
        """
        async with until(deadline, "the name was not resolved in time"):
            addresses = await self._addresses(target, owner)
        async with until(deadline, "no connection in time"):
            connected = await _connected(addresses)
        async with until(deadline, "TLS: no handshake in time"):
            return await self._line(connected, target)

    def close(self) -> None:
        """Close all that are kept."""
        for key, lines in list(self._kept.items()):
            for line in list(lines):
                self._expire(key, line)
        self._lookup.close()

    async def _addresses(self, target: Target, owner: str) -> Sequence[AddrInfoType]:
        try:
            return await self._lookup.addresses(target.host, target.port, owner=owner)
        except AddressNotAllowedError:
            raise UnansweredError(ADDRESS_NOT_ALLOWED) from None
        except (OSError, UnicodeError):
            raise UnansweredError("name not found") from None

    async def _line(self, connected: socket, target: Target) -> Line:
        loop = asyncio.get_running_loop()
        try:
            _, line = await loop.create_connection(
                lambda: Line(loop.time() + self._age_seconds_max),
                sock=connected,
                ssl=self._tls if target.tls else None,
                server_hostname=target.host.removesuffix(".") if target.tls else None,
            )
        except ssl.SSLCertVerificationError as problem:
            raise UnansweredError(f"TLS: {problem.verify_message}") from None
        except OSError:
            raise UnansweredError("TLS: no handshake") from None
        return line

    def _expire(self, key: Key, line: Line) -> None:
        if line in self._kept.get(key, []):
            self._drop(key, line)
            line.close()

    def _drop(self, key: Key, line: Line) -> None:
        self._kept[key].remove(line)
        self._count -= 1
        if line.expiry:
            line.expiry.cancel()
        if not self._kept[key]:
            del self._kept[key]


@asynccontextmanager
async def until(deadline: float, words: str) -> AsyncIterator[None]:
    """Bound a step of an attempt by the loop's time.

    Raises:
        UnansweredError: With these words, when the time is over.
    """
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise UnansweredError(words) from None


async def _connected(addresses: Sequence[AddrInfoType]) -> socket:
    try:
        return await start_connection(addresses, happy_eyeballs_delay=_SECOND_ADDRESS_SECONDS)
    except ConnectionRefusedError:
        raise UnansweredError("connection refused") from None
    except TimeoutError:
        raise
    except (OSError, RuntimeError):  # the latter by uvloop
        raise UnansweredError("no connection") from None


def _key(target: Target) -> Key:
    return target.tls, target.host, target.port
