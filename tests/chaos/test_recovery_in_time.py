"""What is in doubt is settled in time, whatever else there is to sweep, and whoever is killed."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from tests.chaos.rig import CARD, Process, Rig, free_port, gbp, reason_of
from tools.stack.probe import http_serving

# The contract: in doubt for no longer while the bank is up.
DOUBT_SECONDS_MAX = 5.0
EXPIRIES = 100
TURN = "INSERT INTO sandbox_clocks (merchant_id, ahead) SELECT id, $1 FROM merchants"
EXPIRING = "SELECT count(*) FROM payments WHERE expiring OR expired"
PENDING = "SELECT count(*) FROM actions WHERE status = 'PENDING' AND type <> 'EXPIRE'"
LEASED = f"{PENDING} AND due_time > clock_timestamp()"

FULL = os.environ.get("PAYGATE_CHAOS") == "full"
STORM_SECONDS = 40.0


def with_long_leases(payments_url: str, acquirer_url: str) -> Rig:
    """Return a rig whose workers' leases are longer than calls may take; none is killed here."""
    rig = Rig(payments_url, acquirer_url)
    rig.environment["PAYGATE_HASTY_LEASE_SECONDS"] = "10"
    return rig


@pytest.fixture
async def rig(payments_database_url: str, acquirer_database_url: str) -> AsyncIterator[Rig]:
    """One that runs."""
    async with with_long_leases(payments_database_url, acquirer_database_url) as running:
        yield running


def card(last4: str) -> pb.CardDetails:
    """Return one of the bank's test cards."""
    return pb.CardDetails(pan=f"400000000000{last4}", expiry=CARD.expiry, cvv="123")


REPLY_LOST = card("1026")


async def expire(rig: Rig, count: int, *, details: pb.CardDetails) -> None:
    """Authorise so many payments, and turn the clock to when all of them are past their time."""
    request = service.AuthorizeRequest(card_details=details, amount=gbp(1000))
    await asyncio.gather(*(rig.call(request) for _ in range(count)))
    await rig.settled()
    await rig.payments_book.execute(TURN, timedelta(days=8))


async def until(rig: Rig, query: str, count: int, *, seconds: float) -> None:
    """Wait until the query gives that count or more; exactly none if it is 0."""
    async with asyncio.timeout(seconds):
        while True:
            found = await rig.payments_book.fetchval(query)
            if found >= count if count else found == 0:
                return
            await asyncio.sleep(0.02)  # it happens in another process


async def in_doubt(rig: Rig) -> None:
    """Authorise a payment whose reply from the bank is lost."""
    reply = await rig.call(service.AuthorizeRequest(card_details=REPLY_LOST, amount=gbp(1000)))
    assert reply.action.status == pb.Action.STATUS_PENDING


class Distance:
    """A way to the bank on which everything takes as long as is said."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.seconds = 0.0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection."""
        from_bank, to_bank = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._one_way(reader, to_bank), self._one_way(from_bank, writer))
        await asyncio.sleep(self.seconds)  # for what is on its way
        for end in (to_bank, writer):
            end.close()
            with suppress(ConnectionError):
                await end.wait_closed()

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                loop.call_later(self.seconds, writer.write, data)
        loop.call_later(self.seconds, writer.close)


