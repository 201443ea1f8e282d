"""Crash points: struck at any await of the write path, every request has one effect in the end.

The short form strikes several verbs together, one worker's death for all of them. With
`PAYGATE_CHAOS=full` (`make chaos`) every verb is struck alone as well.
"""

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from tests.chaos.rig import CARD, Request, Response, Rig, gbp

FULL = os.environ.get("PAYGATE_CHAOS") == "full"

POINTS = [
    "load.before",
    "load.after",
    "commit-1.before",
    "commit-1.after",
    "bank.before",
    "bank.after",
    "commit-2.before",
    "commit-2.after",
    "reply.before",
]
# Reached only by a call whose answer from the bank is lost.
DOUBT_POINTS = ["inquire.before", "inquire.after", "pending.before", "pending.after"]
STRIKES = ["kill", "raise", "cancel"]


def card(last4: str) -> pb.CardDetails:
    """Return one of the bank's test cards."""
    return pb.CardDetails(pan=f"400000000000{last4}", expiry=CARD.expiry, cvv="123")


async def authorize(_: Rig, details: pb.CardDetails = CARD) -> Request:
    """Return an authorization that is ready to be sent."""
    return service.AuthorizeRequest(card_details=details, amount=gbp(1000))


async def capture(rig: Rig, details: pb.CardDetails = CARD) -> Request:
    """Return a capture of a payment that is authorised."""
    payment = await rig.authorized(card=details)
    return service.CaptureRequest(authorization_id=payment, amount=gbp(400))


async def void(rig: Rig, details: pb.CardDetails = CARD) -> Request:
    """Return a void of a payment that is authorised."""
    return service.VoidRequest(authorization_id=await rig.authorized(card=details))


async def void_the_rest(rig: Rig, details: pb.CardDetails = CARD) -> Request:
    """Return a void of what is left of a payment that is captured in part."""
    payment = await rig.authorized(card=details)
    await rig.call(service.CaptureRequest(authorization_id=payment, amount=gbp(400)))
    return service.VoidRequest(authorization_id=payment, remainder=True)


async def refund(rig: Rig, details: pb.CardDetails = CARD) -> Request:
    """Return a refund of a payment that is captured."""
    payment = await rig.captured(card=details)
    return service.RefundRequest(authorization_id=payment, amount=gbp(300))


Prepare = Callable[[Rig], Awaitable[Request]]
VERBS: dict[str, Prepare] = {
    "authorize": authorize,
    "capture": capture,
    "void": void,
    "void the rest": void_the_rest,
    "refund": refund,
}
# The same verbs with cards whose reply, or request, the bank loses.
DOUBTFUL: dict[str, Prepare] = {
    "authorize, reply lost": lambda rig: authorize(rig, card("1026")),
    "authorize, request lost": lambda rig: authorize(rig, card("1018")),
    "capture, reply lost": lambda rig: capture(rig, card("1034")),
    "capture, request lost": lambda rig: capture(rig, card("1042")),
    "void, reply lost": lambda rig: void(rig, card("1091")),
    "void the rest, reply lost": lambda rig: void_the_rest(rig, card("1091")),
    "refund, reply lost": lambda rig: refund(rig, card("1059")),
}


@dataclass
class Sent:
    """A request that is about to be struck, or was."""

    request: Request
    key: str
    hold: Path


def reaches(verb: str, point: str) -> bool:
    """Tell whether a verb comes to that point."""
    if verb in DOUBTFUL and point == "bank.after":
        return False  # the worker gets no answer that it could be struck behind
    # A new payment is decided without looking anything up.
    return not (verb.startswith("authorize") and point.startswith("load"))


async def strike(rig: Rig, sent: Sent, *, point: str, kind: str, calls: int) -> None:
    """Send the request; it is struck at the point, and whatever comes of it is not an answer."""
    hold = "hold" if kind == "cancel" else kind
    call = rig.call(
        sent.request,
        key=sent.key,
        x_failpoint=f"{point}={hold}@{calls}",
        x_hold=str(sent.hold),
    )
    if kind == "cancel":
        await there(sent.hold)
        call.cancel()
        sent.hold.unlink()
    with pytest.raises((aio.AioRpcError, asyncio.CancelledError)):
        await call


async def there(hold: Path) -> None:
    """Wait until a call that is held has come to its point."""
    async with asyncio.timeout(15):
        while not hold.exists():  # noqa: ASYNC240  # a look costs nothing
            await asyncio.sleep(0.01)


async def assert_one_effect(rig: Rig, sent: Sent) -> None:
    """Retry with the same key until the reply is final; it is the only effect, now and for ever."""
    reply = await rig.retried(sent.request, key=sent.key)
    again: Response = await rig.call(sent.request, key=sent.key)
    assert again == reply
    ended = {
        pb.Action.STATUS_SUCCEEDED: True,
        # The bank never saw an authorization, and its CVV is gone: it cannot be sent again.
        pb.Action.STATUS_FAILED: isinstance(sent.request, service.AuthorizeRequest),
    }
    assert ended.get(reply.action.status, False)
    kind = pb.Action.Type.Name(reply.action.type).removeprefix("TYPE_")
    count = "SELECT count(*) FROM actions WHERE payment_id = $1 AND type = $2"
    assert await rig.payments_book.fetchval(count, reply.payment.id, kind) == 1


