"""Recovery: settles actions whose answer from the bank is not known.

The same code serves a worker that died and an answer that was lost. An action PENDING longer than
its lease is looked up at the bank by its reference. An authorization that the bank does not know is
reversed, since its CVV is gone and it cannot be sent again; anything else is sent again under the
same reference. Where the bank says nothing for an hour, the operator may.
"""

import asyncio
from datetime import timedelta

import structlog

from pkg.ids import new_id
from services.payments.domain.action import ActionType
from services.payments.domain.event import event_of
from services.payments.domain.outcome import (
    Answer,
    NotFound,
    Rejected,
    Resolution,
    Reversed,
    Unknown,
)
from services.payments.domain.settle import settle_expiry, settle_reversal
from services.payments.ports import Change, Commit, Gateway, InDoubt
from services.payments.steps import Begun, checked, conclude, load_in_doubt

logger = structlog.get_logger()

LEASE = timedelta(seconds=10)
BATCH = 100
CONCURRENCY = 16


class Recovery:
    """Takes what is due and settles it, several at once, in any number of processes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def run_once(self) -> int:
        """Try to settle every action that is due; return how many were tried."""
        due = await self._gateway.store.take_due(limit=BATCH, lease=LEASE)
        results = await asyncio.gather(
            *(self._try(merchant_id, action_id) for merchant_id, action_id in due),
            return_exceptions=True,
        )
        for (_, action_id), result in zip(due, results, strict=True):
            if isinstance(result, BaseException):
                # Its lease runs out and it is tried again; one bad action holds up no other.
                logger.error("recovery failed", action=action_id, exc_info=result)
        return len(due)

    async def _try(self, merchant_id: str, action_id: str) -> None:
        async with self._slots:
            found = await load_in_doubt(self._gateway, merchant_id, action_id)
            if not await self.settle(found):
                await self._gateway.store.postpone(merchant_id, action_id, by=self._wait(found))

    async def settle(self, found: InDoubt) -> bool:
        """Try to settle an action; return whether it needs no further try.

        Raises:
            DependencyUnavailableError: The database is not available; the lease brings it back.
        """
        action, payment = found.action, found.payment
        if action.type in {ActionType.REVERSE, ActionType.EXPIRE}:
            return await self._release(found)
        if action.type is ActionType.AUTHORIZE and payment.reversing:
            return False  # its reversal settles it
        answer = await self._inquire(found)
        if isinstance(answer, NotFound):
            if action.type is ActionType.AUTHORIZE:
                return await self._begin_reversal(found)
            answer = await self._gateway.acquirer.perform(payment.authorization_id, action)
            if isinstance(answer, Rejected):
                answer = await checked(self._gateway, action, answer)
        if isinstance(answer, Unknown):
            return False
        await conclude(self._gateway, Begun(payment, action), answer)
        logger.info("settled", action=action.id, payment=payment.id, answer=type(answer).__name__)
        return True

    async def _inquire(self, found: InDoubt) -> Answer | NotFound:
        """Ask the bank; where it says nothing that ends the action, the operator's word counts."""
        action = found.action
        answer = await self._gateway.acquirer.inquire(action)
        match answer, found.resolution:
            case Unknown(), Resolution() as word:
                pass
            # What the bank has never heard of was not done. An authorization is reversed all the
            # same: it may still arrive.
            case NotFound(), Resolution.FAILED as word if action.type is not ActionType.AUTHORIZE:
                pass
            case _:
                return answer
        _log_word(found)
        return word.answer

    async def _begin_reversal(self, found: InDoubt) -> bool:
        """Record the reversal, then ask for it: a late approval is no longer believed."""
        now = self._gateway.clock.now()
        payment, reversal = found.payment.reverse(action_id=new_id("act", now), now=now)
        change = Change(payment=payment, actions=(reversal,))
        if await self._gateway.store.commit(change) is not Commit.COMMITTED:
            return False
        await self._release(InDoubt(payment, reversal, found.authorization, None))
        return True

    async def _release(self, found: InDoubt) -> bool:
        """Have the bank release a hold, and settle what that was for."""
        authorization = found.payment.authorization_id
        answer = await self._gateway.acquirer.reverse(authorization)
        if not isinstance(answer, Reversed):
            if found.resolution is None:
                return False  # asked again until it is acknowledged
            _log_word(found)
        if found.action.type is ActionType.EXPIRE:
            return await self._expired(found)
        return await self._reversed(found)

    async def _expired(self, found: InDoubt) -> bool:
        now = self._gateway.clock.now()
        settled = settle_expiry(found.payment, found.action, now)
        if settled is None:
            return True
        event = event_of(*settled, event_id=new_id("evt", now))
        change = Change(payment=settled[0], actions=(settled[1],), event=event)
        return await self._gateway.store.commit(change) is Commit.COMMITTED

    async def _reversed(self, found: InDoubt) -> bool:
        now = self._gateway.clock.now()
        settled = settle_reversal(found.payment, found.action, found.authorization, now)
        if settled is None:
            return True
        failed, reversal, authorization = settled
        change = Change(
            payment=failed,
            actions=(authorization, reversal),
            event=event_of(failed, authorization, event_id=new_id("evt", now)),
            reply=self._gateway.replies.render(authorization, failed, now),
        )
        done = await self._gateway.store.commit(change) is Commit.COMMITTED
        if done:
            logger.info("reversed", action=authorization.id, payment=failed.id)
        return done

    def _wait(self, found: InDoubt) -> timedelta:
        """Wait longer the longer the action is in doubt: from half a second to five."""
        age = self._gateway.clock.now() - found.action.create_time
        return min(max(age / 4, timedelta(seconds=0.5)), timedelta(seconds=5))


def _log_word(found: InDoubt) -> None:
    logger.warning(
        "ended by the operator's word",
        action=found.action.id,
        payment=found.payment.id,
        resolution=found.resolution,
    )
