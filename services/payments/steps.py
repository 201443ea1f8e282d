"""The two commits around a call to the bank, the same for every verb.

`begin` claims the idempotency key, reserves the amount and records the action as PENDING. Then the
verb calls the bank, with nothing held. `finish` settles what the bank answered.
"""

import asyncio
import hmac
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from pkg.ids import new_id
from services.payments.domain import error
from services.payments.domain.action import Action, ActionType
from services.payments.domain.event import event_of
from services.payments.domain.outcome import Answer, Final, NotFound, Unknown
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle
from services.payments.ports import Change, Commit, Gateway, InDoubt, Loaded, Record, SealedCard


@dataclass(frozen=True, slots=True)
class Reply:
    """The serialised response message, and whether it is the stored one of an earlier request."""

    body: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """An action that is recorded and is now to be carried out."""

    payment: Payment
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for what. `fields` are all that makes two requests the same, except the CVV."""

    merchant_id: str
    rpc: ActionType
    payment_id: str = ""
    key: str | None
    fields: Sequence[str | int | bool]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a request does to its payment; `card` is one that the vault has not got yet."""

    payment: Payment
    action: Action
    card: SealedCard | None = None


Decide = Callable[[Payment | None], Awaitable[Decided]]


async def begin(gateway: Gateway, request: Request, decide: Decide) -> Begun | Reply:
    """Commit 1; or the stored reply, which is looked up before any guard.

    Raises:
        PaymentsError: The request was refused, and nothing was changed.
    """
    fingerprint = None
    if request.key:
        fingerprint = gateway.hasher.request(request.merchant_id, request.rpc, request.fields)

    async def load() -> Loaded:
        return await gateway.store.load(
            request.merchant_id, request.payment_id, rpc=request.rpc, key=request.key
        )

    loaded, patience = await load(), gateway.limits.conflict_retry_seconds
    if loaded.record and fingerprint:
        return _replay(loaded.record, fingerprint)
    async with gateway.turns.of(request.payment_id, wait_seconds_max=patience) as waited:
        async for attempt in _attempts(patience):
            if waited or attempt:
                loaded = await load()
            if loaded.record and fingerprint:
                return _replay(loaded.record, fingerprint)
            decided = await decide(loaded.payment)
            action = replace(decided.action, idempotency_key=request.key)
            change = Change(
                payment=decided.payment,
                actions=(action,),
                fingerprint=fingerprint,
                card=decided.card,
            )
            if await gateway.store.commit(change) is Commit.COMMITTED:
                return Begun(decided.payment, action)
    raise error.ConcurrentUpdateError


async def finish(gateway: Gateway, begun: Begun, answer: Answer) -> Reply:
    """Commit 2: settle the answer; without one, look it up once and then say PENDING.

    Settling is a no-op if recovery was faster; the reply is then what recovery stored.
    """
    if isinstance(answer, Unknown):
        found = await gateway.acquirer.inquire(begun.action.id)
        # An operation that the bank does not know may still be on its way: that is for recovery.
        answer = Unknown() if isinstance(found, NotFound) else found
    if isinstance(answer, Unknown):
        return await _leave_pending(gateway, begun)
    try:
        return await _settle(gateway, begun, answer)
    except error.ConcurrentUpdateError:
        # The bank has answered, but the payment is too busy to write it down: recovery will.
        return await _leave_pending(gateway, begun)


async def _settle(gateway: Gateway, begun: Begun, answer: Final) -> Reply:
    patience = gateway.limits.conflict_retry_seconds
    current = InDoubt(begun.payment, begun.action, begun.action, None)
    async with gateway.turns.of(begun.payment.id, wait_seconds_max=patience) as waited:
        async for attempt in _attempts(patience):
            if waited or attempt:
                current = await load_in_doubt(gateway, begun.payment.merchant_id, begun.action.id)
            now = gateway.clock.now()
            settled = settle(current.payment, current.action, answer, now)
            if settled is None:
                return _reply_of(gateway, current)
            payment, action = settled
            reply = gateway.replies.render(action, payment, now)
            event = event_of(payment, action, event_id=new_id("evt", now))
            change = Change(payment=payment, actions=(action,), event=event, reply=reply)
            if await gateway.store.commit(change) is Commit.COMMITTED:
                return Reply(reply)
    raise error.ConcurrentUpdateError


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
    await gateway.store.leave_pending(begun.payment.merchant_id, begun.action, reply)
    return Reply(reply)


def _reply_of(gateway: Gateway, ended: InDoubt) -> Reply:
    if ended.reply is not None:
        return Reply(ended.reply)
    return Reply(gateway.replies.render(ended.action, ended.payment, gateway.clock.now()))


def _replay(record: Record, fingerprint: bytes) -> Reply:
    if not hmac.compare_digest(record.fingerprint, fingerprint):
        raise error.IdempotencyKeyReusedError
    if record.reply is None:
        raise error.IdempotencyInFlightError
    return Reply(record.reply, replayed=True)


async def _attempts(seconds: float) -> AsyncIterator[int]:
    """Count until the time is up, with short random waits: of up to 1, 2, then 4 ms."""
    loop = asyncio.get_running_loop()
    end, attempt = loop.time() + seconds, 0
    while True:
        yield attempt
        if loop.time() >= end:
            return
        # Random, so that two losers do not meet again; not a secret.
        await asyncio.sleep(random.uniform(0, 0.001 * 2 ** min(attempt, 2)))  # noqa: S311
        attempt += 1
