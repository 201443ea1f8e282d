"""What is committed comes back as it was; a version or a key that is gone lets nothing through."""

import asyncio
from dataclasses import replace

from services.payments.domain.action import ActionStatus
from services.payments.domain.status import Status
from services.payments.domain.views import view_of
from services.payments.ports import Change, CommitResult, Reader, Store
from tests.builders import LATER, MERCHANT, a_reply, begun, capture, gbp, void_remainder
from tests.integration.store.changes import (
    EVERYTHING,
    OnPostgres,
    an_authorized,
    ended,
    keyed,
    stored,
)


async def test_a_new_payment_comes_back_as_it_was_stored(store: Store) -> None:
    """What is loaded equals what was committed, field by field, for payment and action."""
    change = await stored(store, keyed(begun(reference="order 7")))
    action = change.actions[0]
    loaded = await store.load(MERCHANT, change.payment.id, rpc=action.type, key="k")
    assert loaded.payment == change.payment
    assert loaded.record is not None
    assert (loaded.record.fingerprint, loaded.record.reply) == (b"f", None)
    found = await store.load_action(MERCHANT, action.id)
    assert found is not None
    assert (found.payment, found.action, found.authorization) == (change.payment, action, action)


async def test_a_settled_payment_comes_back_as_it_was_stored(store: Store, reader: Reader) -> None:
    """An update stores every field that a change may touch."""
    payment = await an_authorized(store)
    first = await stored(store, keyed(capture(payment, 400, final=True)))
    second = await stored(store, ended(first, a_reply("reply")))
    found = await store.load_action(MERCHANT, first.actions[0].id)
    assert found is not None
    assert (found.payment, found.action) == (second.payment, second.actions[0])
    assert found.authorization.status is ActionStatus.SUCCEEDED
    assert found.reply == a_reply("reply")
    assert await reader.get_payment(MERCHANT, payment.id) == view_of(second.payment)
    assert await reader.get_payment("mer_b", payment.id) is None


async def test_a_release_of_the_rest_comes_back_as_it_was_stored(
    store: Store, reader: Reader
) -> None:
    """While it is under way, and when it has ended."""
    first = await stored(store, keyed(capture(await an_authorized(store), 400), key="c"))
    part = await stored(store, ended(first))
    begun_release = await stored(store, keyed(void_remainder(part.payment)))
    assert await reader.get_payment(MERCHANT, part.payment.id) == view_of(begun_release.payment)
    done = await stored(store, ended(begun_release, a_reply("reply")))
    found = await store.load_action(MERCHANT, done.actions[0].id)
    assert found is not None
    assert (found.payment, found.action) == (done.payment, done.actions[0])


async def test_nothing_is_stored_on_a_version_that_has_passed(store: Store) -> None:
    """Of two changes decided on one version the second is a conflict and leaves no trace."""
    payment = await an_authorized(store)
    await stored(store, keyed(capture(payment, 1), key=None))
    late = keyed(capture(payment, 2), key="late")
    assert await store.commit(late) is CommitResult.CONFLICT
    loaded = await store.load(MERCHANT, payment.id, rpc=late.actions[0].type, key="late")
    assert loaded.record is None
    assert await store.load_action(MERCHANT, late.actions[0].id) is None


async def test_a_held_key_lets_nothing_through(store: Store) -> None:
    """A second request with the same key stores neither its payment nor its action."""
    await stored(store, keyed(begun()))
    twin = keyed(begun(), fingerprint=b"other")
    assert await store.commit(twin) is CommitResult.KEY_HELD
    loaded = await store.load(MERCHANT, twin.payment.id, rpc="AUTHORIZE", key="k")
    assert loaded.payment is None
    assert loaded.record is not None
    assert loaded.record.fingerprint == b"f"


async def test_a_key_is_held_for_one_merchant_and_one_rpc(store: Store) -> None:
    """The same key is free for another merchant and for another RPC."""
    first = await stored(store, keyed(begun()))
    await stored(store, keyed(begun(merchant_id="mer_b")))
    authorized = (await stored(store, ended(first))).payment
    await stored(store, keyed(capture(authorized, 5)))


