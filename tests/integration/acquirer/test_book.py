"""The bank's book on a real PostgreSQL: first outcomes, races, and what the tables refuse."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random

import asyncpg
import pytest

from services.acquirer import simulator
from services.acquirer.book import Book
from services.acquirer.cards import Decline
from services.acquirer.errors import ReferenceReusedError, UnreachableError
from services.acquirer.simulator import (
    Approved,
    Capture,
    Declined,
    Instruction,
    NotFound,
    Refund,
    Void,
)
from tests.database import migrate, postgres_of_its_own, running
from tests.integration.acquirer.entries import applied, hold, line, opened


@pytest.fixture
async def sql(acquirer_database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to the same book, past the bank."""
    connection = await asyncpg.connect(acquirer_database_url)
    yield connection
    await connection.close()


async def test_the_book_outlives_the_process(acquirer_database_url: str) -> None:
    """What was recorded by one process has the same outcome in the next one."""
    before = await opened(acquirer_database_url)
    made = await before.authorize(hold("auth"))
    outcome = await applied(before, "c1", "auth", Capture(minor_units=1000))
    refusal = await applied(before, "c2", "auth", Capture(minor_units=1))
    await before.close()

    after = await opened(acquirer_database_url)
    assert made == hold("auth")
    assert await after.authorize(hold("auth")) == await line(after, "auth")
    assert outcome == Approved(simulator.approval_code("c1"))
    assert await applied(after, "c1", "auth", Capture(minor_units=1000)) == outcome
    assert await after.inquire("c1") == outcome
    assert refusal == Declined(Decline.CAPTURE_REJECTED)
    assert await applied(after, "c2", "auth", Capture(minor_units=1)) == refusal
    assert await after.inquire("c2") == refusal
    assert (await line(after, "auth")).captured == 1000
    await after.close()


async def test_twins_have_one_effect(book: Book) -> None:
    """The same reference many times at once: one effect, and the same outcome for all."""
    made = await asyncio.gather(*(book.authorize(hold("auth")) for _ in range(20)))
    assert set(made) == {hold("auth")}
    for reference, operation in (
        ("c", Capture(minor_units=600)),
        ("r", Refund(minor_units=600)),
        ("v", Void()),
    ):
        outcomes = await asyncio.gather(
            *(applied(book, reference, "auth", operation) for _ in range(20))
        )
        assert len(set(outcomes)) == 1
    settled = await line(book, "auth")
    assert (settled.captured, settled.refunded, settled.released) == (600, 600, 400)


async def test_twins_on_different_authorizations(book: Book) -> None:
    """Only one of two authorizations can be captured under one reference."""
    for number in range(20):
        await book.authorize(hold(f"a{number}"))
        await book.authorize(hold(f"b{number}"))
        results = await asyncio.gather(
            applied(book, f"c{number}", f"a{number}", Capture(minor_units=5)),
            applied(book, f"c{number}", f"b{number}", Capture(minor_units=5)),
            return_exceptions=True,
        )
        assert Counter(map(type, results)) == {Approved: 1, ReferenceReusedError: 1}
        lines = [await line(book, f"{name}{number}") for name in "ab"]
        assert sum(authorization.captured for authorization in lines) == 5


async def test_many_captures_at_once_never_exceed_the_hold(book: Book) -> None:
    """Of 50 captures of 30 on a hold of 1000 exactly 33 are approved."""
    await book.authorize(hold("auth"))
    outcomes = await asyncio.gather(
        *(applied(book, f"c{number}", "auth", Capture(minor_units=30)) for number in range(50))
    )
    assert Counter(map(type, outcomes)) == {Approved: 33, Declined: 17}
    assert (await line(book, "auth")).captured == 990


async def test_a_void_and_a_capture_exclude_each_other(book: Book) -> None:
    """Whichever comes first wins, and the other is declined."""
    for number in range(30):
        await book.authorize(hold(f"a{number}"))
        outcomes = await asyncio.gather(
            applied(book, f"v{number}", f"a{number}", Void()),
            applied(book, f"c{number}", f"a{number}", Capture(minor_units=1)),
        )
        assert Counter(map(type, outcomes)) == {Approved: 1, Declined: 1}


