"""Names of hosts to addresses that may be posted to."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohappyeyeballs.types import AddrInfoType

from pkg.mode import Mode
from services.events.target import AddressNotAllowedError, is_allowed, literal

_LOOKUPS_MAX = 64  # at once: a lookup that hangs holds a thread


class Lookup:
    """Resolves names to addresses that events may be posted to; one that is not refuses them all.

    Lookups have threads of their own: names that hang must not hold up what else uses threads.
    """

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._threads = ThreadPoolExecutor(_LOOKUPS_MAX, thread_name_prefix="lookup")

    async def addresses(self, host: str, port: int) -> Sequence[AddrInfoType]:
        """Return the addresses of a host. They are connected to as they are, and never looked up.

        Raises:
            AddressNotAllowedError: One of them may not be posted to.
            OSError: There are none.
        """
        if literal(host):
            found = _look_up(host, port, socket.AI_NUMERICHOST)
        else:
            found = await asyncio.get_running_loop().run_in_executor(
                self._threads, _look_up, host, port, 0
            )
        if not all(is_allowed(str(place[0]), self._mode) for *_, place in found):
            raise AddressNotAllowedError
        return found

    def close(self) -> None:
        """Wait for no lookup that is still under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, flags: int) -> Sequence[AddrInfoType]:
    return socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=flags | socket.AI_NUMERICSERV
    )
