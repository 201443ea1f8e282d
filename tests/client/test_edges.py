"""The two edges of the Python client, over HTTP that a test answers: they do the same."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import httpx2
import pytest

from paygate_client import (
    AsyncPaygate,
    Card,
    ConnectionFailedError,
    Expiry,
    Money,
    Paygate,
    PaymentStatus,
    RateLimitedError,
    StillPendingError,
)
from paygate_client._sending import REPLY_BYTES_MAX
from tests.client.gateway import ACTION, API_KEY, DONE, PAYMENT, URL, Answer, Script, refused, said
from tests.sentinels import CVV, VISA
from tools.clients.__main__ import PACKAGE, synchronous
from tools.stack.settings import REPOSITORY

CARD, POUND = Card(VISA, Expiry(12, 2035), CVV), Money(100, "GBP")


class Both:
    """Makes each call by both edges, each with its own script, and compares what comes of it."""

    def __init__(self, *answers: Answer, deadline_seconds: float = 30.0) -> None:
        self.scripts = Script(answers), Script(answers)
        self._deadline_seconds = deadline_seconds

    async def call(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Return the result, or raise the error, of a method such as `events.get`."""
        results = [await self._blocking(name, arguments, named)]
        results.append(await self._asynchronous(name, arguments, named))
        one, other = results
        if isinstance(one, Exception):
            assert type(one) is type(other)
            raise one
        assert one == other
        return one

    async def _blocking(self, name: str, arguments: Sequence[Any], named: Any) -> Any:
        def work() -> Any:
            paygate = Paygate(
                URL, API_KEY, transport=self.scripts[0], deadline_seconds=self._deadline_seconds
            )
            with paygate:
                found = method(paygate, name)(*arguments, **named)
                return list(found) if hasattr(found, "pages") else found

        try:
            return await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001 - it is compared
            return error

    async def _asynchronous(self, name: str, arguments: Sequence[Any], named: Any) -> Any:
        paygate = AsyncPaygate(
            URL, API_KEY, transport=self.scripts[1], deadline_seconds=self._deadline_seconds
        )
        try:
            async with paygate:
                found = method(paygate, name)(*arguments, **named)
                if hasattr(found, "pages"):
                    return [one async for one in found]
                return await found
        except Exception as error:  # noqa: BLE001 - it is compared
            return error


def method(paygate: Any, name: str) -> Any:
    """Return a method of a client, or of a part of it."""
    for one in name.split("."):
        paygate = getattr(paygate, one)
    return paygate


async def test_one_key_goes_with_all_attempts() -> None:
    """A key is made once for a call, and each try sends the very same request."""
    both = Both(httpx2.ReadError, refused(503, "OVERLOADED"), said(DONE))
    outcome = await both.call("authorize", POUND, card=CARD, reference="r")
    assert outcome.succeeded
    for script in both.scripts:
        (key,) = set(script.keys)
        assert key
        assert len(script.requests) == 3
        assert len({request.content for request in script.requests}) == 1
        assert script.bodies[0]["amount"] == {"minor_units": "100", "currency": "GBP"}
    assert both.scripts[0].keys[0] != both.scripts[1].keys[0]


async def test_the_callers_own_key_is_used() -> None:
    """After a crash of its own a program makes the call again with the key that it kept."""
    both = Both(said(DONE))
    await both.call("capture", "pay_1", POUND, idempotency_key="order-1")
    assert {key for script in both.scripts for key in script.keys} == {"order-1"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.ConnectError, ConnectionFailedError),
        (refused(429, "RATE_LIMITED"), RateLimitedError),
    ],
)
async def test_the_deadline_ends_it(answer: Answer, kind: type[Exception]) -> None:
    """Then the last answer is raised, with the key that the call was made with."""
    both = Both(answer, deadline_seconds=0.5)
    with pytest.raises(kind) as raised:
        await both.call("refund", "pay_1", POUND)
    assert len(both.scripts[0].requests) > 1
    assert raised.value.idempotency_key in both.scripts[0].keys  # type: ignore[attr-defined]


