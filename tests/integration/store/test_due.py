"""What recovery and the sweep find: actions past their lease, old keys, expirable payments."""

import asyncio
from datetime import timedelta

import pytest

from pkg.ids import new_id
from services.payments.adapters.memory import MemoryStore
from services.payments.domain.action import ActionType
from services.payments.ports import Store
from tests.builders import LATER, LIFETIME, MERCHANT, NOW, a_reply, begun, capture
from tests.integration.store.changes import LEASE, an_authorized, ended, keyed, stored

NO_LEASE = timedelta(seconds=-1)
ALL = frozenset(ActionType)


async def test_a_pending_action_is_due_after_its_lease(store: Store) -> None:
    """Recovery gets an action once it is handed over, and one taker at a time."""
    first = await stored(store, keyed(begun()))
    action = first.actions[0]
    assert await store.take_due(ALL, limit=10, lease=LEASE) == []
    await store.leave_pending(first.payment, action, a_reply("pending"))
    assert await store.take_due({ActionType.CAPTURE}, limit=10, lease=LEASE) == []
    assert list(await store.take_due(ALL, limit=10, lease=LEASE)) == [(MERCHANT, action.id)]
    assert await store.take_due(ALL, limit=10, lease=LEASE) == []
    await store.postpone([(MERCHANT, action.id), (MERCHANT, "act_gone")], by=NO_LEASE)
    taken = await store.take_due({ActionType.AUTHORIZE}, limit=10, lease=NO_LEASE)
    assert list(taken) == [(MERCHANT, action.id)]
    await stored(store, ended(first))
    await store.postpone([(MERCHANT, action.id)], by=NO_LEASE)
    assert await store.take_due(ALL, limit=10, lease=LEASE) == []


async def test_takers_share_what_is_due(store: Store) -> None:
    """Two recoveries at once never take the same action."""
    for number in range(20):
        first = await stored(store, keyed(begun(), key=f"k{number}"))
        await store.leave_pending(first.payment, first.actions[0], b"")
    taken = await asyncio.gather(*(store.take_due(ALL, limit=5, lease=LEASE) for _ in range(4)))
    places = [place for batch in taken for place in batch]
    assert len(places) == len(set(places)) == 20


async def test_old_keys_of_ended_actions_are_removed(store: Store) -> None:
    """The sweep removes keys past their time, but none whose action is PENDING."""
    done = await stored(store, keyed(begun(), key="done"))
    await stored(store, ended(done))
    await stored(store, keyed(begun(), key="pending"))
    assert await store.remove_keys(before=NOW, limit=10) == 0
    assert await store.remove_keys(before=LATER, limit=10) == 1
    assert (await store.load(MERCHANT, "", rpc="AUTHORIZE", key="done")).record is None
    assert (await store.load(MERCHANT, "", rpc="AUTHORIZE", key="pending")).record is not None


async def test_expirable_payments_are_listed(store: Store, request: pytest.FixtureRequest) -> None:
    """Open payments past their time are, unless an action of theirs is in flight."""
    due = await an_authorized(store)
    partly = await an_authorized(store)
    first = await stored(store, keyed(capture(partly, 400), key=None))
    partly = (await stored(store, ended(first))).payment
    busy = await an_authorized(store)
    await stored(store, keyed(capture(busy, 400), key=None))
    await an_authorized(store, now=NOW + timedelta(days=1))
    if isinstance(store, MemoryStore):
        store.now = lambda: NOW + LIFETIME
    else:
        await request.getfixturevalue(request.node.callspec.params["store"]).pool.execute(
            "INSERT INTO sandbox_clocks (merchant_id, ahead) VALUES ($1, $2 - clock_timestamp())",
            MERCHANT,
            NOW + LIFETIME,
        )
    assert {id_ for _, id_ in await store.list_expirable(limit=9)} == {due.id, partly.id}
    begun_expiry = due.expire(action_id=new_id("act", LATER), now=NOW + LIFETIME)
    assert begun_expiry is not None
    await stored(store, keyed(begun_expiry, key=None))
    assert {id_ for _, id_ in await store.list_expirable(limit=9)} == {partly.id}
