"""Listeners: programs that take a merchant's webhooks and post them on their own machines."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import pytest
from standardwebhooks import Webhook

from pkg.errors import ValidationFailedError
from pkg.postgres.sql import open_pool
from pkg.process.mode import Mode
from services.events.deliver import DeliveryLimits
from services.events.sealing import shown
from services.events.target import check_url
from services.payments.adapters.postgres_listeners import PostgresListeners
from services.payments.domain.errors import EndpointNotFoundError, ListenerReplacedError
from services.payments.listening import Listener, ListenerAnswer, ListenerMessage, Listening
from tests.builders import MERCHANT
from tests.database import as_part
from tests.integration.events.desk import Desk, opened

URL = "https://listener.paygate.test/shop"
T = TypeVar("T")


@dataclass
class Scene:
    """A desk whose relay runs, and what listeners ask."""

    desk: Desk
    listening: Listening
    endpoint_id: str
    secret: bytes

    async def take(
        self, name: str = "a", *, begin: bool = False, seconds: float = 3
    ) -> list[ListenerMessage]:
        """Take what there is for a listener of the endpoint."""
        listener = Listener(merchant_id=MERCHANT, endpoint_id=self.endpoint_id, name=name)
        return list(await self.listening.take(listener, begin=begin, seconds=seconds))

    async def answer(
        self, message: ListenerMessage, status: int, problem: str = "", reply: str = ""
    ) -> bool:
        """Answer a message; return whether that counts."""
        answer = ListenerAnswer(
            endpoint_id=self.endpoint_id,
            id=message.id,
            status_code=status,
            problem=problem,
            reply=reply,
        )
        return await self.listening.answer(MERCHANT, answer)

    async def until(self, is_so: Callable[[], Awaitable[T]]) -> T:
        """Wait until something is so."""
        async with asyncio.timeout(10):
            while not (found := await is_so()):
                await asyncio.sleep(0.02)
            return found

    async def attempted(self, times: int = 1) -> tuple[str, str, str]:
        """Wait for attempts; return the status of the first delivery, what was wrong, the reply."""

        async def recorded() -> bool:
            deliveries = await self.desk.deliveries()
            return bool(deliveries) and deliveries[0]["attempts_in_all"] >= times

        await self.until(recorded)
        (first, *_) = await self.desk.deliveries()
        reply = await self.desk.pool.fetchval(
            "SELECT reply FROM webhook_attempts ORDER BY number DESC LIMIT 1"
        )
        return first["status"], first["last_error"], reply


@asynccontextmanager
async def staged(url: str, limits: DeliveryLimits | None = None) -> AsyncIterator[Scene]:
    """Have the relay run, and an endpoint for listeners."""
    stopped = asyncio.Event()
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(opened(url, limits))
        pool = await stack.enter_async_context(
            await open_pool(
                as_part(url, "paygate_sandbox"), size=2, command_timeout_seconds=5, name="test"
            )
        )
        endpoint_id, secret = await desk.endpoint(URL)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(desk.relay.run(stopped))
            tasks.create_task(desk.deliverer.run(stopped))
            yield Scene(desk, Listening(PostgresListeners(pool)), endpoint_id, secret)
            stopped.set()
            desk.deliverer.look()


@pytest.fixture
async def scene(payments_database_url: str) -> AsyncIterator[Scene]:
    """The same; an attempt lasts for three seconds."""
    limits = DeliveryLimits(lease=timedelta(seconds=6))
    async with staged(payments_database_url, limits) as scene:
        yield scene


async def test_what_waits_for_a_listener_is_tried_when_there_is_one(scene: Scene) -> None:
    """It is signed as always, and the answer is the endpoint's."""
    await scene.desk.authorized()
    assert await scene.attempted() == ("PENDING", "no listener is connected", "")
    (message,) = await scene.take(begin=True)
    event = Webhook(shown(scene.secret)).verify(message.body, dict(message.headers))
    assert (event["id"], message.attempt, message.taken_before) == (message.event_id, 2, False)
    assert await scene.answer(message, 200, reply="card 4242 4242 4242 4242 ok")
    status, error, reply = await scene.attempted(2)
    assert (status, error) == ("DELIVERED", "")
    assert reply.startswith("card ***")
    assert not await scene.desk.pool.fetch("SELECT FROM listener_messages")


@pytest.mark.parametrize(
    ("status", "problem", "error"),
    [(503, "", "http 503"), (0, "connection refused", "connection refused")],
)
async def test_what_fails_on_that_machine_is_tried_again(
    scene: Scene, status: int, problem: str, error: str
) -> None:
    """On the schedule of every endpoint."""
    await scene.take(begin=True, seconds=0)
    await scene.desk.authorized()
    (message,) = await scene.take()
    assert await scene.answer(message, status, problem)
    assert (await scene.attempted())[:2] == ("PENDING", error)
    (delivery,) = await scene.desk.deliveries()
    assert timedelta(seconds=3) < delivery["wait"] < timedelta(seconds=6)


