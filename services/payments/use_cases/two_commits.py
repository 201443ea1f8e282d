"""The two commits around a call to the bank, the same for every verb.

`begin` claims the idempotency key, reserves the amount and records the action as PENDING. Then the
verb calls the bank, with nothing held. `conclude` settles what the bank answered.
"""

import asyncio
import hmac
import random
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pkg.errors import IdempotencyInFlightError, IdempotencyKeyReusedError
from pkg.ids import new_id
from pkg.values import changed, value
from services.payments.domain import error
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.event import event_of
from services.payments.domain.outcome import Answer, Approved, Declined, Final, NotFound, Unknown
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle
from services.payments.ports import Change, Commit, Gateway, InDoubt, Record


@value(frozen=True, slots=True)
class Reply:
    """The serialised response message, and whether it is the stored one of an earlier request."""

    body: bytes
    replayed: bool = False


@value(frozen=True, slots=True)
class Begun:
    """An action that is recorded and is now to be carried out."""

    payment: Payment
    action: Action


@value(frozen=True, slots=True)
class Keyed:
    """What a request may have been stored under; without a key there is no fingerprint."""

    merchant_id: str
    rpc: ActionType
    key: str | None
    fingerprint: bytes | None


class Operation(Protocol):
    """A capture, void or refund that is asked for."""

    @property
    def rpc(self) -> ActionType:
        """Which of them it is."""

    @property
    def merchant_id(self) -> str:
        """Whose payment it is about."""

    @property
    def payment_id(self) -> str:
        """Which payment it is about."""

    @property
    def idempotency_key(self) -> str | None:
        """The client's key, if it has sent one."""

    def fields(self) -> Sequence[str | int | bool]:
        """Return all that makes two requests the same."""

    def begun(self, payment: Payment, *, action_id: str, now: datetime) -> tuple[Payment, Action]:
        """Begin it, or raise the refusal."""


async def carry_out(gateway: Gateway, operation: Operation) -> Reply:
    """Do it, and return the serialised response.

    Raises:
        PaymentsError: The request was refused, and nothing was changed.
        DependencyUnavailableError: The bank is known to be away, and nothing was changed.
    """
    begun = await begin(gateway, operation)
    if isinstance(begun, Reply):
        return begun
    answer = await gateway.acquirer.perform(begun.payment.authorization_id, begun.action)
    return await conclude(gateway, begun, await checked(gateway, begun.action, answer))


async def begin(gateway: Gateway, operation: Operation) -> Begun | Reply:
    """Commit 1; or the stored reply, which comes before any guard.

    Raises:
        PaymentsError: The request was refused, and nothing was changed.
        DependencyUnavailableError: The bank is known to be away, and nothing was changed.
    """
    payment_id, merchant_id = operation.payment_id, operation.merchant_id
    key = operation.idempotency_key
    keyed = keyed_by(gateway, merchant_id, operation.rpc, key, operation.fields())
    found = await look_up(gateway, keyed, payment_id)
    if isinstance(found, Reply):
        return found  # in nobody's turn: those may take long
    patience = gateway.limits.conflict_retry_seconds
    retries = Retries(patience)  # waiting for the turn is part of it
    async with gateway.turns.of(payment_id, wait_seconds_max=patience) as waited:
        while True:
            if waited or retries.count:
                found = await look_up(gateway, keyed, payment_id)
            if isinstance(found, Reply):
                return found
            if found is None:
                raise error.PaymentNotFoundError
            now = gateway.clock.now()
            payment, action = operation.begun(found, action_id=new_id("act", now), now=now)
            gateway.acquirer.ensure_reachable()  # or it would be begun only to stay in doubt
            action = changed(action, idempotency_key=key)
            change = Change(payment=payment, actions=(action,), fingerprint=keyed.fingerprint)
            match await gateway.store.commit(change):
                case Commit.COMMITTED:
                    return Begun(payment, action)
                case Commit.KEY_HELD:
                    found = await look_up(gateway, keyed, payment_id)
                    if isinstance(found, Reply):
                        return found
                case Commit.CONFLICT:
                    pass
            await retries.wait()


def keyed_by(
    gateway: Gateway,
    merchant_id: str,
    rpc: ActionType,
    key: str | None,
    fields: Sequence[str | int | bool],
) -> Keyed:
    """Return what a request may have been stored under."""
    fingerprint = gateway.hasher.request(merchant_id, rpc, fields) if key else None
    return Keyed(merchant_id, rpc, key, fingerprint)


