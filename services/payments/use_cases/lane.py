"""A lane of recovery: actions of some types, several at once, and none behind another."""

import asyncio
from collections.abc import Collection

import structlog

from pkg.errors import DependencyUnavailableError
from services.payments.domain.action import ActionType
from services.payments.ports import ActionPlace, Store
from services.payments.use_cases.leases import LEASE
from services.payments.use_cases.recover import Recovery

logger = structlog.get_logger()


class Lane:
    """Takes what is due as soon as there is room for it.

    Args:
        store: Where the actions are.
        recovery: Tries to settle them.
        types: Of which types.
        room: How many may be under way.
    """

    def __init__(
        self, store: Store, recovery: Recovery, types: Collection[ActionType], *, room: int
    ) -> None:
        self._store = store
        self._recovery = recovery
        self._types = types
        self._room = room
        self._under_way: set[asyncio.Task[None]] = set()

    async def take(self) -> bool:
        """Begin with what is due; return whether there may be more than there was room for."""
        if len(self._under_way) == self._room:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        free = self._room - len(self._under_way)
        places = await self._store.take_due(self._types, limit=free, lease=LEASE)
        for place in places:
            task = asyncio.create_task(self._attempt(place))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(places) == free

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def stop(self) -> None:
        """Break off what is under way: it is where a crash would have left it."""
        for task in self._under_way:
            task.cancel()
        await self.drain()

    async def _attempt(self, place: ActionPlace) -> None:
        try:
            await self._recovery.attempt(place)
        except DependencyUnavailableError:
            logger.warning("the database is not available", action=place[1])
        except Exception:
            logger.exception("recovery failed", action=place[1])