async def test_headers_are_those_of_the_api() -> None:
    """The key is a bearer token, JSON is named where there is a body, and nothing is compressed."""
    both = Both(said({"payment": PAYMENT}))
    await both.call("get_payment", "pay_1")
    (request,) = both.scripts[1].requests
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert "content-type" not in request.headers
    both = Both(said(DONE))
    await both.call("void", "pay_1", remainder=True)
    (request,) = both.scripts[1].requests
    assert request.headers["content-type"] == "application/json"
    assert both.scripts[1].bodies[0]["remainder"] is True


async def test_lists_go_from_page_to_page() -> None:
    """Also past an empty page, until there is no token, with the same filters."""
    pages = [
        said({"payments": [PAYMENT, PAYMENT], "next_page_token": "two"}),
        said({"payments": [], "next_page_token": "three"}),
        said({"payments": [PAYMENT], "next_page_token": ""}),
    ]
    both = Both(*pages)
    found = await both.call("list_payments", status=PaymentStatus.AUTHORIZED)
    assert len(found) == 3
    for script in both.scripts:
        assert [query.get("page_token") for query in script.queries] == [None, "two", "three"]
        assert {query["status"] for query in script.queries} == {"STATUS_AUTHORIZED"}


async def test_a_list_that_is_followed_waits_for_more() -> None:
    """It does not end, and its tokens can be kept to go on from."""
    full = {"payments": [PAYMENT] * 100, "next_page_token": "b"}
    script = Script([said(full), said({"payments": [], "next_page_token": "c"})])
    async with AsyncPaygate(URL, API_KEY, transport=script) as paygate:
        listing = paygate.list_payments(follow=True, token="a", poll_seconds=0.01)
        tokens = []
        async for page in listing.pages():
            tokens.append(page.next_token)
            if len(tokens) == 3:
                break
    assert tokens == ["b", "c", "c"]
    assert [query["page_token"] for query in script.queries] == ["a", "b", "c"]
    assert {query["follow"] for query in script.queries} == {"true"}


async def test_it_is_waited_until_nothing_is_pending() -> None:
    """Neither the payment nor an action of it."""
    pending = {**PAYMENT, "status": "STATUS_PENDING"}
    capturing = {**PAYMENT, "actions": [{**ACTION, "status": "STATUS_PENDING"}]}
    final = {**PAYMENT, "actions": [ACTION]}
    both = Both(*(said({"payment": one}) for one in (pending, capturing, final)))
    payment = await both.call("wait_until_final", "pay_1")
    assert payment.is_final
    for script in both.scripts:
        assert len(script.requests) == 3
        assert {query["include_actions"] for query in script.queries} == {"true"}
    with pytest.raises(StillPendingError, match="STILL_PENDING"):
        await Both(said({"payment": pending})).call("wait_until_final", "pay_1", seconds_max=0.2)


@pytest.mark.parametrize(("piece", "pause"), [(b" ", 0.01), (b" " * 2**20, 0.0)])
async def test_a_reply_without_an_end_is_given_up(piece: bytes, pause: float) -> None:
    """What drips ends with the deadline; what pours ends when there is too much of it."""

    class Endless(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, stream=Pieces())

    class Pieces(httpx2.AsyncByteStream):
        async def __aiter__(self) -> Any:
            for _ in range(2 + REPLY_BYTES_MAX // len(piece)):
                await asyncio.sleep(pause)
                yield piece
            pytest.fail("it was read to its end")

    async with AsyncPaygate(URL, API_KEY, transport=Endless(), deadline_seconds=0.2) as paygate:
        with pytest.raises(ConnectionFailedError):
            await paygate.get_payment("pay_1")


def test_the_blocking_edge_says_what_the_other_one_says() -> None:
    """Nothing of asyncio is left in what is generated, neither in its code nor in its words."""
    for module in (REPOSITORY / PACKAGE / "_async").glob("*.py"):
        left = re.findall(
            r"\b(?:async|await|asyncio|Async\w+|a(?:close|iter)\w*)\b",
            synchronous(module.read_text()),
        )
        assert left == [], module
