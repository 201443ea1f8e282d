"""Expiry: releases what is left of authorizations whose time is over."""

import asyncio

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.ids import new_id
from services.payments.ports import Change, CommitResult, InDoubt, Ports
from services.payments.use_cases.recover import Recovery

logger = structlog.get_logger()

BATCH = 16


class Expiry:
    """Begins expiries and has them settled like any action, in any number of processes."""

    def __init__(self, ports: Ports, recovery: Recovery) -> None:
        self._ports = ports
        self._recovery = recovery

    async def run_once(self) -> bool:
        """Expire what is due, side by side; return whether there may be more of it.

        What the bank does not acknowledge now is PENDING, and recovery goes on with it. While it is
        known to be away, nothing is begun.
        """
        try:
            self._ports.acquirer.ensure_reachable()
        except DependencyUnavailableError:
            return False
        due = await self._ports.store.list_expirable(limit=BATCH)
        begun = await asyncio.gather(*(self._try(*place) for place in due))
        return sum(begun) == BATCH

    async def _try(self, merchant_id: str, payment_id: str) -> bool:
        try:
            return await self._expire(merchant_id, payment_id)
        except DependencyUnavailableError:
            logger.warning("the database is not available", payment=payment_id)
        except Exception:
            # One bad payment holds up no other.
            logger.exception("expiry failed", payment=payment_id)
        return False

    async def _expire(self, merchant_id: str, payment_id: str) -> bool:
        """Expire a payment; return whether that has begun."""
        loaded = await self._ports.store.load(merchant_id, payment_id, rpc="", key=None)
        now = self._ports.clock.now(merchant_id)
        begun = loaded.payment and loaded.payment.expire(action_id=new_id("act", now), now=now)
        if not begun:
            return False  # somebody was faster, or an action is in flight: looked at again later
        payment, action = begun
        change = Change(payment=payment, actions=(action,))
        if await self._ports.store.commit(change) is not CommitResult.COMMITTED:
            return False
        await self._recovery.attempt_found(InDoubt(payment, action, action, None))
        return True
