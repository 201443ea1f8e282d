"""Reversals on a real PostgreSQL: what they undo, what they block, and whom they race."""

import asyncio
from collections import Counter

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
    """Either the capture is approved and the reversal declined, or the other way round."""
    for number in range(30):
        await book.authorize(hold(f"a{number}"))
        outcomes = await asyncio.gather(
            applied(book, f"c{number}", f"a{number}", Capture(minor_units=1)),
            book.reverse(f"a{number}"),
        )
        assert Counter(map(type, outcomes)) in (
            {Approved: 1, Declined: 1},
            {Declined: 1, Reversed: 1},
        )


async def test_a_reversal_blocks_an_unknown_reference(book: Book) -> None:
    """The tombstone stays for ever: a late authorization of any amount never goes through."""
    assert await book.reverse("auth") == Reversed()
    assert await book.reverse("auth") == Reversed()
    for minor_units in (1000, 1):
        late = await book.authorize(hold("auth", minor_units))
        assert simulator.replay_authorize(late, hold("auth", minor_units)) == Reversed()
    assert await book.inquire("auth") == Reversed()


@pytest.mark.parametrize(
    ("operation", "outcome"),
    [
        (None, Reversed()),
        (Void(), Reversed()),
        (Capture(minor_units=1), Declined(Decline.VOID_REJECTED)),
    ],
)
async def test_what_can_be_reversed(
    book: Book, operation: Operation | None, outcome: Reversed | Declined
) -> None:
    """Whatever nothing was captured of, as often as it is asked; otherwise nothing changes."""
    await book.authorize(hold("auth"))
    if operation:
        await applied(book, "op", "auth", operation)
    before = await line(book, "auth")
    assert await book.reverse("auth") == outcome
    after = await line(book, "auth")
    if outcome == Reversed():
        assert (after.status, after.released) == (Status.REVERSED, 1000)
        assert await book.reverse("auth") == outcome
    else:
        assert after == before


async def test_a_declined_authorization_can_be_reversed(book: Book) -> None:
    """There is nothing to undo, and nothing is released."""
    declined = simulator.authorize("auth", Scenario.LOST_CARD, minor_units=1000, currency="GBP")
    await book.authorize(declined)
    assert await book.inquire("auth") == Declined(Decline.LOST_CARD)
    assert await book.reverse("auth") == Reversed()
    assert (await line(book, "auth")).released == 0
    assert await book.inquire("auth") == Reversed()