async def test_events_of_a_payment_come_one_after_the_other(scene: Scene) -> None:
    """The next one when the one before was taken."""
    await scene.take(begin=True, seconds=0)
    await scene.desk.captured(await scene.desk.authorized(), times=2)
    for _ in range(3):
        (message,) = await scene.take()
        assert await scene.take(seconds=0.3) == []
        assert await scene.answer(message, 204)


async def test_who_does_not_answer_gets_it_again(scene: Scene) -> None:
    """When its time is over, and says nothing any more."""
    await scene.take(begin=True, seconds=0)
    await scene.desk.authorized()
    (message,) = await scene.take()
    assert (await scene.attempted())[:2] == ("PENDING", "no answer in time")
    assert not await scene.answer(message, 200)
    await scene.desk.advance(timedelta(seconds=10))
    (again,) = await scene.take()
    assert (again.event_id, again.attempt) == (message.event_id, 2)
    assert await scene.answer(again, 200)


async def test_a_new_listener_takes_the_place_and_what_was_not_answered(scene: Scene) -> None:
    """Who comes after a crash is told that the message may have been posted already."""
    await scene.take("a", begin=True, seconds=0)
    await scene.desk.authorized()
    (message,) = await scene.take("a")
    (same,) = await scene.take("b", begin=True)
    assert (same.id, same.taken_before) == (message.id, True)
    with pytest.raises(ListenerReplacedError):
        await scene.take("a")
    assert await scene.take("b", seconds=0) == []
    assert await scene.answer(same, 200)
    assert not await scene.answer(message, 503)
    assert (await scene.attempted())[0] == "DELIVERED"


async def test_who_waits_is_told_that_another_has_begun(scene: Scene) -> None:
    """By its next question."""
    await scene.take("a", begin=True, seconds=0)
    waiting = asyncio.create_task(scene.take("a", seconds=1))
    await asyncio.sleep(0.2)
    await scene.take("b", begin=True, seconds=0)
    await scene.desk.authorized()
    assert len(await scene.take("b")) == 1
    assert await waiting == []


async def test_only_endpoints_for_listeners_have_some(scene: Scene) -> None:
    """One's own."""
    scene.endpoint_id, _ = await scene.desk.endpoint("https://inbox.paygate.test/")
    with pytest.raises(ValidationFailedError):
        await scene.take(begin=True)
    scene.endpoint_id, _ = await scene.desk.endpoint(URL, merchant_id="mer_other")
    with pytest.raises(EndpointNotFoundError):
        await scene.take(begin=True)
    assert not await scene.desk.pool.fetch("SELECT FROM listeners")


async def test_what_a_relay_has_left_behind_goes(scene: Scene) -> None:
    """With the next message of the endpoint."""
    await scene.take(begin=True, seconds=0)
    await scene.desk.pool.execute(
        "INSERT INTO listener_messages SELECT $1, $2, 'msg_old', 'evt_1', 1, '{}', '{}',"
        " now() - interval '2 minutes'",
        MERCHANT,
        scene.endpoint_id,
    )
    await scene.desk.authorized()

    async def gone() -> bool:
        rows = await scene.desk.pool.fetch("SELECT id FROM listener_messages")
        return bool(rows) and "msg_old" not in {row["id"] for row in rows}

    await scene.until(gone)
    (message,) = [one for one in await scene.take() if one.event_id != "evt_1"]
    assert await scene.answer(message, 200)


@pytest.mark.parametrize("url", [URL, "https://listener.paygate.test/"])
def test_listeners_are_the_sandboxs(url: str) -> None:
    """Production takes no such URL."""
    assert check_url(url, Mode.SANDBOX) is None
    assert check_url(url, Mode.PRODUCTION) == "must have a public address"


@pytest.mark.parametrize(
    "url",
    [
        "https://listener.paygate.test/Shop",
        "https://LISTENER.paygate.test/",
        "https://listener.paygate.test:444/",
        "https://listener.paygate.test./",
        "https://listener.paygate.test/a/b",
        "https://listener.paygate.test/?a",
        f"https://listener.paygate.test/{'a' * 41}",
    ],
)
def test_listeners_have_no_other_url(url: str) -> None:
    """A mistake is told, and not looked up as a name."""
    assert "must be https://listener.paygate.test/" in str(check_url(url, Mode.SANDBOX))
