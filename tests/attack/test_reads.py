"""A merchant who reads as much as can be, beside one who wants to pay."""

import asyncio
import itertools
import statistics
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import asyncpg
import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.attack.forms import sized
from tests.attack.good import timed
from tests.chaos.rig import CARD, SECRETS, Rig, gbp
from tests.database import Databases
from tests.keys import new_key

pytestmark = pytest.mark.attack

ATTACKER = "mer_attacker"
ACTIONS = int(sized(3_000, full=10_000))  # of one payment
PAYMENTS = int(sized(20_000, full=300_000))  # of one reference
READERS = 16  # of the attacker's, each without a pause
CALLS = int(sized(60, full=600))  # of the good merchant's, one after the other
REPLY_BYTES_MAX = 1024 * 1024
SLOWER_MAX = 3.0
SHARE_OF_GOOD_MIN = 0.95

# One payment of a real one's kind, with many captures that were declined; and many payments.
MANY_ACTIONS = """
INSERT INTO actions (
  merchant_id, id, payment_id, type, status, currency, minor_units, final, reference, decline_code,
  sequence, create_time, update_time)
SELECT
  a.merchant_id, 'act_7' || lpad(n::text, 25, '0'), a.payment_id, 'CAPTURE', 'DECLINED', a.currency,
  1, false, repeat('<', 255), 'CAPTURE_REJECTED', n, a.create_time, a.update_time
FROM actions a, generate_series(2, $2::bigint) n
WHERE a.merchant_id = $1
"""
MANY_PAYMENTS = """
INSERT INTO payments (
  merchant_id, id, version, status, authorization_state, authorization_id, currency, authorized,
  captured, refunded, capturing, refunding, closing, closed, voiding, voided, reversing, expiring,
  expired, card_brand, card_last4, card_expiry_month, card_expiry_year, card_fingerprint,
  card_token, reference, last_sequence, create_time, update_time, expire_time, commit_order)
SELECT
  merchant_id, 'pay_0' || lpad(n::text, 25, '0'), 1, status, authorization_state, authorization_id,
  currency, authorized, captured, refunded, capturing, refunding, closing, closed, voiding, voided,
  reversing, expiring, expired, card_brand, card_last4, card_expiry_month, card_expiry_year,
  card_fingerprint, card_token, repeat('<', 255), last_sequence, create_time, update_time,
  expire_time, 0
FROM payments p, generate_series(1, $2::bigint) n
WHERE merchant_id = $1
"""


@dataclass
class Attacked:
    """A gateway with one worker, and a merchant with very much on it."""

    rig: Rig
    stub: PaymentServiceStub
    key: str
    payment_id: str

    async def ask(self, request: Message) -> Message:
        """Send a request of the attacker's to the method that takes it."""
        method = getattr(self.stub, type(request).__name__.removesuffix("Request"))
        metadata = (("authorization", f"Bearer {self.key}"),)
        reply: Message = await method(request, metadata=metadata, timeout=30)
        return reply


@pytest.fixture(scope="module")
async def attacked(databases: Databases) -> AsyncIterator[Attacked]:
    """Real rows in real numbers, made by one statement each."""
    names, (url, bank_url) = zip(
        *[await databases.create(service) for service in ("payments", "acquirer")], strict=True
    )
    async with Rig(url, bank_url, workers_count=1) as rig:
        stub = PaymentServiceStub(rig.channels[0])
        key = await new_key(url, ATTACKER, pepper=SECRETS["PAYGATE_KEY_PEPPER"])
        scene = Attacked(rig, stub, key, "")
        reply = await scene.ask(service.AuthorizeRequest(card_details=CARD, amount=gbp(1000)))
        assert isinstance(reply, service.AuthorizeResponse)
        scene.payment_id = reply.payment.id
        owner = await asyncpg.connect(url)
        await owner.execute(MANY_ACTIONS, ATTACKER, ACTIONS)
        await owner.execute("UPDATE payments SET last_sequence = $1", ACTIONS)
        await owner.execute(MANY_PAYMENTS, ATTACKER, PAYMENTS)
        await owner.execute("VACUUM ANALYZE")
        await owner.close()
        yield scene
    for name in names:
        await databases.drop(name)


def reads(scene: Attacked) -> list[Message]:
    """Return the costliest reads that there are."""
    return [
        service.GetPaymentRequest(id=scene.payment_id, include_actions=True),
        service.ListPaymentActionsRequest(id=scene.payment_id, page_size=100),
        service.ListPaymentsRequest(
            reference="<" * 255, status=pb.Payment.STATUS_REFUNDED, page_size=100
        ),
        service.ListPaymentsRequest(reference="<" * 255, page_size=100),
        service.ListPaymentsRequest(status=pb.Payment.STATUS_AUTHORIZED, page_size=100),
    ]


async def test_no_reply_is_larger_than_a_mebibyte(attacked: Attacked) -> None:
    """However much there is: the newest 100 actions, a page of 100, and the rest by pages."""
    for request in reads(attacked):
        reply = await attacked.ask(request)
        text = json_format.MessageToJson(reply, always_print_fields_with_no_presence=True)
        # As the edge writes it: six characters for what HTML could misread.
        assert len(text.replace("<", r"\u003c")) < REPLY_BYTES_MAX
    reply = await attacked.ask(reads(attacked)[0])
    assert isinstance(reply, service.GetPaymentResponse)
    newest = range(ACTIONS - 99, ACTIONS + 1)
    assert [action.sequence for action in reply.payment.actions] == list(newest)


async def test_what_few_pass_is_found_by_short_pages(attacked: Attacked) -> None:
    """A page looks at a thousand rows at most, and says that the list goes on."""
    request = service.ListPaymentsRequest(
        reference="<" * 255, status=pb.Payment.STATUS_REFUNDED, page_size=100
    )
    pages = 0
    while not pages or request.page_token:
        reply = await attacked.ask(request)
        assert isinstance(reply, service.ListPaymentsResponse)
        assert not reply.payments
        request.page_token = reply.next_page_token
        pages += 1
    assert PAYMENTS // 1000 <= pages <= PAYMENTS // 1000 + 2


async def test_who_reads_much_slows_nobody(attacked: Attacked) -> None:
    """Payments of another merchant go through, hardly slower than alone."""
    alone, refused = await timed(attacked.rig.authorized, CALLS)
    assert not refused
    requests: Iterator[Message] = itertools.cycle(reads(attacked))
    stopped = asyncio.Event()

    async def read() -> int:
        done = 0
        while not stopped.is_set():
            await attacked.ask(next(requests))
            done += 1
        return done

    readers = [asyncio.create_task(read()) for _ in range(READERS)]
    await asyncio.sleep(0.2)  # the lines are full by then
    beside, refused = await timed(attacked.rig.authorized, CALLS)
    stopped.set()
    done = sum(await asyncio.gather(*readers))
    after, _ = await timed(attacked.rig.authorized, CALLS)

    # The machine is shared, and its pace changes.
    was = max(statistics.median(alone), statistics.median(after))
    became = statistics.median(beside)
    assert len(beside) >= SHARE_OF_GOOD_MIN * CALLS
    assert done > READERS  # the attacker is served as well
    assert became <= SLOWER_MAX * was, f"{was:.4f} s alone, {became:.4f} s beside"
