"""A fair share for each merchant: turns, lines, and what is refused."""

import asyncio

import pytest

from paygate.payments.v1.payment_service_pb2 import ListPaymentsResponse
from pkg.errors import RateLimitedError
from pkg.grpc.shares import PIECE, Shares, fill_in_pieces


async def reading(
    shares: Shares, merchant_id: str, begun: list[str], may_end: asyncio.Event
) -> None:
    """Take a turn, say so, and end when it is allowed."""
    async with shares.turn(merchant_id):
        begun.append(merchant_id)
        await may_end.wait()


async def begun_by(*merchants: str, shares: Shares) -> tuple[list[str], list[str]]:
    """Return whose turn came while nobody ended, and in the end."""
    begun: list[str] = []
    may_end = asyncio.Event()
    tasks = [asyncio.create_task(reading(shares, one, begun, may_end)) for one in merchants]
    for _ in range(5):
        await asyncio.sleep(0)
    at_first = list(begun)
    may_end.set()
    await asyncio.gather(*tasks)
    return at_first, begun


async def test_a_merchant_has_its_turns_whatever_others_do() -> None:
    """With two at once the third waits until one has ended, and nobody else waits for it."""
    shares = Shares(waiting_max=9, wait_seconds_max=2, at_once=2)
    at_first, begun = await begun_by("a", "a", "a", "a", "b", shares=shares)
    assert (at_first, begun) == (["a", "a", "b"], ["a", "a", "b", "a", "a"])


async def test_a_line_that_is_full_is_refused_at_once() -> None:
    """So a merchant's reads cannot take all the places of a process; another's are let in."""
    refused: list[None] = []
    shares = Shares(waiting_max=1, wait_seconds_max=2, refused=lambda: refused.append(None))
    may_end = asyncio.Event()
    tasks = [asyncio.create_task(reading(shares, "a", [], may_end)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimitedError) as caught:
        await begun_by("a", shares=shares)
    assert caught.value.retry_after_seconds == 1
    assert len(refused) == 1
    assert await begun_by("b", shares=shares) == (["b"], ["b"])
    may_end.set()
    await asyncio.gather(*tasks)


async def test_nobody_waits_for_ever() -> None:
    """A turn that does not come in time is refused, and the line goes on without it."""
    shares = Shares(waiting_max=9, wait_seconds_max=0.01)
    async with shares.turn("a"):
        with pytest.raises(RateLimitedError):
            await begun_by("a", shares=shares)
    assert await begun_by("a", shares=shares) == (["a"], ["a"])


async def test_who_goes_away_in_the_line_takes_no_place() -> None:
    """A caller that hangs up while it waits leaves the turn to the next."""
    shares = Shares(waiting_max=9, wait_seconds_max=2)
    async with shares.turn("a"):
        gone = asyncio.create_task(reading(shares, "a", [], asyncio.Event()))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
    assert await begun_by("a", shares=shares) == (["a"], ["a"])


async def test_others_are_served_between_pieces() -> None:
    """Many rows are encoded in several goes, all of them and in their order."""
    goes: list[None] = []

    async def look() -> None:
        while True:
            goes.append(None)
            await asyncio.sleep(0)

    other = asyncio.create_task(look())
    rows = range(3 * PIECE + 1)
    reply = ListPaymentsResponse()
    await fill_in_pieces(reply.payments, rows, lambda row: {"id": str(row)})
    assert [payment.id for payment in reply.payments] == [str(row) for row in rows]
    assert len(goes) == 3
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
