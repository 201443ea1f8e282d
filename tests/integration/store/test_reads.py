"""What a reader sees: payments and their actions, in order, a page at a time."""

import asyncio
from datetime import timedelta

from pkg.grpc.lists import ListPosition, Page, Period
from services.payments.domain.action import ActionStatus
from services.payments.domain.status import Status
from services.payments.domain.views import PaymentView, action_view_of, view_of
from services.payments.ports import Change, PaymentFilter, Reader, Store
from tests.builders import MERCHANT, NOW, begun, capture
from tests.integration.store.changes import (
    EVERYTHING,
    OnPostgres,
    an_authorized,
    ended,
    keyed,
    stored,
)


async def test_actions_are_listed_oldest_first(store: Store, reader: Reader) -> None:
    """The history of a payment comes by sequence, a page at a time; None without a payment."""
    payment = await an_authorized(store)
    for _ in range(3):
        change = await stored(store, ended(await stored(store, keyed(capture(payment, 1), None))))
        payment = change.payment
    listed = await reader.list_actions(MERCHANT, payment.id, after_sequence=0, limit=3)
    assert [action.sequence for action in listed or ()] == [1, 2, 3]
    listed = await reader.list_actions(MERCHANT, payment.id, after_sequence=3, limit=3)
    assert [action.sequence for action in listed or ()] == [4]
    assert await reader.list_actions(MERCHANT, payment.id, after_sequence=4, limit=3) == []
    assert await reader.list_actions("mer_b", payment.id, after_sequence=0, limit=3) is None
    assert await reader.list_actions(MERCHANT, "pay_0", after_sequence=0, limit=3) is None


async def test_a_payment_comes_with_its_actions(store: Store, reader: Reader) -> None:
    """Both are of one instant, the actions oldest first; of another merchant there is nothing."""
    first = await stored(store, keyed(begun(), key=None))
    second = await stored(store, ended(first))
    third = await stored(store, keyed(capture(second.payment, 1), key=None))
    found = await reader.get_payment_with_actions(MERCHANT, first.payment.id, limit=9)
    assert found is not None
    actions = map(action_view_of, [*second.actions, *third.actions])
    assert (found[0], list(found[1])) == (view_of(third.payment), list(actions))
    assert await reader.get_payment_with_actions("mer_b", first.payment.id, limit=9) is None


async def test_a_payment_is_never_older_than_its_actions(on_postgres: OnPostgres) -> None:
    """Looked at while it is settled: no payment is PENDING whose authorization has ended."""
    firsts = [await stored(on_postgres.store, keyed(begun(), key=None)) for _ in range(150)]

    async def look(first: Change) -> None:
        while True:
            found = await on_postgres.reader.get_payment_with_actions(
                MERCHANT, first.payment.id, limit=9
            )
            assert found is not None
            payment, (action,) = found
            assert (payment.status == Status.PENDING) is (action.status == ActionStatus.PENDING)
            if payment.status != Status.PENDING:
                return

    async def settle(first: Change) -> None:
        await asyncio.sleep(0.002)  # the others look meanwhile
        await stored(on_postgres.store, ended(first))

    for first in firsts:
        await asyncio.gather(look(first), look(first), settle(first))


async def test_of_many_actions_the_newest_come_with_their_payment(
    store: Store, reader: Reader
) -> None:
    """As many as are asked for, oldest first."""
    payment = await an_authorized(store)
    for _ in range(4):
        first = await stored(store, keyed(capture(payment, 1), key=None))
        payment = (await stored(store, ended(first))).payment
    found = await reader.get_payment_with_actions(MERCHANT, payment.id, limit=3)
    assert found is not None
    assert found[0] == view_of(payment)
    assert [action.sequence for action in found[1]] == [3, 4, 5]


async def test_payments_are_listed_newest_first(store: Store, reader: Reader) -> None:
    """Filters are joined, bounds are half-open, pages follow each other, merchants are apart."""
    hours = [NOW + timedelta(hours=n) for n in range(5)]
    ids = [
        (await an_authorized(store, now=hour, reference=f"r{n % 2}")).id
        for n, hour in enumerate(hours)
    ]
    await an_authorized(store, merchant_id="mer_b")
    pending = (await stored(store, keyed(begun(now=hours[4]), key=None))).payment.id

    async def listed(wanted: PaymentFilter, place: ListPosition | None = None) -> list[str]:
        found = await reader.list_payments(MERCHANT, wanted, place=place, size=3)
        return [payment.id for payment in found.items]

    newest = [pending, *reversed(ids)]
    first = await reader.list_payments(MERCHANT, EVERYTHING, place=None, size=3)
    assert [payment.id for payment in first.items] == newest[:3]
    assert first.has_more
    assert await listed(EVERYTHING, first.place) == newest[3:]
    assert await listed(PaymentFilter(status=Status.PENDING)) == [pending]
    assert await listed(PaymentFilter(reference="r1")) == [ids[3], ids[1]]
    assert await listed(PaymentFilter(reference="r1", status=Status.PENDING)) == []
    bounds = PaymentFilter(made=Period(after=hours[1], before=hours[3]))
    assert await listed(bounds) == [ids[2], ids[1]]


async def test_payments_are_followed_oldest_first(store: Store, reader: Reader) -> None:
    """From a place that was kept a list goes on with what was committed since, and only that."""
    hours = [NOW + timedelta(hours=n) for n in range(4)]
    ids = [
        (await an_authorized(store, now=hour, reference=f"r{n % 2}")).id
        for n, hour in enumerate(hours)
    ]

    async def followed(
        wanted: PaymentFilter, place: ListPosition | None = None
    ) -> Page[PaymentView]:
        return await reader.follow_payments(MERCHANT, wanted, place=place, size=3)

    def ids_of(page: Page[PaymentView]) -> list[str]:
        return [payment.id for payment in page.items]

    page = await followed(EVERYTHING)
    assert (ids_of(page), page.has_more) == (ids[:3], True)
    page = await followed(EVERYTHING, page.place)
    assert (ids_of(page), page.has_more) == (ids[3:], False)
    assert ids_of(await followed(EVERYTHING, page.place)) == []
    late = (await an_authorized(store, now=hours[3], reference="r1")).id
    assert ids_of(await followed(EVERYTHING, page.place)) == [late]
    assert ids_of(await followed(PaymentFilter(reference="r1"))) == [ids[1], ids[3], late]
    bounds = PaymentFilter(made=Period(after=hours[1], before=hours[3]))
    assert ids_of(await followed(bounds)) == ids[1:3]
