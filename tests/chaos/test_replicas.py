"""Replicas are added and removed under load, the edge finds them by DNS, and no client notices."""

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.replicas import SERVICES, Site, site
from tests.chaos.rig import Rig

ROUNDS = 10 if os.environ.get("PAYGATE_CHAOS") == "full" else 1
FIRST = ("127.0.0.2", "127.0.0.3")
# Of so many calls a new replica has its part, which would be a third or a half. On a busy machine
# it takes a second or two until the edge is connected to it.
CALLS, PART_MIN, PART_SECONDS_MAX = 60, 0.2, 20.0


@pytest.fixture
async def scaled(
    payments_database_url: str, acquirer_database_url: str, tmp_path: Path
) -> AsyncIterator[Site]:
    """Two replicas of payments and of events."""
    async with (
        Rig(payments_database_url, acquirer_database_url, workers_count=0) as rig,
        site(rig, tmp_path, *FIRST) as running,
    ):
        yield running


async def has_its_part(site: Site, address: str) -> None:
    """Wait until the replica of each service gets about as many calls as the others."""
    async with asyncio.timeout(PART_SECONDS_MAX):
        for service in SERVICES:
            while await part_of_next_calls(site, service, address) < PART_MIN:
                pass


async def part_of_next_calls(site: Site, service: str, address: str) -> float:
    """Return the replica's part of a service's calls from now on."""
    before = await site.calls(service)
    while (now := await site.calls(service)).total() - before.total() < CALLS:
        await asyncio.sleep(0.05)
    return (now[address] - before[address]) / (now.total() - before.total())


async def assert_nothing_is_lost_without_names(site: Site) -> None:
    """While no name is known the edge goes on with the replicas that it finds healthy."""
    known = {service: site.names.addresses.pop(service) for service in SERVICES}
    await asyncio.gather(*(site.names.told(service) for service in SERVICES))
    for service, addresses in known.items():
        assert set(await site.hosts(service)) == addresses
        site.names.addresses[service] = addresses


@pytest.mark.chaos
@pytest.mark.timeout(1800)
async def test_replicas_come_and_go_under_load(scaled: Site) -> None:
    """2, 3, 1, 2 replicas of payments and events: every call has its reply, and all take part."""
    load = scaled.load()
    running = asyncio.create_task(load.run())
    one, two = FIRST
    addresses = (f"127.0.0.{number}" for number in itertools.count(4))
    for three, four in itertools.islice(zip(addresses, addresses, strict=False), ROUNDS):
        await scaled.add(three)
        await scaled.sends_to(one, two, three)
        await has_its_part(scaled, three)
        await asyncio.gather(scaled.stop_as_container(one), scaled.stop_as_pod(three))
        await scaled.sends_to(two)
        await scaled.add(four)
        await scaled.sends_to(two, four)
        await has_its_part(scaled, four)
        await assert_nothing_is_lost_without_names(scaled)
        assert not running.done()
        one, two = two, four
    load.stopped = True
    await running
    assert not load.failures, Counter(load.failures)
    assert load.done.keys() == {
        f"{protocol} {what}"
        for protocol, what in itertools.product(("gRPC", "REST"), ("STATUS_SUCCEEDED", "looked"))
    }
