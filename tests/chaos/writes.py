"""A request for each RPC that writes, about what is nobody else's, and how to see its effect."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.sandbox.v1 import bank_pb2 as bank
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.webhooks.v1 import webhook_service_pb2 as hooks
from tests.chaos.rig import CARD, gbp, reason_of
from tests.chaos.whole import Shop, Whole

Count = Callable[[], Awaitable[int]]

URL = "https://inbox.paygate.test/500"
# Its reply is lost, so that it stays PENDING as long as nobody asks the bank once more.
LOST = pb.CardDetails(pan="4000000000001026", expiry=pb.Expiry(month=12, year=2035), cvv="123")
MINUTE = Duration(seconds=60)


@dataclass(frozen=True)
class Asked:
    """A request that was made ready.

    Attributes:
        count: Returns how often it can be seen to have been carried out.
        over: Why it is refused when it was carried out before, if it takes no key.
        keyed: Whether it comes with an idempotency key.
    """

    request: Message
    bearer: str
    count: Count | None = None
    over: str = ""
    keyed: bool = True


Write = Callable[[Whole], Awaitable[Asked]]


async def authorize(whole: Whole) -> Asked:
    """A payment."""
    shop = await whole.shop()
    request = payments.AuthorizeRequest(card_details=CARD, amount=gbp(500))

    async def count() -> int:
        return len((await shop.done(payments.ListPaymentsRequest())).payments)

    return Asked(request, shop.api_key, count)


async def _paid(shop: Shop, card: pb.CardDetails = CARD) -> pb.Payment:
    payment: pb.Payment = (
        await shop.done(payments.AuthorizeRequest(card_details=card, amount=gbp(500)))
    ).payment
    return payment


def _actions(shop: Shop, payment: pb.Payment, kind: pb.Action.Type.ValueType) -> Count:
    async def count() -> int:
        listed = await shop.done(payments.ListPaymentActionsRequest(id=payment.id))
        return sum(action.type == kind for action in listed.actions)

    return count


async def capture(whole: Whole) -> Asked:
    """A capture of a part."""
    payment = await _paid(shop := await whole.shop())
    request = payments.CaptureRequest(authorization_id=payment.id, amount=gbp(200))
    return Asked(request, shop.api_key, _actions(shop, payment, pb.Action.TYPE_CAPTURE))


async def void(whole: Whole) -> Asked:
    """A void."""
    payment = await _paid(shop := await whole.shop())
    request = payments.VoidRequest(authorization_id=payment.id)
    return Asked(request, shop.api_key, _actions(shop, payment, pb.Action.TYPE_VOID))


async def refund(whole: Whole) -> Asked:
    """A refund of a part."""
    payment = await _paid(shop := await whole.shop())
    await shop.done(payments.CaptureRequest(authorization_id=payment.id, amount=gbp(200)))
    request = payments.RefundRequest(authorization_id=payment.id, amount=gbp(50))
    return Asked(request, shop.api_key, _actions(shop, payment, pb.Action.TYPE_REFUND))


async def delete_card(whole: Whole) -> Asked:
    """The removal of a card from the vault."""
    payment = await _paid(shop := await whole.shop())
    token = payment.card.token

    async def count() -> int:
        try:
            await shop.done(payments.AuthorizeRequest(card_token=token, amount=gbp(1)))
        except aio.AioRpcError as problem:
            return int(reason_of(problem) == "CARD_TOKEN_REMOVED")
        return 0

    return Asked(payments.DeleteCardRequest(token=token), shop.api_key, count, keyed=False)


async def _endpoint(shop: Shop) -> str:
    made = await shop.done(hooks.CreateWebhookEndpointRequest(url=URL))
    return str(made.endpoint.id)


def _endpoints(shop: Shop) -> Count:
    async def count() -> int:
        return len((await shop.done(hooks.ListWebhookEndpointsRequest())).endpoints)

    return count


async def create_endpoint(whole: Whole) -> Asked:
    """A webhook endpoint."""
    shop = await whole.shop()
    return Asked(hooks.CreateWebhookEndpointRequest(url=URL), shop.api_key, _endpoints(shop))


async def update_endpoint(whole: Whole) -> Asked:
    """Other words for one."""
    endpoint = await _endpoint(shop := await whole.shop())

    async def count() -> int:
        found = (await shop.done(hooks.GetWebhookEndpointRequest(id=endpoint))).endpoint
        return int(found.description == "new")

    request = hooks.UpdateWebhookEndpointRequest(id=endpoint, description="new")
    return Asked(request, shop.api_key, count, keyed=False)


async def delete_endpoint(whole: Whole) -> Asked:
    """The end of one."""
    endpoint = await _endpoint(shop := await whole.shop())

    async def count() -> int:
        return 1 - await _endpoints(shop)()

    request, over = hooks.DeleteWebhookEndpointRequest(id=endpoint), "WEBHOOK_ENDPOINT_NOT_FOUND"
    return Asked(request, shop.api_key, count, over, keyed=False)


async def rotate_secret(whole: Whole) -> Asked:
    """Another signing secret."""
    endpoint = await _endpoint(shop := await whole.shop())
    return Asked(hooks.RotateWebhookSecretRequest(id=endpoint), shop.api_key)


async def send_test_event(whole: Whole) -> Asked:
    """An event about nothing."""
    endpoint = await _endpoint(shop := await whole.shop())

    async def count() -> int:
        return len((await shop.done(hooks.ListEventsRequest(type="webhook.test"))).events)

    return Asked(hooks.SendTestEventRequest(id=endpoint), shop.api_key, count)


async def redeliver(whole: Whole) -> Asked:
    """An event once more."""
    endpoint = await _endpoint(shop := await whole.shop())
    event = (await shop.done(hooks.SendTestEventRequest(id=endpoint))).event
    return Asked(hooks.RedeliverEventRequest(id=event.id, endpoint_id=endpoint), shop.api_key)


async def redeliver_failed(whole: Whole) -> Asked:
    """Whatever has failed once more."""
    endpoint = await _endpoint(shop := await whole.shop())
    since = Timestamp()
    since.FromDatetime(datetime.now(UTC))
    return Asked(hooks.RedeliverFailedEventsRequest(id=endpoint, since=since), shop.api_key)


async def advance_clock(whole: Whole) -> Asked:
    """A minute on the merchant's clock."""
    shop = await whole.shop()

    async def count() -> int:
        now = await shop.done(sandbox.GetClockRequest())
        return int(now.offset.seconds // MINUTE.seconds)

    return Asked(sandbox.AdvanceClockRequest(by=MINUTE), shop.api_key, count)


async def reset(whole: Whole) -> Asked:
    """An end to all that a merchant has."""
    await _endpoint(shop := await whole.shop())

    async def count() -> int:
        return 1 - await _endpoints(shop)()

    return Asked(sandbox.ResetRequest(), shop.api_key, count)


async def reset_of_nothing(whole: Whole) -> Asked:
    """The same where there is nothing: somebody may have removed it just now."""
    shop = await whole.shop()
    return Asked(sandbox.ResetRequest(), shop.api_key, keyed=False)


def _rule() -> sandbox.CreateBankRuleRequest:
    kind = bank.BankRule.Effect.KIND_APPROVE
    return sandbox.CreateBankRuleRequest(effect=bank.BankRule.Effect(kind=kind))


def _rules(shop: Shop) -> Count:
    async def count() -> int:
        return len((await shop.done(sandbox.ListBankRulesRequest())).rules)

    return count


async def create_rule(whole: Whole) -> Asked:
    """A rule of the bank's."""
    shop = await whole.shop()
    return Asked(_rule(), shop.api_key, _rules(shop))


async def delete_rule(whole: Whole) -> Asked:
    """The end of one."""
    shop = await whole.shop()
    rule = (await shop.done(_rule())).rule

    async def count() -> int:
        return 1 - await _rules(shop)()

    request = sandbox.DeleteBankRuleRequest(id=rule.id)
    return Asked(request, shop.api_key, count, "BANK_RULE_NOT_FOUND", keyed=False)


def _sandboxes(shop: Shop) -> Count:
    async def count() -> int:
        return len((await shop.done(sandbox.ListSandboxesRequest())).sandboxes)

    return count


async def create_sandbox(whole: Whole) -> Asked:
    """A sandbox."""
    shop = await whole.shop()
    return Asked(sandbox.CreateSandboxRequest(name="a"), shop.api_key, _sandboxes(shop))


async def delete_sandbox(whole: Whole) -> Asked:
    """The end of one."""
    shop = await whole.shop()
    made = (await shop.done(sandbox.CreateSandboxRequest(name="a"))).sandbox

    async def count() -> int:
        return 1 - await _sandboxes(shop)()

    request = sandbox.DeleteSandboxRequest(id=made.id)
    return Asked(request, shop.api_key, count, "SANDBOX_NOT_FOUND", keyed=False)


WRITES: Mapping[str, Write] = {
    "Authorize": authorize,
    "Capture": capture,
    "Void": void,
    "Refund": refund,
    "DeleteCard": delete_card,
    "CreateWebhookEndpoint": create_endpoint,
    "UpdateWebhookEndpoint": update_endpoint,
    "DeleteWebhookEndpoint": delete_endpoint,
    "RotateWebhookSecret": rotate_secret,
    "SendTestEvent": send_test_event,
    "RedeliverEvent": redeliver,
    "RedeliverFailedEvents": redeliver_failed,
    "AdvanceClock": advance_clock,
    "Reset": reset,
    "Reset of nothing": reset_of_nothing,
    "CreateBankRule": create_rule,
    "DeleteBankRule": delete_rule,
    "CreateSandbox": create_sandbox,
    "DeleteSandbox": delete_sandbox,
}
