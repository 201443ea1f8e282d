"""A name server of the test's own: what it says changes while somebody asks it."""

import asyncio
import socket
import struct
from collections import Counter, defaultdict
from typing import Self

_HEADER = struct.Struct("!6H")
_ANSWER = struct.Struct("!3HIH4s")
_A, _INTERNET, _NAME_OF_THE_QUESTION = 1, 1, 0xC00C
_ANSWERED, _NO_SUCH_NAME = 0x8580, 0x8583
# As Docker's says; who caches it that long would not notice a new replica for ten minutes.
TTL_SECONDS = 600


class Names(asyncio.DatagramProtocol):
    """Answers questions for IPv4 addresses over UDP, on the loopback interface.

    Attributes:
        addresses: Of each name; a name without any is unknown.
        asked: How often each name was asked for.
        port: Where it listens.
    """

    def __init__(self) -> None:
        self.addresses: defaultdict[str, set[str]] = defaultdict(set)
        self.asked: Counter[str] = Counter()
        self.port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        place = ("127.0.0.1", 0)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=place)
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question."""
        number, *_ = _HEADER.unpack_from(data)
        name, end = _name_in(data)
        kind, _class = struct.unpack_from("!2H", data, end)
        known = self.addresses[name]
        told = sorted(known) if kind == _A else []
        flags = _ANSWERED if known else _NO_SUCH_NAME
        answers = (
            _ANSWER.pack(
                *(_NAME_OF_THE_QUESTION, _A, _INTERNET, TTL_SECONDS, 4), socket.inet_aton(address)
            )
            for address in told
        )
        header = _HEADER.pack(number, flags, 1, len(told), 0, 0)
        self._transport.sendto(b"".join((header, data[_HEADER.size : end + 4], *answers)), addr)
        if kind == _A:
            self.asked[name] += 1

    async def told(self, name: str, *, times: int = 2, seconds_max: float = 20.0) -> None:
        """Wait until somebody has been told so often what this name has now."""
        until = self.asked[name] + times
        async with asyncio.timeout(seconds_max):
            while self.asked[name] < until:
                await asyncio.sleep(0.05)


def _name_in(data: bytes) -> tuple[str, int]:
    """Return the name that a question asks for, and where in it the name ends."""
    labels, place = [], _HEADER.size
    while length := data[place]:
        labels.append(data[place + 1 : place + 1 + length].decode())
        place += length + 1
    return ".".join(labels), place + 1
