"""Idempotency keys: one effect each, the same bytes, and still so after a restart."""

import asyncio
from collections import Counter
from dataclasses import dataclass

import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from tests.chaos.rig import CARD, Request, Rig, gbp, reason_of

KEYS, TWINS = 100, 20


@dataclass(frozen=True)
class Told:
    """What one of several twins was told."""

    body: bytes | None
    reason: str = ""
    replayed: bool = False


async def ask(rig: Rig, request: Request, key: str, worker: int) -> Told:
    """Send a request with a key."""
    call = rig.call(request, key=key, worker=worker)
    try:
        reply = await call
    except aio.AioRpcError as problem:
        return Told(None, reason_of(problem))
    headers = dict(await call.trailing_metadata() or ())
    return Told(reply.SerializeToString(), replayed=headers.get("idempotent-replayed") == "true")


def request_of(number: int, payment: str) -> Request:
    """Return an authorization or a capture of one penny, in turns."""
    if number % 2:
        return service.AuthorizeRequest(card_details=CARD, amount=gbp(number))
    return service.CaptureRequest(authorization_id=payment, amount=gbp(1))


def is_pending(number: int, body: bytes) -> bool:
    """Tell whether a reply is one that a final one replaces: the bank was too slow for it."""
    reply = service.AuthorizeResponse() if number % 2 else service.CaptureResponse()
    reply.ParseFromString(body)
    return reply.action.status == pb.Action.STATUS_PENDING


@pytest.fixture(scope="module")
def rig(shared_rig: Rig) -> Rig:
    """One for all of them."""
    return shared_rig


async def payments_in(rig: Rig) -> int:
    """Return how many payments there are."""
    count: int = await rig.payments_book.fetchval("SELECT count(*) FROM payments")
    return count


async def test_twins_have_one_effect(rig: Rig) -> None:
    """100 keys with 20 twins each through two workers: one effect a key, one body or IN_FLIGHT."""
    before = await payments_in(rig)
    payment = await rig.authorized(KEYS)
    first = {"": b""}

    async def twins(number: int) -> None:
        request = request_of(number, payment)
        key = f"key-{number}"
        told = await asyncio.gather(*(ask(rig, request, key, twin) for twin in range(TWINS)))
        told += [await ask(rig, request, key, 0)]
        reasons = Counter(one.reason for one in told if one.body is None)
        # A payment that 50 keys capture at once may be too busy: such a key holds nothing.
        assert set(reasons) <= {"IDEMPOTENCY_IN_FLIGHT", "CONCURRENT_UPDATE"}, reasons
        bodies = {one.body for one in told if one.body is not None}
        final = {body for body in bodies if not is_pending(number, body)}
        assert len(final) <= 1 <= len(bodies) <= 2 - (not final)
        assert sum(not one.replayed for one in told if one.body is not None) <= 1
        first[key] = (final or bodies).pop()

    await asyncio.gather(*map(twins, range(KEYS)))
    assert await payments_in(rig) == before + 1 + KEYS // 2
    assert (
        await rig.payments_book.fetchval("SELECT captured FROM payments WHERE id = $1", payment)
        == KEYS // 2
    )
    await rig.assert_books_agree()

    await asyncio.gather(*(worker.stop() for worker in rig.workers))
    await asyncio.gather(*(worker.start() for worker in rig.workers))
    for number in range(0, KEYS, 7):
        told = await ask(rig, request_of(number, payment), f"key-{number}", number)
        body = first[f"key-{number}"]
        assert told.replayed
        assert told.body == body or is_pending(number, body)
        other = service.VoidRequest(authorization_id=payment)
        assert (await ask(rig, other, f"key-{number}", 0)).reason == "PAYMENT_CAPTURED"


async def test_another_request_is_refused_for_ever(rig: Rig) -> None:
    """The same key with another body gets IDEMPOTENCY_KEY_REUSED, and has no effect."""
    before = await payments_in(rig)
    request = service.AuthorizeRequest(card_details=CARD, amount=gbp(5))
    told = await ask(rig, request, "reused", 0)
    for other in (
        service.AuthorizeRequest(card_details=CARD, amount=gbp(6)),
        service.AuthorizeRequest(card_details=CARD, amount=gbp(5), reference="x"),
        service.AuthorizeRequest(
            card_details=pb.CardDetails(pan="5555555555554444", expiry=CARD.expiry, cvv="123"),
            amount=gbp(5),
        ),
    ):
        assert (await ask(rig, other, "reused", 1)).reason == "IDEMPOTENCY_KEY_REUSED"
    spaced = pb.CardDetails(pan="4242 4242-4242 4242", expiry=CARD.expiry, cvv="999")
    same = service.AuthorizeRequest(card_details=spaced, amount=gbp(5))
    assert await ask(rig, same, "reused", 1) == Told(told.body, replayed=True)
    assert await payments_in(rig) == before + 1


async def test_a_retry_is_answered_before_any_guard(rig: Rig) -> None:
    """A capture that took everything, a void and a full refund answer their retries as before."""
    whole, voided = await rig.authorized(10), await rig.authorized(10)
    for key, request in (
        ("whole", service.CaptureRequest(authorization_id=whole, amount=gbp(10))),
        ("void", service.VoidRequest(authorization_id=voided)),
        ("refund", service.RefundRequest(authorization_id=whole, amount=gbp(10))),
    ):
        told = await ask(rig, request, key, 0)
        assert told.body is not None
        assert await ask(rig, request, key, 1) == Told(told.body, replayed=True)


async def test_a_refused_request_holds_no_key(rig: Rig) -> None:
    """After a refusal the same key works for the request that is right."""
    payment = await rig.authorized(10)
    wrong = service.CaptureRequest(authorization_id=payment, amount=gbp(11))
    assert (await ask(rig, wrong, "k", 0)).reason == "AMOUNT_EXCEEDS_CAPTURABLE"
    right = service.CaptureRequest(authorization_id=payment, amount=gbp(10))
    told = await ask(rig, right, "k", 0)
    assert told.body is not None
    assert not told.replayed
