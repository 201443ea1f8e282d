"""Leases: what a living process is at work on is nobody else's, for however long."""

from datetime import timedelta

import pytest

from services.payments.adapters.memory import MemoryStore
from services.payments.domain.action import ActionType
from services.payments.ports import ActionPlace, Change
from services.payments.use_cases.leases import Leases
from tests.builders import MERCHANT, begun

NO_LEASE = timedelta(0)


@pytest.fixture
async def store() -> MemoryStore:
    """A store in which every lease is over at once."""
    return MemoryStore(lease=NO_LEASE)


async def pending(store: MemoryStore) -> ActionPlace:
    """Store an action that is due."""
    payment, action = begun()
    await store.commit(Change(payment=payment, actions=(action,)))
    return MERCHANT, action.id


async def taken(store: MemoryStore) -> list[ActionPlace]:
    """Take what is due."""
    return list(await store.take_due({ActionType.AUTHORIZE}, limit=10, lease=NO_LEASE))


async def test_what_is_held_is_leased_again_and_again(store: MemoryStore) -> None:
    """Nobody else takes it, until it is held no longer or its owner lives no longer."""
    leases, held, other = Leases(store), await pending(store), await pending(store)
    with leases.held(held), leases.held(held):
        await leases.renew()
        assert await taken(store) == [other]
        assert leases.places == [held]
    assert leases.places == []
    await leases.give_back([held])
    assert set(await taken(store)) == {held, other}


async def test_what_is_held_twice_is_held_until_the_last(store: MemoryStore) -> None:
    """An action may be reached in two ways."""
    leases, place = Leases(store), await pending(store)
    with leases.held(place):
        with leases.held(place):
            pass
        assert leases.places == [place]
