"""A merchant with as many slow calls as can be, beside one who wants to pay."""

import asyncio
import statistics
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from tests.attack.forms import sized
from tests.attack.good import timed
from tests.chaos.rig import SECRETS, Rig, gbp, reason_of
from tests.database import Databases
from tests.keys import new_key

pytestmark = pytest.mark.attack

IN_FLIGHT_MAX = 64
ATTACKERS = 128  # clients of one merchant; refused ones try again after half a second
CALLS = int(sized(60, full=2_000))  # of the good merchant's, one after the other
SLOWER_MAX = 3.0
SHARE_OF_GOOD_MIN = 0.95
# The bank takes 2 seconds for it.
SLOW = pb.CardDetails(pan="4000000000001075", expiry=pb.Expiry(month=12, year=2035), cvv="123")
AUTHORIZE = service.AuthorizeRequest(card_details=SLOW, amount=gbp(1000))


@pytest.fixture(scope="module")
async def rig(databases: Databases) -> AsyncIterator[Rig]:
    """One small worker, its bank and its sweep."""
    names, (url, bank_url) = zip(
        *[await databases.create(service) for service in ("payments", "acquirer")], strict=True
    )
    rig = Rig(url, bank_url, workers_count=1)
    rig.environment["PAYGATE_IN_FLIGHT_MAX"] = str(IN_FLIGHT_MAX)
    rig.environment["PAYGATE_HASTY_LEASE_SECONDS"] = "10"  # more than the slow card takes
    async with rig:
        yield rig
    for name in names:
        await databases.drop(name)


@dataclass
class Flood:
    """What became of the attacker's calls."""

    rig: Rig
    api_key: str
    patience_seconds: float
    ended: Counter[str] = field(default_factory=Counter)

    async def go_on(self) -> None:
        """Authorize again and again, and hang up when patience is over."""
        while True:
            call = self.rig.call(AUTHORIZE, api_key=self.api_key, seconds_max=self.patience_seconds)
            try:
                await call
            except aio.AioRpcError as problem:
                self.ended[reason_of(problem)] += 1
                if problem.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                    await asyncio.sleep(0.5)
            else:
                self.ended["SUCCEEDED"] += 1


@asynccontextmanager
async def flooded(flood: Flood) -> AsyncIterator[None]:
    """Flood, from when the attacker has all that it can get until the block ends."""
    clients = [asyncio.create_task(flood.go_on()) for _ in range(ATTACKERS)]
    async with asyncio.timeout(20):
        while flood.ended["RATE_LIMITED"] + flood.ended["OVERLOADED"] < ATTACKERS / 2:
            await asyncio.sleep(0.02)
    try:
        yield
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


@pytest.mark.parametrize("patience_seconds", [20.0, 0.3], ids=["they wait", "they hang up"])
async def test_who_takes_all_places_leaves_some_for_others(
    rig: Rig, patience_seconds: float
) -> None:
    """Payments of another merchant go through, hardly slower than alone."""
    alone, refused = await timed(rig.captured, CALLS)
    assert not refused
    attacker = await new_key(rig.payments_url, "mer_attacker", pepper=SECRETS["PAYGATE_KEY_PEPPER"])
    flood = Flood(rig, attacker, patience_seconds)
    async with flooded(flood):
        beside, refused = await timed(rig.captured, CALLS)
    after, _ = await timed(rig.captured, CALLS)

    assert len(beside) >= SHARE_OF_GOOD_MIN * CALLS, f"{refused} were refused; {flood.ended}"
    # The machine is shared, and its pace changes.
    was = max(statistics.median(alone), statistics.median(after))
    became = statistics.median(beside)
    assert became <= SLOWER_MAX * was, f"{was:.4f} s alone, {became:.4f} s beside; {flood.ended}"
    assert "OVERLOADED" not in flood.ended  # what is refused is too much of one, and of nobody else