async def test_of_many_changes_at_once_one_wins(store: Store) -> None:
    """Changes decided on one version and sent together: one is committed, the others conflict."""
    payment = await an_authorized(store)
    changes = [keyed(capture(payment, 10), key=None) for _ in range(30)]
    results = await asyncio.gather(*map(store.commit, changes))
    assert sorted(result.name for result in results) == ["COMMITTED"] + ["CONFLICT"] * 29
    loaded = await store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment is not None
    assert loaded.payment.capturing == gbp(10)


async def test_of_many_twins_at_once_one_gets_the_key(store: Store) -> None:
    """Requests with one key that arrive together: one is committed, the others find it held."""
    results = await asyncio.gather(*(store.commit(keyed(begun())) for _ in range(30)))
    assert sorted(result.name for result in results) == ["COMMITTED"] + ["KEY_HELD"] * 29


async def test_changes_of_many_payments_go_together(store: Store, reader: Reader) -> None:
    """A group of changes that have nothing to do with each other is stored whole."""
    firsts = [keyed(begun(), key=f"k{n}") for n in range(100)]
    results = await asyncio.gather(*map(store.commit, firsts))
    assert set(results) == {CommitResult.COMMITTED}
    results = await asyncio.gather(*(store.commit(ended(first, a_reply("r"))) for first in firsts))
    assert set(results) == {CommitResult.COMMITTED}
    listed = await reader.list_payments(MERCHANT, EVERYTHING, place=None, size=200)
    assert {payment.id for payment in listed.items} == {first.payment.id for first in firsts}
    assert {payment.status for payment in listed.items} == {Status.AUTHORIZED}


async def test_an_action_that_has_ended_is_never_changed_again(store: Store) -> None:
    """A second settlement is refused by the store itself, whatever version it claims."""
    first = await stored(store, keyed(begun()))
    second = await stored(store, ended(first))
    again = replace(second.payment, version=second.payment.version + 1)
    failed = second.actions[0].ended(ActionStatus.FAILED, LATER)
    assert await store.commit(Change(payment=again, actions=(failed,))) is CommitResult.CONFLICT
    found = await store.load_action(MERCHANT, failed.id)
    assert found is not None
    assert found.action == second.actions[0]


async def test_a_reply_is_stored_with_the_change_that_ends_the_action(store: Store) -> None:
    """After the second commit the key answers with the stored bytes."""
    first = await stored(store, keyed(begun()))
    await stored(store, ended(first, a_reply("\x00bytes")))
    loaded = await store.load(MERCHANT, "", rpc="AUTHORIZE", key="k")
    assert loaded.record is not None
    assert loaded.record.reply == a_reply("\x00bytes")


async def test_a_pending_reply_never_replaces_a_final_one(store: Store) -> None:
    """`leave_pending` stores its reply only while the action is PENDING and has none."""
    first = await stored(store, keyed(begun()))
    action = first.actions[0]
    await store.leave_pending(first.payment, action, a_reply("pending"))
    loaded = await store.load(MERCHANT, "", rpc="AUTHORIZE", key="k")
    assert loaded.record is not None
    assert loaded.record.reply == a_reply("pending")
    await stored(store, ended(first, a_reply("final")))
    await store.leave_pending(first.payment, action, a_reply("late"))
    loaded = await store.load(MERCHANT, "", rpc="AUTHORIZE", key="k")
    assert loaded.record is not None
    assert loaded.record.reply == a_reply("final")


async def test_every_change_that_ends_an_action_leaves_an_event(on_postgres: OnPostgres) -> None:
    """The outbox gets the event in the same statement, with the payment's version as sequence."""
    first = await stored(on_postgres.store, keyed(begun()))
    second = await stored(on_postgres.store, ended(first))
    rows = await on_postgres.pool.fetch("SELECT id, payment_id, sequence, type FROM outbox")
    assert second.event is not None
    assert [tuple(row) for row in rows] == [
        (second.event.id, second.payment.id, 2, "payment.authorized")
    ]
