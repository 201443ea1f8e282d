"""Expiry: releases what is left of authorizations whose time is over."""

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.ids import new_id
from services.payments.ports import Change, Commit, Gateway, InDoubt
from services.payments.recover import Recovery

logger = structlog.get_logger()

BATCH = 100


class Expiry:
    """Begins expiries and has them settled like any action, in any number of processes."""

    def __init__(self, gateway: Gateway, recovery: Recovery) -> None:
        self._gateway = gateway
        self._recovery = recovery

    async def run_once(self) -> int:
        """Expire what is due; return how many payments were tried.

        What the bank does not acknowledge now is PENDING, and recovery goes on with it.
        """
        due = await self._gateway.store.list_expirable(limit=BATCH)
        for merchant_id, payment_id in due:
            try:
                await self._expire(merchant_id, payment_id)
            except DependencyUnavailableError:
                raise
            except Exception:
                # One bad payment holds up no other.
                logger.exception("expiry failed", payment=payment_id)
        return len(due)

    async def _expire(self, merchant_id: str, payment_id: str) -> None:
        loaded = await self._gateway.store.load(merchant_id, payment_id, rpc="", key=None)
        now = self._gateway.clock.now()
        begun = loaded.payment and loaded.payment.expire(action_id=new_id("act", now), now=now)
        if not begun:
            return  # somebody was faster, or an action is in flight: the next sweep looks again
        payment, action = begun
        change = Change(payment=payment, actions=(action,))
        if await self._gateway.store.commit(change) is not Commit.COMMITTED:
            return
        await self._recovery.settle(InDoubt(payment, action, action, None))
