"""The sweep: recovery of actions in doubt, expiry, and removal of old idempotency keys."""

import asyncio

import structlog

from pkg.errors import DependencyUnavailableError
from services.payments.expire import BATCH as EXPIRE_BATCH
from services.payments.expire import Expiry
from services.payments.ports import Gateway
from services.payments.recover import BATCH, Recovery

logger = structlog.get_logger()

KEYS_BATCH = 1_000


class Sweep:
    """Runs until it is stopped; any number of processes may do so at once."""

    def __init__(self, gateway: Gateway, *, interval_seconds: float) -> None:
        self._gateway = gateway
        self._recovery = Recovery(gateway)
        self._expiry = Expiry(gateway, self._recovery)
        self._interval_seconds = interval_seconds

    async def run(self, stopped: asyncio.Event) -> None:
        """Sweep every `interval_seconds`, or at once while there is more to do."""
        while not stopped.is_set():
            try:
                more = await self.run_once()
            except DependencyUnavailableError:
                logger.warning("the database is not available")
                more = False
            if not more:
                await _wait(stopped, self._interval_seconds)

    async def run_once(self) -> bool:
        """Do what is due; return whether there was more than one batch of it."""
        await self._gateway.store.read_clock()
        tried = await self._recovery.run_once()
        expired = await self._expiry.run_once()
        oldest = self._gateway.clock.now() - self._gateway.limits.key_lifetime
        removed = await self._gateway.store.remove_keys(before=oldest, limit=KEYS_BATCH)
        return tried == BATCH or expired == EXPIRE_BATCH or removed == KEYS_BATCH


async def _wait(stopped: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopped.wait()
    except TimeoutError:
        pass
