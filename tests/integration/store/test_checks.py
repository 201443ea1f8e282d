"""Rules about money are CHECKs: what the domain would never decide cannot be stored."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from services.payments.domain.hold import Hold
from services.payments.ports import CommitResult
from tests.builders import MERCHANT, begun, capture, captured, gbp
from tests.integration.store.changes import OnPostgres, an_authorized, ended, keyed, stored


async def test_one_bad_change_does_not_spoil_its_group(on_postgres: OnPostgres) -> None:
    """A CHECK that one change of a group violates fails that change alone."""
    payment = await an_authorized(on_postgres.store)
    good = [keyed(begun(), key=f"k{n}") for n in range(10)]
    bad = keyed(capture(payment, 400), key="bad")
    bad = replace(bad, payment=replace(bad.payment, capturing=gbp(1001)))
    results = await asyncio.gather(
        *map(on_postgres.store.commit, [*good[:5], bad, *good[5:]]), return_exceptions=True
    )
    assert isinstance(results.pop(5), asyncpg.CheckViolationError)
    assert set(results) == {CommitResult.COMMITTED}
    loaded = await on_postgres.store.load(MERCHANT, payment.id, rpc="CAPTURE", key="bad")
    assert (loaded.payment, loaded.record) == (payment, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"captured": gbp(1001)},
        {"captured": gbp(600), "capturing": gbp(500)},
        {"captured": gbp(-1)},
        {"captured": gbp(500), "refunded": gbp(501)},
        {"captured": gbp(500), "refunded": gbp(300), "refunding": gbp(201)},
        {"captured": gbp(500), "refunding": gbp(1), "capturing": gbp(1)},
        {"captured": gbp(500), "hold": Hold.VOIDED},
        {"capturing": gbp(500), "hold": Hold.VOIDING},
        {"capturing": gbp(500), "hold": Hold.EXPIRING},
        {"hold": Hold.CLOSED},
        {"reversing": True},
    ],
    ids=str,
)
async def test_the_database_refuses_wrong_money(
    on_postgres: OnPostgres, wrong: dict[str, object]
) -> None:
    """Every rule about money is a CHECK: what the domain would never decide cannot be stored."""
    payment = await an_authorized(on_postgres.store)
    change = keyed(capture(payment, 1), key=None)
    if wrong.keys() & {"captured", "refunded"} or wrong.get("hold") is Hold.CLOSED:
        # What no action changes by its beginning is written when it has ended.
        change = ended(await stored(on_postgres.store, change))
    spoilt = replace(change.payment, **{"captured": gbp(0), "capturing": gbp(0), **wrong})  # type: ignore[arg-type]
    with pytest.raises(asyncpg.CheckViolationError):
        await on_postgres.store.commit(replace(change, payment=spoilt))


FLAGS = ("closing", "closed", "voiding", "voided", "expiring", "expired")


@pytest.mark.parametrize("first", FLAGS)
async def test_the_database_knows_one_state_of_a_hold(on_postgres: OnPostgres, first: str) -> None:
    """No two of its flags are set together, but for what a version before could write."""
    payment = await an_authorized(on_postgres.store)
    for second in FLAGS:
        if first == second or {first, second} == {"closed", "expiring"}:
            continue
        # Of this list alone, and of no one else.
        statement = f"UPDATE payments SET {first} = true, {second} = true WHERE id = $1"  # noqa: S608
        with pytest.raises(asyncpg.CheckViolationError):
            await on_postgres.pool.execute(statement, payment.id)


async def test_an_older_versions_expiry_is_one(on_postgres: OnPostgres) -> None:
    """It could set `closed` beside `expiring`: that is an expiry under way."""
    payment = captured(await an_authorized(on_postgres.store), 400)
    await on_postgres.pool.execute(
        "UPDATE payments SET captured = 400, closed = true, expiring = true WHERE id = $1",
        payment.id,
    )
    found = await on_postgres.reader.get_payment(MERCHANT, payment.id)
    assert found is not None
    assert not found.is_open
    loaded = await on_postgres.store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment is not None
    assert loaded.payment.hold is Hold.EXPIRING
