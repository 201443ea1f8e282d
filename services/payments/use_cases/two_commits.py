"""The two commits around a call to the bank, the same for every verb.

The first one claims the idempotency key, reserves the amount and records the action as PENDING.
Then the bank is called, with nothing held. The second one settles what it answered.
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
from services.payments.domain import errors
from services.payments.domain.action import Action, ActionType
from services.payments.domain.event import Origin, event_of
from services.payments.domain.outcome import Final
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle
from services.payments.ports import Change, CommitResult, IdempotencyRecord, InDoubt, Ports


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


@value(frozen=True, slots=True)
class Beginning:
    """An operation that is to begin, and what it may have been stored under."""

    operation: Operation
    keyed: Keyed


@value(frozen=True, slots=True)
class Ending:
    """What the bank said of an action, and for whose request it was asked."""

    begun: Begun
    answer: Final
    origin: Origin


def keyed_by(
    ports: Ports,
    merchant_id: str,
    rpc: ActionType,
    key: str | None,
    fields: Sequence[str | int | bool],
) -> Keyed:
    """Return what a request may have been stored under."""
    fingerprint = ports.hasher.request(merchant_id, rpc, fields) if key else None
    return Keyed(merchant_id, rpc, key, fingerprint)


async def look_up(ports: Ports, keyed: Keyed, payment_id: str) -> Reply | Payment | None:
    """Return the reply that is stored for the key; if there is none, the payment as it is now.

    Raises:
        IdempotencyInFlightError: The request is under way.
        IdempotencyKeyReusedError: The key is another request's.
    """
    loaded = await ports.store.load(keyed.merchant_id, payment_id, rpc=keyed.rpc, key=keyed.key)
    if loaded.record is None or keyed.fingerprint is None:
        return loaded.payment
    reply = _replay(loaded.record, keyed.fingerprint)
    await ports.store.ensure_kept(keyed.merchant_id)
    return reply


def _replay(record: IdempotencyRecord, fingerprint: bytes) -> Reply:
    if not hmac.compare_digest(record.fingerprint, fingerprint):
        raise IdempotencyKeyReusedError
    if record.reply is None:
        raise IdempotencyInFlightError
    return Reply(record.reply, replayed=True)


def begun_by(ports: Ports, payment: Payment, beginning: Beginning) -> Change:
    """Return commit 1 of an operation on a payment as it is now.

    Raises:
        PaymentsError: It is refused.
        DependencyUnavailableError: The bank is known to be away.
    """
    now, keyed = ports.clock.now(payment.merchant_id), beginning.keyed
    if payment.merchant_id != keyed.merchant_id:
        raise errors.PaymentNotFoundError  # no mistake above may make it somebody else's
    after, action = beginning.operation.begun(payment, action_id=new_id("act", now), now=now)
    ports.acquirer.ensure_reachable()  # or it would be begun only to stay in doubt
    action = changed(action, idempotency_key=keyed.key)
    return Change(payment=after, actions=(action,), fingerprint=keyed.fingerprint)


def ended_by(ports: Ports, payment: Payment, action: Action, ending: Ending) -> Change | None:
    """Return commit 2 of an action on a payment as it is now; None if nothing is to be settled."""
    now = ports.clock.now(payment.merchant_id)
    settled = settle(payment, action, ending.answer, now)
    if settled is None:
        return None
    payment, action = settled
    reply = ports.replies.render(action, payment, now)
    event = event_of(payment, action, event_id=new_id("evt", now), origin=ending.origin)
    return Change(payment=payment, actions=(action,), event=event, reply=reply)


async def begin_alone(
    ports: Ports, beginning: Beginning, found: Reply | Payment | None, retries: "Retries"
) -> Begun | Reply:
    """Commit 1 on what a look has found; whenever somebody else is faster it is looked again."""
    keyed, payment_id = beginning.keyed, beginning.operation.payment_id
    while True:
        if isinstance(found, Reply):
            return found
        if found is None:
            raise errors.PaymentNotFoundError
        change = begun_by(ports, found, beginning)
        match await ports.store.commit(change):
            case CommitResult.COMMITTED:
                return Begun(change.payment, change.actions[0])
            case CommitResult.KEY_HELD:
                found = await look_up(ports, keyed, payment_id)
                if isinstance(found, Reply):
                    return found
            case CommitResult.CONFLICT:
                pass
        await retries.wait()
        found = await look_up(ports, keyed, payment_id)


async def settle_alone(ports: Ports, ending: Ending, current: InDoubt, retries: "Retries") -> Reply:
    """Commit 2, as often as somebody else is faster."""
    begun = ending.begun
    while True:
        change = ended_by(ports, current.payment, current.action, ending)
        if change is None:
            return await reply_of(ports, current)
        if await ports.store.commit(change) is CommitResult.COMMITTED:
            assert change.reply is not None
            return Reply(change.reply)
        await retries.wait()
        current = await load_in_doubt(ports, begun.payment.merchant_id, begun.action.id)


async def load_in_doubt(ports: Ports, merchant_id: str, action_id: str) -> InDoubt:
    """Return an action that was stored.

    Raises:
        PaymentNotFoundError: The merchant's data was removed meanwhile, as a sandbox may.
    """
    found = await ports.store.load_action(merchant_id, action_id)
    if found is None:
        raise errors.PaymentNotFoundError
    return found


async def reply_of(ports: Ports, ended: InDoubt) -> Reply:
    """Return the reply of what somebody else has ended: it was read, so it is proven first."""
    await ports.store.ensure_kept(ended.payment.merchant_id)
    if ended.reply is not None:
        return Reply(ended.reply)
    now = ports.clock.now(ended.payment.merchant_id)
    return Reply(ports.replies.render(ended.action, ended.payment, now))


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
            raise errors.ConcurrentUpdateError
        # Random, so that two losers do not meet again; not a secret.
        await asyncio.sleep(random.uniform(0, 0.001 * 2 ** min(self.count, 2)))  # noqa: S311
        self.count += 1
