"""Who attacks the edge without a key: `python -m tests.attack.floods NAME PORT ADDRESS SECONDS`.

A process of its own, so that it takes no time from those who call and measure. It says "under way"
on its standard output once its first wave is at the edge.
"""

import asyncio
import resource
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from tests.e2e import raw
from tests.e2e.raw import frame, opening, packed

WINDOW = 4  # SETTINGS_INITIAL_WINDOW_SIZE
HEAD = ((b":scheme", b"http"), (b":authority", b"x"))
LIST = b"/paygate.payments.v1.PaymentService/ListPayments"


def headers(method: bytes, path: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """Return the headers of a request, packed."""
    return packed((b":method", method), (b":path", path), *HEAD, *more)


NATIVE = headers(b"POST", LIST, (b"content-type", b"application/grpc"), (b"te", b"trailers"))
READ = headers(b"GET", b"/payments")
HEALTH = headers(b"GET", b"/health")
POST = headers(b"POST", b"/authorize", (b"content-type", b"application/json"))


def streams(count: int) -> Iterator[int]:
    """Return numbers for streams that a client opens."""
    return iter(range(1, 2 * count, 2))


def opened(block: bytes, count: int) -> bytes:
    """Return headers of requests that go on, and of which nothing more comes."""
    return b"".join(frame(raw.HEADERS, raw.END_HEADERS, n, block) for n in streams(count))


def unread(count: int) -> bytes:
    """Return whole requests; what they are answered there is no window for."""
    flags = raw.END_HEADERS | raw.END_STREAM
    return b"".join(frame(raw.HEADERS, flags, n, READ) for n in streams(count))


def halves(count: int) -> bytes:
    """Return requests of which almost 64 KiB of the body come, and the rest never does."""
    body = b"".join(frame(raw.DATA, 0, 0, bytes(15_000)) for _ in range(4))
    one = bytearray(body)

    def of(number: int) -> bytes:
        for at in range(0, len(one), 15_009):
            one[at + 5 : at + 9] = number.to_bytes(4, "big")
        return frame(raw.HEADERS, raw.END_HEADERS, number, POST) + bytes(one)

    return b"".join(of(number) for number in streams(count))


@dataclass(frozen=True)
class Flood:
    """One way to attack.

    Attributes:
        sent: On each connection.
        connections: At once.
        seconds: How long one is held before the next takes its place.
    """

    sent: bytes
    connections: int
    seconds: float


FLOODS = {
    "calls without a message": Flood(opening() + opened(NATIVE, 100), 20, 6.0),
    "calls without an end to /health": Flood(opening() + opened(HEALTH, 100), 20, 6.0),
    "replies that are not taken": Flood(opening((WINDOW, 0)) + unread(100), 100, 6.0),
    "bodies without an end": Flood(opening() + halves(100), 60, 6.0),
    "idle connections": Flood(b"", 4_000, 60.0),
    "questions for health": Flood(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 50, 100, 0.2),
}


async def hold(flood: Flood, port: int, address: str, under_way: Callable[[], None]) -> None:
    """Keep one place of the flood taken."""
    while True:
        writer = None
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(address, 0)
            )
            writer.write(flood.sent)
            with suppress(TimeoutError):
                await asyncio.wait_for(_sent_and_read(reader, writer, under_way), flood.seconds)
        under_way()
        if writer is not None:
            writer.transport.abort()
        await asyncio.sleep(0.05)  # of an edge that lets nobody in


async def _sent_and_read(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, under_way: Callable[[], None]
) -> None:
    await writer.drain()
    under_way()
    while await reader.read(65_536):
        pass


async def attack(name: str, port: int, address: str, seconds: float) -> None:
    """Flood the edge for so long."""
    flood = FLOODS[name]
    waiting = flood.connections

    def under_way() -> None:
        nonlocal waiting
        waiting -= 1
        if waiting == 0:
            sys.stdout.write("under way\n")
            sys.stdout.flush()

    def once() -> Callable[[], None]:
        told = False

        def tell() -> None:
            nonlocal told
            if not told:
                told = True
                under_way()

        return tell

    holders: list[Awaitable[None]] = [
        hold(flood, port, address, once()) for _ in range(flood.connections)
    ]
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*holders), seconds)


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    _, what, where, source, long = sys.argv
    asyncio.run(attack(what, int(where), source, float(long)))
