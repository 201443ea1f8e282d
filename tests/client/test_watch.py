"""Watches of the Python client, over streams that a test answers: both edges do the same."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from paygate_client import (
    AsyncPaygate,
    AuthenticationError,
    ConnectionFailedError,
    GatewayError,
    Paygate,
    RateLimitedError,
)
from paygate_client._sending import Lines
from tests.client.gateway import API_KEY, DONE, TIME, URL, Answer, Script, refused

UNAUTHENTICATED = refused(401, "UNAUTHENTICATED", code=16)


def told(*messages: tuple[str, str], rest: bytes = b"") -> httpx2.Response:
    """Return a stream of events with their cursors; one without a name is a sign of life."""
    lines = b""
    for name, cursor in messages:
        event = {"id": name, "type": "payment.authorized", "data": DONE, "sequence": "2"}
        said = {"event": {**event, "create_time": TIME}} if name else {}
        lines += b"data: " + json.dumps({**said, "cursor": cursor}).encode() + b"\n\n"
    headers = {"content-type": "text/event-stream"}
    return httpx2.Response(200, headers=headers, content=lines + rest)


class Watched:
    """What came of a watch: ids with the cursors behind them, cursors asked for, and an error."""

    def __init__(self, script: Script, found: list[tuple[str, str]], error: object) -> None:
        self.found = found
        self.asked = [query.get("cursor") for query in script.queries]
        self.error = error


async def watch(
    *answers: Answer,
    deadline_seconds: float = 30.0,
    each: Callable[[Any], object] = lambda _: None,
    **about: Any,
) -> Watched:
    """Watch by both edges until an error or the end, and compare what comes of it."""
    scripts = Script(answers), Script(answers)

    def blocking() -> Watched:
        found: list[tuple[str, str]] = []
        with Paygate(URL, API_KEY, transport=scripts[0]) as paygate:
            watching = paygate.events.watch(deadline_seconds=deadline_seconds, **about)
            try:
                for event in watching:
                    found.append((event.id, watching.cursor))
                    each(watching)
            except Exception as error:  # noqa: BLE001 - it is compared
                return Watched(scripts[0], found, error)
        return Watched(scripts[0], found, None)

    one, found = await asyncio.to_thread(blocking), list[tuple[str, str]]()
    async with AsyncPaygate(URL, API_KEY, transport=scripts[1]) as paygate:
        watching = paygate.events.watch(deadline_seconds=deadline_seconds, **about)
        error: object = None
        try:
            async for event in watching:
                found.append((event.id, watching.cursor))
                each(watching)
        except Exception as problem:  # noqa: BLE001 - it is compared
            error = problem
    other = Watched(scripts[1], found, error)
    assert (one.found, type(one.error)) == (other.found, type(other.error))
    return one


async def test_it_goes_on_from_the_last_cursor_whatever_ends_a_stream() -> None:
    """Its end, an error in between or at once, too many watches, and a message that is cut."""
    watched = await watch(
        told(("", "a"), ("evt_1", "b")),
        httpx2.ConnectError,
        told(("evt_2", "c"), ("", "d"), rest=b'data: {"cursor": "never", "eve'),
        refused(429, "WATCH_LIMIT", code=8),
        refused(503, "WATCH_ENDED", code=14),
        httpx2.ReadTimeout,
        told(("evt_3", "e")),
        UNAUTHENTICATED,
    )
    assert watched.found == [("evt_1", "b"), ("evt_2", "c"), ("evt_3", "e")]
    assert watched.asked == [None, "b", "b", "d", "d", "d", "d", "e"]
    assert isinstance(watched.error, AuthenticationError)


async def test_it_begins_where_it_is_told_to() -> None:
    """With a cursor that was kept, and with its filters every time."""
    watched = await watch(told(("evt_1", "b")), UNAUTHENTICATED, cursor="kept", payment="pay_1")
    assert watched.asked == ["kept", "b"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.ConnectError, ConnectionFailedError),
        (refused(429, "WATCH_LIMIT", code=8), RateLimitedError),
        (told(), ConnectionFailedError),
        (told(rest=b"data: [\n\n"), GatewayError),
    ],
)
async def test_the_deadline_ends_it(answer: Answer, kind: type[Exception]) -> None:
    """If nothing comes but that; what can't be read is an error at once."""
    watched = await watch(answer, deadline_seconds=1.5)
    assert isinstance(watched.error, kind)


async def test_the_time_that_an_event_takes_does_not_count() -> None:
    """The stream has ended meanwhile, and is asked for again."""
    watched = await watch(
        told(("evt_1", "a")),
        told(("evt_2", "b")),
        UNAUTHENTICATED,
        deadline_seconds=1.0,
        each=lambda _: time.sleep(1.2),
    )
    assert [name for name, _ in watched.found] == ["evt_1", "evt_2"]
    assert isinstance(watched.error, AuthenticationError)


async def test_it_ends_when_it_is_closed() -> None:
    """Nothing is given any more, and the cursor stays where it is."""

    def close(watching: Any) -> None:
        ending = getattr(watching, "aclose", None)
        if ending is None:
            watching.close()
        else:
            with pytest.raises(StopIteration):
                ending().send(None)

    watched = await watch(told(("evt_1", "a"), ("evt_2", "b")), each=close)
    assert (watched.found, watched.error, watched.asked) == ([("evt_1", "a")], None, [None])


def test_messages_come_in_any_pieces() -> None:
    """What is no data is left out, such as a comment."""
    for size in (1, 2, 7, 100):
        lines, text = Lines(), b": hello\ndata: {}\n\nid: 1\ndata: []\n\nda"
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        assert [one for piece in pieces for one in lines.of(piece)] == [b"{}", b"[]"]