async def look_up(gateway: Gateway, keyed: Keyed, payment_id: str) -> Reply | Payment | None:
    """Return the reply that is stored for the key; if there is none, the payment as it is now.

    Raises:
        IdempotencyInFlightError: The request is under way.
        IdempotencyKeyReusedError: The key is another request's.
    """
    loaded = await gateway.store.load(keyed.merchant_id, payment_id, rpc=keyed.rpc, key=keyed.key)
    if loaded.record is None or keyed.fingerprint is None:
        return loaded.payment
    reply = _replay(loaded.record, keyed.fingerprint)
    await gateway.store.ensure_kept()
    return reply


def _replay(record: Record, fingerprint: bytes) -> Reply:
    if not hmac.compare_digest(record.fingerprint, fingerprint):
        raise IdempotencyKeyReusedError
    if record.reply is None:
        raise IdempotencyInFlightError
    return Reply(record.reply, replayed=True)


async def checked(gateway: Gateway, action: Action, answer: Answer) -> Answer:
    """Return what the bank's answer is worth: a yes or a no as it is, anything else after a look.

    The bank knows of the action if an earlier request for it came through: then that counts. If it
    does not, a request that it has rejected is over, and one without an answer may still come.
    """
    if isinstance(answer, Approved | Declined):
        return answer
    found = await gateway.acquirer.inquire(action)
    return answer if isinstance(found, NotFound) else found


async def conclude(gateway: Gateway, begun: Begun, answer: Answer) -> Reply:
    """Commit 2: settle an answer that was checked; without one, say PENDING.

    Settling is a no-op if recovery was faster; the reply is then what recovery stored.
    """
    if isinstance(answer, Unknown):
        return await _leave_pending(gateway, begun)
    try:
        return await _settle(gateway, begun, answer)
    except error.ConcurrentUpdateError:
        # The bank has answered, but the payment is too busy to write it down: recovery will, or
        # has, if it was this process that stood still.
        current = await load_in_doubt(gateway, begun.payment.merchant_id, begun.action.id)
        if current.action.status is not ActionStatus.PENDING:
            return await _reply_of(gateway, current)
        return await _leave_pending(gateway, begun)


async def _settle(gateway: Gateway, begun: Begun, answer: Final) -> Reply:
    patience = gateway.limits.conflict_retry_seconds
    current = InDoubt(begun.payment, begun.action, begun.action, None)
    retries = Retries(patience)
    async with gateway.turns.of(begun.payment.id, wait_seconds_max=patience) as waited:
        while True:
            if waited or retries.count:
                current = await load_in_doubt(gateway, begun.payment.merchant_id, begun.action.id)
            now = gateway.clock.now()
            settled = settle(current.payment, current.action, answer, now)
            if settled is None:
                return await _reply_of(gateway, current)
            payment, action = settled
            reply = gateway.replies.render(action, payment, now)
            event = event_of(payment, action, event_id=new_id("evt", now), origin=gateway.origin())
            change = Change(payment=payment, actions=(action,), event=event, reply=reply)
            if await gateway.store.commit(change) is Commit.COMMITTED:
                return Reply(reply)
            await retries.wait()


async def load_in_doubt(gateway: Gateway, merchant_id: str, action_id: str) -> InDoubt:
    """Return an action that was stored.

    Raises:
        PaymentNotFoundError: The merchant's data was removed meanwhile, as a sandbox may.
    """
    found = await gateway.store.load_action(merchant_id, action_id)
    if found is None:
        raise error.PaymentNotFoundError
    return found


async def _leave_pending(gateway: Gateway, begun: Begun) -> Reply:
    reply = gateway.replies.render(begun.action, begun.payment, gateway.clock.now())
    await gateway.store.leave_pending(begun.payment, begun.action, reply)
    return Reply(reply)


async def _reply_of(gateway: Gateway, ended: InDoubt) -> Reply:
    """Return the reply of what somebody else has ended: it was read, so it is proven first."""
    await gateway.store.ensure_kept()
    if ended.reply is not None:
        return Reply(ended.reply)
    return Reply(gateway.replies.render(ended.action, ended.payment, gateway.clock.now()))


class Retries:
    """Short random waits until the time is up: of up to 1, 2, then 4 ms."""

    __slots__ = ("_end", "count")

    def __init__(self, seconds: float) -> None:
        self.count = 0
        self._end = time.monotonic() + seconds

    async def wait(self) -> None:
        """Wait before the next try.

        Raises:
            ConcurrentUpdateError: There is no time left for one.
        """
        if time.monotonic() >= self._end:
            raise error.ConcurrentUpdateError
        # Random, so that two losers do not meet again; not a secret.
        await asyncio.sleep(random.uniform(0, 0.001 * 2 ** min(self.count, 2)))  # noqa: S311
        self.count += 1
