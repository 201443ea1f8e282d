"""Names of hosts to addresses that may be posted to."""

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from weakref import WeakValueDictionary

from aiohappyeyeballs.types import AddrInfoType

from pkg.process.mode import Mode
from services.events.target import AddressNotAllowedError, is_allowed, is_near, literal

# At once, of names that were resolved quickly when they were last, and of all others.
_THREADS = 32
PER_OWNER_MAX = 4
_QUICK_SECONDS = 1.0
_QUICK_NAMES_MAX = 10_000

LookUp = Callable[[str, int, int], Sequence[AddrInfoType]]


class Lookup:
    """Resolves names to addresses that events may be posted to; one that is not refuses them all.

    A look-up that hangs holds a thread, and cannot be ended. So the same name is looked up once at
    a time, each merchant has a few threads at most, and names that are known to be quick have
    threads of their own, which no other name can take.

    Args:
        mode: Which addresses are allowed.
        look_up: Asks the system; blocks.
        own_ports: Where on the loopback interface, or near it, paygate itself listens.
    """

    def __init__(
        self,
        mode: Mode,
        look_up: LookUp | None = None,
        *,
        own_ports: frozenset[int] = frozenset(),
    ) -> None:
        self._mode = mode
        self._own_ports = own_ports
        self._look_up = look_up or system_look_up
        self._quick = ThreadPoolExecutor(_THREADS, thread_name_prefix="quick-lookup")
        self._others = ThreadPoolExecutor(_THREADS, thread_name_prefix="lookup")
        self._quick_names: OrderedDict[str, None] = OrderedDict()  # by their last look-up
        self._under_way: dict[tuple[str, int], asyncio.Task[Sequence[AddrInfoType]]] = {}
        # Gone with the last that holds or awaits a place.
        self._owners: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def addresses(self, host: str, port: int, *, owner: str) -> Sequence[AddrInfoType]:
        """Return the addresses of a host. They are connected to as they are, and never looked up.

        Args:
            host: A name, or an address.
            port: Goes into the addresses.
            owner: Whose place is taken while it is looked up.

        Raises:
            AddressNotAllowedError: One of them may not be posted to.
            OSError: There are none.
        """
        if literal(host):
            found = self._look_up(host, port, socket.AI_NUMERICHOST)
        else:
            found = await self._shared(host, port, owner)
        mode, own_ports, near = self._mode, self._own_ports, is_near(host)
        for *_, place in found:
            if not is_allowed(str(place[0]), mode, port=port, own_ports=own_ports, near=near):
                raise AddressNotAllowedError
        return found

    def close(self) -> None:
        """Wait for no look-up that is still under way."""
        for task in self._under_way.values():
            task.cancel()
        for threads in (self._quick, self._others):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _shared(self, host: str, port: int, owner: str) -> Sequence[AddrInfoType]:
        """Look a name up, together with whoever else asks for it meanwhile."""
        key = host.lower(), port
        if not (task := self._under_way.get(key)):
            places = self._owners.setdefault(owner, asyncio.Semaphore(PER_OWNER_MAX))
            await places.acquire()
            if task := self._under_way.get(key):
                places.release()
            else:
                task = self._under_way[key] = asyncio.create_task(self._in_thread(*key))
                task.add_done_callback(partial(self._done, key, places))
        # It goes on, and keeps its place, when an attempt is given up: its thread does so, too.
        return await asyncio.shield(task)

    def _done(
        self,
        key: tuple[str, int],
        places: asyncio.Semaphore,
        task: asyncio.Task[Sequence[AddrInfoType]],
    ) -> None:
        del self._under_way[key]
        places.release()
        if not task.cancelled():
            task.exception()  # whoever asked may be gone, and then nobody has looked at it

    async def _in_thread(self, host: str, port: int) -> Sequence[AddrInfoType]:
        quick = host in self._quick_names
        self._quick_names.pop(host, None)
        began = time.monotonic()
        found = await asyncio.get_running_loop().run_in_executor(
            self._quick if quick else self._others, self._look_up, host, port, 0
        )
        if time.monotonic() - began < _QUICK_SECONDS:
            self._quick_names[host] = None
            if len(self._quick_names) > _QUICK_NAMES_MAX:
                self._quick_names.popitem(last=False)
        return found


def system_look_up(host: str, port: int, flags: int) -> Sequence[AddrInfoType]:
    """Ask the system for a host's addresses."""
    return socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=flags | socket.AI_NUMERICSERV
    )
