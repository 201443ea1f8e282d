"""Changes of one payment in a row: stored whole, or not at all."""

from collections.abc import Sequence
from dataclasses import replace

from services.payments.domain.payment import Payment
from services.payments.domain.views import view_of
from services.payments.ports import Change, CommitResult, Reader, Store
from tests.builders import MERCHANT, a_reply, capture, gbp
from tests.integration.store.changes import (
    OnPostgres,
    an_authorized,
    ended,
    keyed,
    loses_acknowledgements,
    stored,
)


def row_of(payment: Payment, *amounts: int, key: str | None = None) -> list[Change]:
    """Return captures of a payment, each decided on the one before; the last one is keyed."""
    row = []
    for number, amount in enumerate(amounts, start=1):
        change = keyed(capture(payment, amount), key if number == len(amounts) else None)
        row.append(change)
        payment = change.payment
    return row


def ends_of(payment: Payment, row: Sequence[Change]) -> list[Change]:
    """Return the ends of captures, each settled on the one before."""
    ends = []
    for change in row:
        end = ended(replace(change, payment=payment), a_reply(change.actions[0].id))
        ends.append(end)
        payment = end.payment
    return ends


async def test_a_row_is_stored_whole(store: Store, reader: Reader) -> None:
    """Its actions, its keys, its replies, and what the last one leaves of the payment."""
    payment = await an_authorized(store)
    row = row_of(payment, 100, 20, 3, key="row")
    assert await store.commit_row(row) is CommitResult.COMMITTED
    loaded = await store.load(MERCHANT, payment.id, rpc="CAPTURE", key="row")
    assert loaded.payment == row[-1].payment
    assert loaded.record is not None
    assert loaded.record.action_id == row[-1].actions[0].id
    ends = ends_of(row[-1].payment, row)
    assert await store.commit_row(ends) is CommitResult.COMMITTED
    assert await reader.get_payment(MERCHANT, payment.id) == view_of(ends[-1].payment)
    assert ends[-1].payment.captured == gbp(123)
    for end in ends:
        found = await store.load_action(MERCHANT, end.actions[0].id)
        assert found is not None
        assert found.action == end.actions[0]
    loaded = await store.load(MERCHANT, "", rpc="CAPTURE", key="row")
    assert loaded.record is not None
    assert loaded.record.reply == ends[-1].reply


async def test_a_row_on_an_old_version_is_a_conflict(store: Store) -> None:
    """Nothing of it is stored, neither of its beginning nor of its end."""
    payment = await an_authorized(store)
    first = await stored(store, keyed(capture(payment, 1), key=None))
    late = row_of(payment, 5, 6, key="late")
    assert await store.commit_row(late) is CommitResult.CONFLICT
    loaded = await store.load(MERCHANT, payment.id, rpc="CAPTURE", key="late")
    assert (loaded.payment, loaded.record) == (first.payment, None)
    row = row_of(first.payment, 5, 6)
    assert await store.commit_row(row) is CommitResult.COMMITTED
    assert await store.commit_row(ends_of(first.payment, row)) is CommitResult.CONFLICT
    loaded = await store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment == row[-1].payment


async def test_a_row_with_a_key_that_is_held_is_not_stored(store: Store) -> None:
    """Nor one that wants a key twice; its other keys stay free."""
    payment = await an_authorized(store)
    first = await stored(store, keyed(capture(payment, 1), key="held"))
    row = [
        keyed(capture(first.payment, 5), "free"),
        *row_of(capture(first.payment, 5)[0], 6, key="held"),
    ]
    assert await store.commit_row(row) is CommitResult.KEY_HELD
    twice = [
        keyed(capture(first.payment, 5), "twice"),
        *row_of(capture(first.payment, 5)[0], 6, key="twice"),
    ]
    assert await store.commit_row(twice) is CommitResult.KEY_HELD
    for key in ("free", "twice"):
        loaded = await store.load(MERCHANT, payment.id, rpc="CAPTURE", key=key)
        assert (loaded.payment, loaded.record) == (first.payment, None)


async def test_a_row_of_which_one_has_ended_is_not_stored(store: Store) -> None:
    """Whoever has ended it changed the payment: on that, too, the row is refused, and whole."""
    payment = await an_authorized(store)
    row = row_of(payment, 5, 6)
    assert await store.commit_row(row) is CommitResult.COMMITTED
    (first, second) = ends_of(row[-1].payment, row)
    await stored(store, first)
    again = ended(replace(row[0], payment=first.payment))
    both = [again, ended(replace(row[1], payment=again.payment))]
    assert await store.commit_row(both) is CommitResult.KEY_HELD
    loaded = await store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment == first.payment
    assert await store.commit(second) is CommitResult.COMMITTED


async def test_a_row_whose_money_is_wrong_is_not_stored(on_postgres: OnPostgres) -> None:
    """A CHECK refuses all of it; one by one it is seen which of them it was."""
    payment = await an_authorized(on_postgres.store)
    row = row_of(payment, 5, 6)
    spoilt = replace(row[-1].payment, capturing=gbp(1001))
    wrong = [row[0], replace(row[1], payment=spoilt)]
    assert await on_postgres.store.commit_row(wrong) is CommitResult.KEY_HELD
    loaded = await on_postgres.store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment == payment


async def test_a_row_whose_acknowledgement_is_lost_is_looked_up(on_postgres: OnPostgres) -> None:
    """Its last action tells what became of all."""
    payment = await an_authorized(on_postgres.store)
    loses_acknowledgements(on_postgres.store)
    row = row_of(payment, 5, 6)
    assert await on_postgres.store.commit_row(row) is CommitResult.COMMITTED
    ends = ends_of(row[-1].payment, row)
    assert await on_postgres.store.commit_row(ends) is CommitResult.COMMITTED
