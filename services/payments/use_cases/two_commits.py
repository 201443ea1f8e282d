"""The two commits around a call to the bank, the same for every verb.

`begin` claims the idempotency key, reserves the amount and records the action as PENDING. Then the
verb calls the bank, with nothing held. `finish` settles what the bank answered.
"""

import asyncio
import hmac
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from pkg.errors import IdempotencyInFlightError, IdempotencyKeyReusedError
from pkg.ids import new_id
from pkg.values import changed, value
from services.payments.domain import error
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.event import event_of
from services.payments.domain.outcome import Answer, Approved, Declined, Final, NotFound, Unknown
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle
from services.payments.ports import Change, Commit, Gateway, InDoubt, Record, SealedCard


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


@value(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for what. `fields` are all that makes two requests the same, except the CVV."""

    merchant_id: str
    rpc: ActionType
    payment_id: str = ""
    key: str | None
    fields: Sequence[str | int | bool]


@value(frozen=True, slots=True)
class Decided:
    """What a request does to its payment; `card` is one that the vault has not got yet."""

    payment: Payment
    action: Action
    card: SealedCard | None = None


Decide = Callable[[Payment | None], Awaitable[Decided]]


async def begin(gateway: Gateway, request: Request, decide: Decide) -> Begun | Reply:
    """Commit 1; or the stored reply, which comes before any guard.

    Raises:
        PaymentsError: The request was refused, and nothing was changed.
        DependencyUnavailableError: The bank is known to be away, and nothing was changed.
    """
    known = _Known(gateway, request)
    # What a new payment is decided on is not stored yet; that its key is free, the commit tells.
    if request.payment_id and (reply := await known.look_up()):
        return reply
    patience = gateway.limits.conflict_retry_seconds
    retries = _Retries(patience)  # waiting for the turn is part of it
    async with gateway.turns.of(request.payment_id, wait_seconds_max=patience) as waited:
        while True:
            if (waited or retries.count) and (reply := await known.look_up()):
                return reply
            begun = await _try_to_begin(known, decide)
            if begun is not None:
                return begun
            await retries.wait()


class _Known:
    """What is known of a request's payment and its idempotency key: at first nothing."""

    def __init__(self, gateway: Gateway, request: Request) -> None:
        self.gateway = gateway
        self.request = request
        self.payment: Payment | None = None
        self.is_looked_up = False
        self.fingerprint: bytes | None = None
        if request.key:
            self.fingerprint = gateway.hasher.request(
                request.merchant_id, request.rpc, request.fields
            )

    async def look_up(self) -> Reply | None:
        """Load both as they are now; return the reply that is stored for the key."""
        request = self.request
        loaded = await self.gateway.store.load(
            request.merchant_id, request.payment_id, rpc=request.rpc, key=request.key
        )
        self.payment, self.is_looked_up = loaded.payment, True
        if loaded.record and self.fingerprint:
            reply = _replay(loaded.record, self.fingerprint)
            await self.gateway.store.ensure_kept()
            return reply
        return None


async def _try_to_begin(known: _Known, decide: Decide) -> Begun | Reply | None:
    """Decide and commit once; None if somebody else was faster."""
    try:
        decided = await decide(known.payment)
        known.gateway.acquirer.ensure_reachable()  # or it would be begun only to stay in doubt
    except Exception:
        if known.fingerprint and not known.is_looked_up and (reply := await known.look_up()):
            return reply
        raise
    action = changed(decided.action, idempotency_key=known.request.key)
    change = Change(
        payment=decided.payment,
        actions=(action,),
        fingerprint=known.fingerprint,
        card=decided.card,
    )
    match await known.gateway.store.commit(change):
        case Commit.COMMITTED:
            return Begun(decided.payment, action)
        case Commit.KEY_HELD:
            return await known.look_up()
        case Commit.CONFLICT:
            return None


async def finish(gateway: Gateway, begun: Begun, answer: Answer) -> Reply:
    """Commit 2: settle what the bank's answer is worth; without one, say PENDING."""
    return await conclude(gateway, begun, await checked(gateway, begun.action, answer))


async def conclude(gateway: Gateway, begun: Begun, answer: Answer) -> Reply:
    """Settle an answer that was checked, or say PENDING.

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


async def checked(gateway: Gateway, action: Action, answer: Answer) -> Answer:
    """Return what the bank's answer is worth: a yes or a no as it is, anything else after a look.

    The bank knows of the action if an earlier request for it came through: then that counts. If it
    does not, a request that it has rejected is over, and one without an answer may still come.
    """
    if isinstance(answer, Approved | Declined):
        return answer
    found = await gateway.acquirer.inquire(action)
    return answer if isinstance(found, NotFound) else found


async def _settle(gateway: Gateway, begun: Begun, answer: Final) -> Reply:
    patience = gateway.limits.conflict_retry_seconds
    current = InDoubt(begun.payment, begun.action, begun.action, None)
    retries = _Retries(patience)
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


def _replay(record: Record, fingerprint: bytes) -> Reply:
    if not hmac.compare_digest(record.fingerprint, fingerprint):
        raise IdempotencyKeyReusedError
    if record.reply is None:
        raise IdempotencyInFlightError
    return Reply(record.reply, replayed=True)


class _Retries:
    """Short random waits until the time is up: of up to 1, 2, then 4 ms."""

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