async def drill(
    rig: Rig, verbs: dict[str, Prepare], *, point: str, kind: str, folder: Path
) -> None:
    """Strike these verbs together, bring the worker back, and look at what is left."""
    sents = [
        Sent(await prepare(rig), uuid.uuid4().hex, folder / uuid.uuid4().hex)
        for prepare in verbs.values()
    ]
    payments = "SELECT count(*) FROM payments"
    before = await rig.payments_book.fetchval(payments)
    await asyncio.gather(
        *(strike(rig, sent, point=point, kind=kind, calls=len(sents)) for sent in sents)
    )
    if kind == "kill":
        await rig.workers[0].ended()
        await rig.workers[0].start()
    await asyncio.gather(*(assert_one_effect(rig, sent) for sent in sents))
    authorizes = sum(isinstance(sent.request, service.AuthorizeRequest) for sent in sents)
    assert await rig.payments_book.fetchval(payments) == before + authorizes
    await rig.settled()
    await rig.assert_books_agree()


@pytest.mark.chaos
@pytest.mark.parametrize("kind", STRIKES)
async def test_every_point(struck: Rig, kind: str, tmp_path: Path) -> None:
    """Struck at every point in turn, four verbs at once: one effect each, and books that agree."""
    for point in POINTS:
        verbs = {verb: VERBS[verb] for verb in VERBS if reaches(verb, point)}
        await drill(struck, verbs, point=point, kind=kind, folder=tmp_path)


@pytest.mark.chaos
@pytest.mark.parametrize("kind", STRIKES)
async def test_every_point_in_doubt(struck: Rig, kind: str, tmp_path: Path) -> None:
    """Struck while the bank's answer is looked for: one effect each, and books that agree."""
    for point in DOUBT_POINTS:
        await drill(struck, DOUBTFUL, point=point, kind=kind, folder=tmp_path)


@pytest.mark.chaos
@pytest.mark.skipif(not FULL, reason="the full matrix is `make chaos`")
@pytest.mark.parametrize("kind", STRIKES)
@pytest.mark.parametrize("verb", [*VERBS, *DOUBTFUL])
async def test_every_point_alone(struck: Rig, verb: str, kind: str, tmp_path: Path) -> None:
    """Each verb alone, struck at each point that it reaches."""
    points = [*POINTS[:6], *DOUBT_POINTS, POINTS[-1]] if verb in DOUBTFUL else POINTS
    for point in points:
        if not reaches(verb, point):
            continue
        alone = {verb: {**VERBS, **DOUBTFUL}[verb]}
        await drill(struck, alone, point=point, kind=kind, folder=tmp_path)


async def held(rig: Rig, request: Request, point: str, folder: Path) -> tuple[Sent, object]:
    """Send a request and return when it is held at the point."""
    sent = Sent(request, uuid.uuid4().hex, folder / uuid.uuid4().hex)
    call = rig.call(request, key=sent.key, x_failpoint=f"{point}=hold@1", x_hold=str(sent.hold))
    await there(sent.hold)
    return sent, call


@pytest.mark.chaos
@pytest.mark.parametrize("verb", VERBS)
async def test_a_slow_worker_and_recovery(struck: Rig, verb: str, tmp_path: Path) -> None:
    """A worker that is slower than its lease finds the action settled, and changes nothing."""
    request = await VERBS[verb](struck)
    sent, call = await held(struck, request, "commit-2.before", tmp_path)
    await struck.settled()  # recovery has looked it up at the bank
    by_recovery = await struck.call(request, key=sent.key)
    sent.hold.unlink()
    assert await call == by_recovery  # type: ignore[misc]
    await assert_one_effect(struck, sent)
    await struck.assert_books_agree()


@pytest.mark.chaos
async def test_a_reversal_beats_a_late_authorization(struck: Rig, tmp_path: Path) -> None:
    """An authorization that reaches the bank after its reversal is refused, and holds no money."""
    sent, call = await held(struck, await authorize(struck), "bank.before", tmp_path)
    await struck.settled()  # recovery did not find it at the bank, and has reversed it
    sent.hold.unlink()
    reply: Response = await call  # type: ignore[misc]
    assert reply.payment.status == pb.Payment.STATUS_FAILED
    ours = "SELECT authorization_id FROM payments WHERE id = $1"
    reference = await struck.payments_book.fetchval(ours, reply.payment.id)
    theirs = "SELECT status FROM authorizations WHERE reference = $1"
    assert await struck.bank_book.fetchval(theirs, reference) == "REVERSED"
    assert (await struck.retried(sent.request, key=sent.key)) == reply
    await struck.assert_books_agree()
