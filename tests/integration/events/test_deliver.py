"""Delivery to merchants' endpoints, over real HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from services.events.deliver import DeliveryLimits
from services.events.schedule import DELAYS
from services.events.sealing import shown
from tests.chaos.rig import free_port
from tests.integration.events.desk import Desk, opened
from tests.integration.events.receiver import Receiver, receiving

BRISK = DeliveryLimits(lease=timedelta(seconds=1))


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A desk on an empty database."""
    async with opened(payments_database_url, BRISK) as desk:
        yield desk


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that is content with everything."""
    async with receiving() as receiver:
        yield receiver


async def test_an_event_is_posted_signed(desk: Desk, receiver: Receiver) -> None:
    """The public library verifies what arrives; a delivery that was accepted is over."""
    _, secret = await desk.endpoint(receiver.url)
    await desk.authorized()

    assert await desk.process() == 1

    (got,) = receiver.received
    body = Webhook(shown(secret)).verify(got.body, got.headers)
    assert body["type"] == "payment.authorized"
    assert body["id"] == got.id
    assert got.headers["content-type"] == "application/json"
    (delivery,) = await desk.deliveries()
    assert (delivery["status"], delivery["attempts"]) == ("DELIVERED", 1)
    assert (delivery["last_status_code"], delivery["last_error"]) == (200, "")


async def test_events_of_a_payment_arrive_in_order(desk: Desk, receiver: Receiver) -> None:
    """The next event goes when the one before it was accepted."""
    await desk.endpoint(receiver.url)
    await desk.captured(await desk.authorized(), times=3)

    assert await desk.process() == 4

    sequences = [got.sequence for got in receiver.received]
    assert sequences == sorted(sequences)


async def test_retries_follow_the_schedule(desk: Desk, receiver: Receiver) -> None:
    """Ten attempts with the same id and body, each when the clock has passed its delay."""
    await desk.endpoint(receiver.url)
    receiver.status = 500
    await desk.authorized()
    assert await desk.process() == 1

    for attempt, delay in enumerate(DELAYS, start=1):
        (delivery,) = await desk.deliveries()
        assert (delivery["status"], delivery["attempts"]) == ("PENDING", attempt)
        assert timedelta(seconds=-5) < delivery["wait"] - delay <= timedelta(0)
        await desk.advance(delay - timedelta(seconds=4))
        assert await desk.process() == 0
        await desk.advance(timedelta(seconds=4))
        assert await desk.process() == 1

    (delivery,) = await desk.deliveries()
    assert (delivery["status"], delivery["attempts"]) == ("FAILED", 10)
    assert (delivery["last_status_code"], delivery["last_error"]) == (500, "http 500")
    assert len({got.body for got in receiver.received}) == 1
    assert len({got.id for got in receiver.received}) == 1


async def test_a_failing_event_holds_back_its_payment_alone(desk: Desk, receiver: Receiver) -> None:
    """Later events of the payment wait; other payments go on; a parked event lets its stream go."""
    await desk.endpoint(receiver.url)
    poisoned = await desk.authorized()
    bad = (await desk.pool.fetchval("SELECT id FROM outbox")) or ""
    receiver.decide = lambda got: 400 if got.id == bad else 204
    await desk.captured(poisoned)
    await desk.authorized()

    assert await desk.process() == 2
    for delay in DELAYS:
        assert await desk.counts() == {"PENDING": 2, "DELIVERED": 1}
        await desk.advance(delay)
        await desk.process()

    assert await desk.counts() == {"FAILED": 1, "DELIVERED": 2}
    assert receiver.received[-1].sequence == poisoned.version + 2


async def test_what_follows_a_failing_event_is_due_with_it(desk: Desk, receiver: Receiver) -> None:
    """The next try that a merchant is shown is one that can happen."""
    await desk.endpoint(receiver.url)
    receiver.status = 503
    payment = await desk.captured(await desk.authorized())
    await desk.process()
    await desk.captured(payment)
    await desk.process()

    first, second, third = await desk.deliveries()

    assert first["due_time"] == second["due_time"] == third["due_time"]


async def test_410_disables_the_endpoint(desk: Desk, receiver: Receiver) -> None:
    """Nothing more is sent to an endpoint that is gone, whatever was on its way."""
    await desk.endpoint(receiver.url)
    receiver.status = 410
    payment = await desk.captured(await desk.authorized())

    assert await desk.process() == 1

    assert await desk.pool.fetchval("SELECT status FROM webhook_endpoints") == "DISABLED"
    assert await desk.counts() == {"FAILED": 2}
    await desk.captured(payment)
    assert await desk.process() == 0
    assert await desk.counts() == {"FAILED": 2}


async def test_a_deleted_endpoint_gets_nothing(desk: Desk, receiver: Receiver) -> None:
    """What was on its way to it is given up, unsent."""
    await desk.endpoint(receiver.url)
    await desk.authorized()
    await desk.relay.run_once()
    await desk.pool.execute("DELETE FROM webhook_endpoints")

    assert await desk.process() == 0

    (delivery,) = await desk.deliveries()
    assert (delivery["status"], delivery["last_error"]) == ("FAILED", "endpoint disabled")
    assert receiver.received == []


async def test_while_a_secret_rotates_there_are_two_signatures(
    desk: Desk, receiver: Receiver
) -> None:
    """Old and new secret verify until the old one expires, in real time."""
    endpoint_id, old = await desk.endpoint(receiver.url)
    await desk.pool.execute("UPDATE webhook_secrets SET expire_time = now() + interval '1 h'")
    new = await desk.secret(endpoint_id)
    payment = await desk.authorized()
    await desk.advance(timedelta(hours=2))
    await desk.process()

    await desk.pool.execute(
        "UPDATE webhook_secrets SET expire_time = now() WHERE expire_time IS NOT NULL"
    )
    await desk.captured(payment)
    await desk.process()

    during, after = receiver.received
    assert [len(got.headers["webhook-signature"].split()) for got in (during, after)] == [2, 1]
    for secret in (old, new):
        Webhook(shown(secret)).verify(during.body, during.headers)
    Webhook(shown(new)).verify(after.body, after.headers)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500])
async def test_only_2xx_is_an_acceptance(desk: Desk, receiver: Receiver, status: int) -> None:
    """Anything else is tried again; redirects are not followed."""
    await desk.endpoint(receiver.url)
    receiver.status = status
    await desk.authorized()

    assert await desk.process() == 1

    (delivery,) = await desk.deliveries()
    assert (delivery["status"], delivery["last_error"]) == ("PENDING", f"http {status}")
    assert len(receiver.received) == 1


async def test_no_answer_in_time_is_a_failure(desk: Desk, receiver: Receiver) -> None:
    """An attempt has a limit for all of it."""
    await desk.endpoint(receiver.url)
    receiver.seconds = 2
    await desk.authorized()

    await desk.process()

    (delivery,) = await desk.deliveries()
    assert (delivery["last_status_code"], delivery["last_error"]) == (0, "no answer in time")


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:{port}/hooks", "connection refused"),
        ("http://10.0.0.1/hooks", "address not allowed"),
        ("https://nowhere.invalid/hooks", "name not found"),
    ],
)
async def test_what_went_wrong_is_said_in_a_word(desk: Desk, url: str, error: str) -> None:
    """Merchants see why; nothing of what came back is kept."""
    await desk.endpoint(url.format(port=free_port()))
    await desk.authorized()

    await desk.process()

    (delivery,) = await desk.deliveries()
    assert (delivery["status"], delivery["last_error"]) == ("PENDING", error)


async def test_tls_that_cannot_be_trusted_is_refused(desk: Desk, receiver: Receiver) -> None:
    """A server that speaks no TLS is not posted to in plain text instead."""
    await desk.endpoint(receiver.url.replace("http:", "https:"))
    await desk.authorized()

    await desk.process()

    (delivery,) = await desk.deliveries()
    assert delivery["last_error"] == "TLS: no handshake"
    assert receiver.received == []


async def test_a_secret_that_does_not_open_sends_nothing(desk: Desk, receiver: Receiver) -> None:
    """Unsigned events do not exist; another endpoint is not held up."""
    broken, _ = await desk.endpoint(receiver.url)
    await desk.endpoint(receiver.url)
    await desk.pool.execute(
        "UPDATE webhook_secrets SET ciphertext = '\\x0102' WHERE endpoint_id = $1", broken
    )
    await desk.authorized()

    assert await desk.process() == 2

    assert len(receiver.received) == 1
    failed = [row for row in await desk.deliveries() if row["endpoint_id"] == broken]
    assert [row["last_error"] for row in failed] == ["internal error"]


def test_a_lease_outlasts_an_attempt() -> None:
    """Otherwise two processes would post the same event at once, as a rule."""
    assert DeliveryLimits().attempt_seconds_max == 15
    assert BRISK.attempt_seconds_max == 0.5
