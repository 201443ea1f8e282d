"""The line to the bank while banks come and go under load: what is promised to clients holds."""

import asyncio
from dataclasses import replace

import psutil
import pytest

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from tests.chaos.clients import SUCCEEDED, clients_of
from tests.chaos.rig import CARD, LEASE_SECONDS, START_SECONDS_MAX, Process, Rig, gbp

SLOW_CARD = pb.CardDetails(pan="4000000000001075", expiry=CARD.expiry, cvv="123")
RESTARTS = 3


async def authorized_slowly(rig: Rig) -> str:
    """Return how an authorization ends that the bank takes its time for."""
    reply = await rig.call(service.AuthorizeRequest(card_details=SLOW_CARD, amount=gbp(100)))
    return pb.Action.Status.Name(reply.action.status)


@pytest.mark.chaos
async def test_banks_are_replaced_under_load(
    payments_database_url: str, acquirer_database_url: str
) -> None:
    """A bank that is told to end has another beside it: nothing is refused, nothing is PENDING."""
    rig = Rig(payments_database_url, acquirer_database_url)
    rig.bank.environment = {
        **rig.bank.environment,
        "ACQUIRER_PORTS_ARE_HELD": "1",
        "ACQUIRER_SLOW_SECONDS": str(LEASE_SECONDS / 2),  # or recovery would be faster
    }
    async with rig, clients_of(f"127.0.0.1:{rig.workers[0].port}", rig.api_key) as clients:
        async with clients.busy():
            for _ in range(RESTARTS):
                slow = asyncio.create_task(authorized_slowly(rig))
                before: Process = rig.bank
                rig.bank = replace(before, running=None)
                await rig.bank.start()
                await listening(rig.bank)
                await before.stop()
                assert await slow == SUCCEEDED
        assert set(clients.answers) == {SUCCEEDED}
        assert clients.answers[SUCCEEDED] > RESTARTS
        await rig.settled()
        await rig.assert_books_agree()


async def listening(process: Process) -> None:
    """Wait until the process itself listens on a port that another one has, too."""
    assert process.running
    inside = psutil.Process(process.running.pid)
    async with asyncio.timeout(START_SECONDS_MAX):
        while process.port not in {one.laddr.port for one in inside.net_connections("tcp")}:
            await asyncio.sleep(0.01)


@pytest.mark.chaos
async def test_a_bank_that_is_killed(rig: Rig) -> None:
    """Whatever was on the line is asked about, and is done once, or not at all."""
    keys = [f"key-{number}" for number in range(60)]
    requests = [
        service.AuthorizeRequest(card_details=SLOW_CARD if number % 3 else CARD, amount=gbp(100))
        for number in range(60)
    ]
    calls = [
        asyncio.create_task(rig.retried(request, key=key, worker=number))
        for number, (key, request) in enumerate(zip(keys, requests, strict=True))
    ]
    await some_authorized(rig)
    await rig.bank.kill()
    await rig.bank.start()
    replies = await asyncio.gather(*calls)
    assert {pb.Action.Status.Name(reply.action.status) for reply in replies} <= {
        SUCCEEDED,
        "STATUS_FAILED",  # it never arrived, and was undone
    }
    assert len({reply.payment.id for reply in replies}) == len(keys)
    await rig.settled()
    await rig.assert_books_agree()


async def some_authorized(rig: Rig) -> None:
    """Wait until the bank has some of them in its book, and so others on the way."""
    async with asyncio.timeout(10):
        while not await rig.bank_book.fetchval("SELECT count(*) FROM authorizations"):
            await asyncio.sleep(0.001)
