"""Money under concurrency: sums never exceed, and the bank's book and ours agree to the unit."""

import asyncio
import random
from collections import Counter

import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from tests.chaos.rig import SECRETS, Request, Response, Rig, gbp, reason_of
from tests.keys import new_key

CLIENTS = 50
# What a client may be told when many write at once.
REFUSALS = {
    "AMOUNT_EXCEEDS_CAPTURABLE",
    "AMOUNT_EXCEEDS_REFUNDABLE",
    "ACTION_PENDING",
    "CONCURRENT_UPDATE",
    "NOT_CAPTURED",
    "PAYMENT_REFUNDED",
}


@pytest.fixture(scope="module")
def rig(shared_rig: Rig) -> Rig:
    """One for all of them."""
    return shared_rig


async def outcome(rig: Rig, request: Request, worker: int) -> str:
    """Send a write; return how its action ended, or why it was refused."""
    try:
        reply: Response = await rig.call(request, worker=worker)
    except aio.AioRpcError as problem:
        return reason_of(problem)
    assert reply.payment.captured.minor_units <= reply.payment.authorized.minor_units
    assert reply.payment.refunded.minor_units <= reply.payment.captured.minor_units
    return pb.Action.Status.Name(reply.action.status)


async def fire(
    rig: Rig, payments: list[str], requests_each: int, *, refunds: float, largest: int
) -> Counter[str]:
    """Let 50 clients fire captures and refunds of random size at these payments."""
    seen: Counter[str] = Counter()

    async def client(number: int) -> None:
        dice = random.Random(number)
        for _ in range(requests_each):
            payment_id, amount = dice.choice(payments), gbp(dice.randint(1, largest))
            request: Request = service.CaptureRequest(authorization_id=payment_id, amount=amount)
            if dice.random() < refunds:
                request = service.RefundRequest(authorization_id=payment_id, amount=amount)
            seen[await outcome(rig, request, dice.randrange(2))] += 1

    await asyncio.gather(*map(client, range(CLIENTS)))
    return seen


async def test_one_payment_of_everybody(rig: Rig) -> None:
    """50 clients capture and then refund one payment through two workers: nothing is exceeded."""
    payment = await rig.authorized(1000)
    seen = await fire(rig, [payment], 6, refunds=0, largest=40)
    assert seen["STATUS_SUCCEEDED"] > 0
    seen += await fire(rig, [payment], 6, refunds=0.9, largest=40)
    assert set(seen) <= REFUSALS | {"STATUS_SUCCEEDED"}, seen
    await rig.settled()
    await rig.assert_books_agree()


async def test_strangers_among_those_who_wait(rig: Rig) -> None:
    """Whoever knows the id of another merchant's payment finds none, however many wait for it."""
    theirs = await new_key(rig.payments_url, "mer_other", pepper=SECRETS["PAYGATE_KEY_PEPPER"])
    payment = await rig.authorized(1000)
    requests: list[Request] = [
        service.CaptureRequest(authorization_id=payment, amount=gbp(1)),
        service.RefundRequest(authorization_id=payment, amount=gbp(1)),
        service.VoidRequest(authorization_id=payment, remainder=True),
    ]

    async def stranger(request: Request) -> None:
        with pytest.raises(aio.AioRpcError) as refused:
            await rig.call(request, api_key=theirs)
        assert reason_of(refused.value) == "PAYMENT_NOT_FOUND"

    async def owner() -> None:
        reply = await rig.call(requests[0])
        assert reply.action.status == pb.Action.STATUS_SUCCEEDED

    both = ((owner(), stranger(requests[number % 3])) for number in range(CLIENTS))
    await asyncio.gather(*(call for pair in both for call in pair))
    await rig.settled()
    of_others = "SELECT count(*) FROM idempotency_keys WHERE merchant_id = 'mer_other'"
    assert await rig.payments_book.fetchval(of_others) == 0
    captured = "SELECT captured FROM payments WHERE id = $1"
    total = await rig.payments_book.fetchval(captured, payment)
    assert total == CLIENTS
    await rig.assert_books_agree()


async def test_a_hundred_payments_of_everybody(rig: Rig) -> None:
    """50 clients fire at 100 payments at once: every refusal is one of the contract's reasons."""
    payments = await asyncio.gather(*(rig.authorized(500) for _ in range(100)))
    seen = await fire(rig, list(payments), 20, refunds=0.3, largest=300)
    assert set(seen) <= REFUSALS | {"STATUS_SUCCEEDED"}, seen
    assert seen["STATUS_SUCCEEDED"] >= 100
    await rig.settled()
    await rig.assert_books_agree()


async def test_the_last_penny_is_taken_once(rig: Rig) -> None:
    """50 captures of the whole amount at once: one succeeds and 49 are refused."""
    payment = await rig.authorized(777)
    request = service.CaptureRequest(authorization_id=payment, amount=gbp(777))
    results = Counter(
        await asyncio.gather(*(outcome(rig, request, number) for number in range(CLIENTS)))
    )
    assert results.pop("STATUS_SUCCEEDED") == 1
    assert set(results) <= {"AMOUNT_EXCEEDS_CAPTURABLE"}, results
    await rig.assert_books_agree()