async def test_the_operations_add_up(book: Book, sql: asyncpg.Connection) -> None:
    """Random operations from many callers: the sums of what was approved are the book's amounts."""
    await book.authorize(hold("auth"))
    random = Random(20260101)
    await asyncio.gather(
        *(
            applied(book, f"op{number}", "auth", operation)
            for number, operation in enumerate(
                random.choice((Capture, Refund))(minor_units=random.randint(1, 80))
                for _ in range(200)
            )
        )
    )
    sums = await sql.fetchrow(
        "SELECT sum(minor_units) FILTER (WHERE verb = 'CAPTURE') AS captured,"
        " sum(minor_units) FILTER (WHERE verb = 'REFUND') AS refunded"
        " FROM operations WHERE approval_code IS NOT NULL"
    )
    settled = await line(book, "auth")
    assert sums is not None
    assert (settled.captured, settled.refunded) == (sums["captured"], sums["refunded"] or 0)
    assert await sql.fetchval("SELECT count(*) FROM operations") == 200


async def test_an_unknown_authorization(book: Book) -> None:
    """An operation on it is declined, recorded, and stays declined when it comes later."""
    assert await book.inquire("c") == NotFound()
    outcomes = await asyncio.gather(
        *(applied(book, "c", "auth", Capture(minor_units=1)) for _ in range(20))
    )
    assert set(outcomes) == {Declined(Decline.CAPTURE_REJECTED)}
    await book.authorize(hold("auth"))
    assert await applied(book, "c", "auth", Capture(minor_units=1)) == outcomes[0]
    assert await book.inquire("c") == outcomes[0]


async def test_a_stale_view_is_decided_again(book: Book) -> None:
    """What was found before somebody else's change is not what the decision rests on."""
    await book.authorize(hold("auth"))
    instruction = Instruction(reference="v", authorization_reference="auth", operation=Void())
    stale = await book.find(instruction)
    await applied(book, "c", "auth", Capture(minor_units=1))
    assert await book.apply(instruction, stale) == Declined(Decline.VOID_REJECTED)
    settled = await line(book, "auth")
    assert settled == replace(hold("auth"), captured=1, version=2)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("captured = 1001", id="captured more than held"),
        pytest.param("captured = -1", id="captured less than nothing"),
        pytest.param("refunded = 401, status = 'CLOSED', released = 600", id="refunded too much"),
        pytest.param("refunded = 100", id="refunded while open"),
        pytest.param("released = 600", id="released while open"),
        pytest.param("released = 599, status = 'CLOSED'", id="closed with a rest"),
        pytest.param("status = 'VOIDED', released = 600", id="voided after a capture"),
        pytest.param("status = 'REVERSED'", id="reversed after a capture"),
        pytest.param("status = 'DECLINED', decline_code = 'X'", id="declined and captured"),
        pytest.param(
            "captured = 500, released = 600, status = 'CLOSED'", id="captured what was released"
        ),
        pytest.param("minor_units = 0, captured = 0", id="nothing held"),
        pytest.param("minor_units = NULL", id="a hold without an amount"),
        pytest.param("currency = 'gbp'", id="a currency that is none"),
        pytest.param("status = 'SPENT'", id="a status that is none"),
        pytest.param("decline_code = 'LOST_CARD'", id="both approved and declined"),
    ],
)
async def test_the_tables_refuse_what_cannot_be(
    book: Book, sql: asyncpg.Connection, change: str
) -> None:
    """Every money rule is also a constraint: of the authorization here 400 of 1000 is captured."""
    await book.authorize(hold("auth"))
    await applied(book, "c", "auth", Capture(minor_units=400))
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute(f"UPDATE authorizations SET {change}")  # noqa: S608  # the table's own


async def test_it_waits_for_the_database_only_so_long(acquirer_database_url: str) -> None:
    """A database that never comes ends the attempts with an error that names no address."""
    nowhere = acquirer_database_url.replace("acquirer_", "nobodys_").replace("host=", "host=/nope")
    with pytest.raises(UnreachableError) as raised:
        await opened(nowhere, attempts_max=3)
    assert "nope" not in str(raised.value)


async def test_it_heals_when_the_database_comes_back() -> None:
    """While PostgreSQL is away calls fail as unreachable; afterwards all is as it was."""
    with postgres_of_its_own() as server:
        await server.initialise()
        async with running(server):
            await server.make_databases()
            await migrate(server, "acquirer")
            book = await opened(server.url("acquirer", "acquirer"))
            await book.authorize(hold("auth"))
        for _ in range(3):
            with pytest.raises(UnreachableError):
                await book.inquire("auth")
        async with running(server):
            outcome = await applied(book, "c", "auth", Capture(minor_units=1))
            assert outcome == Approved(simulator.approval_code("c"))
            await book.close()
