"""Look-ups of names that hang, which nobody can end."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohappyeyeballs.types import AddrInfoType

from pkg.process.mode import Mode
from services.events.lookup import PER_OWNER_MAX, Lookup

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]


class Dns:
    """Names that begin with `hang` are not resolved before `freed`."""

    def __init__(self) -> None:
        self.freed = threading.Event()
        self.asked: Counter[str] = Counter()

    def __call__(self, host: str, port: int, flags: int) -> Sequence[AddrInfoType]:
        """Look a name up, as the system does: it blocks."""
        self.asked[host] += 1
        if host.startswith("hang"):
            self.freed.wait()
        return FOUND


@pytest.fixture
async def dns() -> AsyncIterator[Dns]:
    """Names that hang until the test is over."""
    dns = Dns()
    yield dns
    dns.freed.set()


@pytest.fixture
async def lookup(dns: Dns) -> AsyncIterator[Lookup]:
    """A look-up in those names."""
    lookup = Lookup(Mode.PRODUCTION, dns)
    yield lookup
    dns.freed.set()
    lookup.close()


async def hang(lookup: Lookup, name: str, owner: str) -> None:
    """Ask for a name that hangs, and give up."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await lookup.addresses(name, 443, owner=owner)


async def test_names_that_hang_hold_up_no_other_merchant(lookup: Lookup, dns: Dns) -> None:
    """However many there are: what is given up goes on in its thread, and keeps its place."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(40):
            for merchant in ("mer_1", "mer_2"):
                tasks.create_task(hang(lookup, f"hang{number}.{merchant}.test", merchant))

    assert sum(dns.asked.values()) == 2 * PER_OWNER_MAX
    async with asyncio.timeout(1):
        assert await lookup.addresses("good.test", 443, owner="mer_3") == FOUND


async def test_names_known_to_be_quick_have_threads_of_their_own(lookup: Lookup, dns: Dns) -> None:
    """Any number of merchants with names that hang can't hold up what was quick before."""
    await lookup.addresses("good.test", 443, owner="mer_good")
    async with asyncio.TaskGroup() as tasks:
        for number in range(100):
            tasks.create_task(hang(lookup, f"hang{number}.test", f"mer_{number}"))

    async with asyncio.timeout(1):
        assert await lookup.addresses("good.test", 443, owner="mer_good") == FOUND


async def test_a_name_is_looked_up_once_at_a_time(lookup: Lookup, dns: Dns) -> None:
    """An endpoint's attempts share it, and so do merchants with the same receiver."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(hang(lookup, "hang.test", f"mer_{number % 2}"))
    assert dns.asked["hang.test"] == 1

    dns.freed.set()
    assert await lookup.addresses("hang.test", 443, owner="mer_1") == FOUND


async def test_a_merchant_whose_names_hang_holds_up_nobody_with_the_same_name(
    lookup: Lookup, dns: Dns
) -> None:
    """Who asks for a name that another's place is awaited for does not wait for that place."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(PER_OWNER_MAX):
            tasks.create_task(hang(lookup, f"hang{number}.test", "mer_bad"))
    waiting = asyncio.create_task(lookup.addresses("good.test", 443, owner="mer_bad"))
    await asyncio.sleep(0)

    async with asyncio.timeout(1):
        assert await lookup.addresses("good.test", 443, owner="mer_good") == FOUND
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