@pytest.mark.chaos
async def test_expiries_at_a_distant_bank_hold_nothing_up(
    payments_database_url: str, acquirer_database_url: str
) -> None:
    """A hundred expiries of 200 ms each begin; what is in doubt meanwhile is settled as ever."""
    rig = with_long_leases(payments_database_url, acquirer_database_url)
    distance = Distance(rig.bank.port)
    async with await asyncio.start_server(distance.carry, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        rig.environment["PAYGATE_ACQUIRER_ADDRESS"] = f"{host}:{port}"
        async with rig:
            distance.seconds = 0.1  # there, and back
            await expire(rig, EXPIRIES, details=CARD)
            await until(rig, EXPIRING, 1, seconds=10)
            await in_doubt(rig)
            await until(rig, PENDING, 0, seconds=DOUBT_SECONDS_MAX)


@pytest.mark.chaos
async def test_expiries_at_a_bank_that_hangs_hold_nothing_up(rig: Rig) -> None:
    """Once the bank answers again what was in doubt is settled; SIGTERM is obeyed at once."""
    await expire(rig, EXPIRIES, details=CARD)
    assert rig.bank.running
    rig.bank.running.send_signal(signal.SIGSTOP)
    try:
        await until(rig, EXPIRING, 1, seconds=10)
        await in_doubt(rig)
        began = time.monotonic()
        await rig.sweep.stop()
        assert time.monotonic() - began < 3.0
        await rig.sweep.start()
    finally:
        rig.bank.running.send_signal(signal.SIGCONT)
    await until(rig, PENDING, 0, seconds=DOUBT_SECONDS_MAX)


@pytest.mark.chaos
async def test_what_a_dead_sweep_had_begun_is_taken_over_in_time(rig: Rig) -> None:
    """Killed while the bank hangs, it leaves leases that another does not wait for for long."""
    await in_doubt(rig)
    assert rig.bank.running
    rig.bank.running.send_signal(signal.SIGSTOP)
    try:
        await in_doubt(rig)
        await until(rig, LEASED, 1, seconds=10)
        await rig.sweep.kill()
    finally:
        rig.bank.running.send_signal(signal.SIGCONT)
    await rig.sweep.start()
    await until(rig, PENDING, 0, seconds=DOUBT_SECONDS_MAX)


@asynccontextmanager
async def killed_and_revived(process: Process, *, seed: int, page: str = "") -> AsyncIterator[None]:
    """Meanwhile, kill a process 0.5 to 1.2 s after it was up, and start it again."""
    dice, over = random.Random(seed), asyncio.Event()

    async def kill() -> None:
        while not over.is_set():
            await asyncio.sleep(dice.uniform(0.5, 1.2))
            await process.kill()
            await process.start()
            if page:
                await http_serving(page, "/health/live")

    killing = asyncio.create_task(kill())
    yield
    over.set()
    await killing


def a_sweep(rig: Rig) -> tuple[Process, str]:
    """Return a sweep, and where it shows that it is up."""
    listen = f"127.0.0.1:{free_port()}"
    environment = {**rig.environment, "PAYGATE_METRICS_LISTEN": listen}
    return Process(rig.sweep.module, environment), f"http://{listen}"


@pytest.mark.chaos
@pytest.mark.skipif(not FULL, reason="the long form is `make chaos`")
async def test_kills_of_sweeps_and_bank_delay_nothing_for_long(rig: Rig) -> None:
    """Two sweeps and the bank die all the time; what they leave is settled in time."""
    await rig.sweep.stop()
    sweeps = [a_sweep(rig) for _ in range(2)]

    async def pay() -> None:
        end = time.monotonic() + STORM_SECONDS
        while time.monotonic() < end:
            try:
                await rig.call(service.AuthorizeRequest(card_details=REPLY_LOST, amount=gbp(10)))
            except aio.AioRpcError as refused:
                if reason_of(refused) != "DEPENDENCY_UNAVAILABLE":  # it is known to be away
                    raise
            await asyncio.sleep(0.2)

    async with AsyncExitStack() as killed:
        for seed, (sweep, page) in enumerate(sweeps):
            await sweep.start()
            await killed.enter_async_context(killed_and_revived(sweep, seed=seed, page=page))
        await killed.enter_async_context(killed_and_revived(rig.bank, seed=2))
        await asyncio.gather(*(pay() for _ in range(8)))
    await until(rig, PENDING, 0, seconds=DOUBT_SECONDS_MAX)
    for sweep, _ in sweeps:
        await sweep.stop()
    await rig.assert_books_agree()
