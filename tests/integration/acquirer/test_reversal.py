"""Reversals on a real PostgreSQL: what they undo, what they block, and whom they race."""

import asyncio

import pytest

from services.acquirer import simulator
from services.acquirer.book import Book
from services.acquirer.cards import Decline, Scenario
from services.acquirer.simulator import (
    Approved,
    Capture,
    Declined,
    Operation,
    Reversed,
    Status,
    Void,
)
from tests.integration.acquirer.entries import applied, hold, line


async def test_a_reversal_and_a_late_authorization(book: Book) -> None:
    """Whichever comes first, in the end the authorization is reversed and nothing is held."""
    for number in range(100):
        reference = f"a{number}"
        race = [book.authorize(hold(reference)), book.reverse(reference)]
        outcomes = await asyncio.gather(*race[:: 1 if number % 2 else -1])
        assert Reversed() in outcomes
        assert await book.inquire(reference) == Reversed()
        settled = await line(book, reference)
        assert settled.status is Status.REVERSED
        assert settled.minor_units == settled.released
        late = await applied(book, f"c{number}", reference, Capture(minor_units=1))
        assert late == Declined(Decline.CAPTURE_REJECTED)


async def test_a_reversal_and_a_capture(book: Book) -> None:
    """Either the capture is approved and keeps its money, or the reversal came first."""
    for number in range(30):
        await book.authorize(hold(f"a{number}"))
        outcomes = await asyncio.gather(
            applied(book, f"c{number}", f"a{number}", Capture(minor_units=1)),
            book.reverse(f"a{number}"),
        )
        after = await line(book, f"a{number}")
        if isinstance(outcomes[0], Approved):
            assert (after.status, after.captured, after.released) == (Status.CLOSED, 1, 999)
        else:
            assert (after.status, after.captured, after.released) == (Status.REVERSED, 0, 1000)


async def test_a_reversal_blocks_an_unknown_reference(book: Book) -> None:
    """The tombstone stays for ever: a late authorization of any amount never goes through."""
    assert await book.reverse("auth") == Reversed()
    assert await book.reverse("auth") == Reversed()
    for minor_units in (1000, 1):
        late = await book.authorize(hold("auth", minor_units))
        assert simulator.replay_authorize(late, hold("auth", minor_units)) == Reversed()
    assert await book.inquire("auth") == Reversed()


@pytest.mark.parametrize(
    ("operation", "status", "released"),
    [
        (None, Status.REVERSED, 1000),
        (Void(), Status.REVERSED, 1000),
        (Capture(minor_units=1), Status.CLOSED, 999),
        (Capture(minor_units=1, final=True), Status.CLOSED, 999),
        (Capture(minor_units=1000), Status.CLOSED, 0),
    ],
)
async def test_what_is_reversed(
    book: Book, operation: Operation | None, status: Status, released: int
) -> None:
    """What is still held is released, as often as it is asked; what was captured stays."""
    await book.authorize(hold("auth"))
    if operation:
        await applied(book, "op", "auth", operation)
    captured = (await line(book, "auth")).captured
    for _ in range(2):
        assert await book.reverse("auth") == Reversed()
        after = await line(book, "auth")
        assert (after.status, after.released, after.captured) == (status, released, captured)
    late = Capture(minor_units=1)
    assert isinstance(await applied(book, "late", "auth", late), Declined)


async def test_a_declined_authorization_can_be_reversed(book: Book) -> None:
    """There is nothing to undo, and nothing is released."""
    declined = simulator.authorize("auth", Scenario.LOST_CARD, minor_units=1000, currency="GBP")
    await book.authorize(declined)
    assert await book.inquire("auth") == Declined(Decline.LOST_CARD)
    assert await book.reverse("auth") == Reversed()
    assert (await line(book, "auth")).released == 0
    assert await book.inquire("auth") == Reversed()
