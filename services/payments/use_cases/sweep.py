"""The sweep: recovery of actions in doubt, expiry, and removal of old keys and cards."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.process.repeating import repeat
from services.payments.domain.action import ActionType
from services.payments.ports import NOBODYS, Ports
from services.payments.use_cases.cards import BATCH as CARDS_BATCH
from services.payments.use_cases.cards import purge_cards
from services.payments.use_cases.expire import Expiry
from services.payments.use_cases.lane import Lane
from services.payments.use_cases.leases import RENEWAL_SECONDS, Leases
from services.payments.use_cases.recover import Recovery

logger = structlog.get_logger()

# Somebody waits for these. What nobody waits for is apart, so that it can be late alone.
AWAITED = frozenset(ActionType) - {ActionType.EXPIRE}
AWAITED_ROOM, EXPIRIES_ROOM = 64, 16

KEYS_BATCH = 1_000
KEYS_SECONDS, CARDS_SECONDS, VISITS_SECONDS = 1.0, 5.0, 1.0
VISITS_PAUSE = timedelta(hours=1)
# What is under way usually ends within it; a bank that hangs is not waited for.
STOP_SECONDS = 1.0


class Sweep:
    """Runs until it is stopped; any number of processes may do so at once.

    Its chores are done side by side: none waits for another's trouble.
    """

    def __init__(self, ports: Ports, *, interval_seconds: float) -> None:
        self._ports = ports
        self._interval_seconds = interval_seconds
        self._leases = Leases(ports.store)
        recovery = Recovery(ports, self._leases)
        self._lanes = (
            Lane(ports.store, recovery, AWAITED, room=AWAITED_ROOM),
            Lane(ports.store, recovery, {ActionType.EXPIRE}, room=EXPIRIES_ROOM),
        )
        self._expiry = Expiry(ports, recovery)

    async def run(self, stopped: asyncio.Event) -> None:
        """Sweep every `interval_seconds`, or at once while there is more to do."""
        interval = self._interval_seconds
        chores: list[tuple[Callable[[], Awaitable[bool]], float]] = [
            *((lane.take, interval) for lane in self._lanes),
            (self._expiry.run_once, interval),
            (self._leases.renew, RENEWAL_SECONDS),
            (self.remove_keys, KEYS_SECONDS),
            (self.purge_cards, CARDS_SECONDS),
            (self.visit_ahead, VISITS_SECONDS),
        ]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(repeat(work, stopped, seconds=seconds))
                for work, seconds in chores
            ]
            await stopped.wait()
            await self._stop(tasks)

    async def run_once(self) -> None:
        """Do what is due, one batch of each chore."""
        await self.recover()
        await self._expiry.run_once()
        await self.remove_keys()
        await self.purge_cards()
        await self.visit_ahead()

    async def recover(self) -> None:
        """Try to settle every action that is due."""
        for lane in self._lanes:
            await lane.take()
            await lane.drain()

    async def remove_keys(self) -> bool:
        """Remove old idempotency keys; return whether there may be more."""
        oldest = self._ports.clock.now(NOBODYS) - self._ports.limits.key_lifetime
        removed = await self._ports.store.remove_keys(before=oldest, limit=KEYS_BATCH)
        return removed >= KEYS_BATCH

    async def purge_cards(self) -> bool:
        """Remove cards that are not kept any longer; return whether there may be more."""
        return await purge_cards(self._ports) >= CARDS_BATCH

    async def visit_ahead(self) -> bool:
        """Remove what is too old by one clock that is ahead; return whether there may be more.

        No index has keys and cards by their merchants' times. A merchant is visited when it turns
        its clock, and then every hour, a batch at a time: many have their turns.
        """
        store, visits = self._ports.store, self._ports.visits
        merchant_id = await visits.next(pause=VISITS_PAUSE)
        if merchant_id is None:
            return False
        oldest = self._ports.clock.now(merchant_id) - self._ports.limits.key_lifetime
        keys = await store.remove_keys(before=oldest, limit=KEYS_BATCH, merchant_id=merchant_id)
        cards = await purge_cards(self._ports, merchant_id)
        if keys >= KEYS_BATCH or cards >= CARDS_BATCH:
            await visits.again(merchant_id, pause=VISITS_PAUSE)
        return True

    async def _stop(self, chores: list[asyncio.Task[None]]) -> None:
        """Let what is under way end; break off what does not, and leave it to others at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.wait(chores)
                for lane in self._lanes:
                    await lane.drain()
        left = self._leases.places
        for chore in chores:
            chore.cancel()
        for lane in self._lanes:
            await lane.stop()
        with suppress(DependencyUnavailableError):
            await self._leases.give_back(left)
