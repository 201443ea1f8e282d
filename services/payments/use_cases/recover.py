"""Recovery: settles an action whose answer from the bank is not known.

The same code serves a worker that died and an answer that was lost. An action PENDING longer than
its lease is looked up at the bank by its reference. An authorization that the bank does not know is
reversed, since its CVV is gone and it cannot be sent again; anything else is sent again under the
same reference. Where the bank says nothing for an hour, the operator may.
"""

from datetime import timedelta

import structlog

from pkg.ids import new_id
from services.payments.domain.action import ActionStatus, ActionType
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
from services.payments.ports import ActionPlace, Change, CommitResult, InDoubt, Ports
from services.payments.use_cases.carry_out import checked, conclude
from services.payments.use_cases.leases import Leases
from services.payments.use_cases.two_commits import Begun

logger = structlog.get_logger()

# How long the bank has been away says nothing about when it is back: with the longest of these
# waits and the calls after it, what is in doubt is settled within 5 s of that.
WAIT_MIN, WAIT_MAX = timedelta(seconds=0.25), timedelta(seconds=1)


class Recovery:
    """Tries to settle actions, each by itself, in any number of processes."""

    def __init__(self, ports: Ports, leases: Leases) -> None:
        self._ports = ports
        self._leases = leases

    async def attempt(self, place: ActionPlace) -> None:
        """Try to settle an action that is leased; one that fails holds up no other."""
        with self._leases.held(place):
            found = await self._ports.store.load_action(*place)
            # It may have ended meanwhile, or its merchant removed it, as a sandbox may.
            if found and found.action.status is ActionStatus.PENDING:
                await self.attempt_found(found)

    async def attempt_found(self, found: InDoubt) -> None:
        """Try to settle an action; if it stays in doubt, it is due again after a while.

        What is raised says nothing of the bank: then the end of the lease brings it back.

        Raises:
            DependencyUnavailableError: The database is not available.
        """
        place = (found.payment.merchant_id, found.action.id)
        with self._leases.held(place):
            done = await self._settle(found)
        if not done:
            await self._ports.store.postpone([place], by=self._wait(found))

    async def _settle(self, found: InDoubt) -> bool:
        """Try to settle an action; return whether it needs no further try.

        Raises:
            DependencyUnavailableError: The database is not available.
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
            now = self._ports.clock.now(payment.merchant_id)
            answer = await self._ports.acquirer.perform(payment, action, now)
            if isinstance(answer, Rejected):
                answer = await checked(self._ports, payment, action, answer)
        if isinstance(answer, Unknown):
            return False
        await conclude(self._ports, Begun(payment, action), answer)
        logger.info("settled", action=action.id, payment=payment.id, answer=type(answer).__name__)
        return True

    async def _inquire(self, found: InDoubt) -> Answer | NotFound:
        """Ask the bank; where it says nothing that ends the action, the operator's word counts."""
        action = found.action
        now = self._ports.clock.now(found.payment.merchant_id)
        answer = await self._ports.acquirer.inquire(found.payment, action, now)
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
        now = self._ports.clock.now(found.payment.merchant_id)
        payment, reversal = found.payment.reverse(action_id=new_id("act", now), now=now)
        change = Change(payment=payment, actions=(reversal,))
        if await self._ports.store.commit(change) is not CommitResult.COMMITTED:
            return False
        await self.attempt_found(InDoubt(payment, reversal, found.authorization, None))
        return True

    async def _release(self, found: InDoubt) -> bool:
        """Have the bank release a hold, and settle what that was for."""
        now = self._ports.clock.now(found.payment.merchant_id)
        answer = await self._ports.acquirer.reverse(found.payment, now)
        if not isinstance(answer, Reversed):
            if found.resolution is None:
                return False  # asked again until it is acknowledged
            _log_word(found)
        if found.action.type is ActionType.EXPIRE:
            return await self._expired(found)
        return await self._reversed(found)

    async def _expired(self, found: InDoubt) -> bool:
        now = self._ports.clock.now(found.payment.merchant_id)
        settled = settle_expiry(found.payment, found.action, now)
        if settled is None:
            return True
        event = event_of(*settled, event_id=new_id("evt", now))
        change = Change(payment=settled[0], actions=(settled[1],), event=event)
        return await self._ports.store.commit(change) is CommitResult.COMMITTED

    async def _reversed(self, found: InDoubt) -> bool:
        now = self._ports.clock.now(found.payment.merchant_id)
        settled = settle_reversal(found.payment, found.action, found.authorization, now)
        if settled is None:
            return True
        failed, reversal, authorization = settled
        change = Change(
            payment=failed,
            actions=(authorization, reversal),
            event=event_of(failed, authorization, event_id=new_id("evt", now)),
            reply=self._ports.replies.render(authorization, failed, now),
        )
        done = await self._ports.store.commit(change) is CommitResult.COMMITTED
        if done:
            logger.info("reversed", action=authorization.id, payment=failed.id)
        return done

    def _wait(self, found: InDoubt) -> timedelta:
        """Wait longer the longer the action is in doubt."""
        age = self._ports.clock.now(found.payment.merchant_id) - found.action.create_time
        return min(max(age / 4, WAIT_MIN), WAIT_MAX)


def _log_word(found: InDoubt) -> None:
    logger.warning(
        "ended by the operator's word",
        action=found.action.id,
        payment=found.payment.id,
        resolution=found.resolution,
    )
