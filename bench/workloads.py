"""The workloads: what is called, on which payments, and what each call must have done."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.driver import Operation
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as rpc

SERVICE = "/paygate.payments.v1.PaymentService"
CARD = pb.CardDetails(pan="4242424242424242", expiry=pb.Expiry(month=12, year=2035), cvv="123")
CARD_JSON = {"pan": CARD.pan, "expiry": {"month": 12, "year": 2035}, "cvv": CARD.cvv}
LARGE = 10**9
Body = Callable[[str], bytes]
Request = Callable[[str], tuple[str, str, str]]


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One kind of call.

    Attributes:
        action: The type of action that a call leaves behind; empty for a read.
        pool: Of which payments; empty if it needs none.
        message: The gRPC request, by the payment's id.
        request: The REST request: method, path and body.
    """

    action: str
    method: str
    pool: str
    message: Body
    request: Request

    def operation(self, payments: list[str], *, weight: int = 1) -> Operation:
        """Return what our driver is told."""
        return Operation(
            name=self.action or "READ",
            path=f"{SERVICE}/{self.method}",
            bodies=[base64.b64encode(self.message(one)).decode() for one in payments],
            weight=weight,
            keyed=bool(self.action),
        )


def gbp(minor_units: int) -> pb.Amount:
    """Return an amount in pence."""
    return pb.Amount(minor_units=minor_units, currency="GBP")


def authorize_message(amount: int, reference: str = "") -> bytes:
    """Return a serialised AuthorizeRequest."""
    request = rpc.AuthorizeRequest(card_details=CARD, amount=gbp(amount), reference=reference)
    return request.SerializeToString()


def capture_message(payment_id: str, amount: int) -> bytes:
    """Return a serialised CaptureRequest."""
    return rpc.CaptureRequest(authorization_id=payment_id, amount=gbp(amount)).SerializeToString()


def _refund_message(payment_id: str) -> bytes:
    return rpc.RefundRequest(authorization_id=payment_id, amount=gbp(1)).SerializeToString()


def _posted(path: str, **body: object) -> tuple[str, str, str]:
    return "POST", path, json.dumps({**body, "amount": {"currency": "GBP", **_pence(body)}})


def _pence(body: dict[str, object]) -> dict[str, int]:
    return {"minor_units": 1000 if "card_details" in body else 1}


AUTHORIZE = Verb(
    action="AUTHORIZE",
    method="Authorize",
    pool="",
    message=lambda _: authorize_message(1000),
    request=lambda _: _posted("/authorize", card_details=CARD_JSON),
)
CAPTURE = Verb(
    action="CAPTURE",
    method="Capture",
    pool="open",
    message=lambda one: capture_message(one, 1),
    request=lambda one: _posted("/capture", authorization_id=one),
)
REFUND = Verb(
    action="REFUND",
    method="Refund",
    pool="captured",
    message=_refund_message,
    request=lambda one: _posted("/refund", authorization_id=one),
)
READ = Verb(
    action="",
    method="GetPayment",
    pool="any",
    message=lambda one: rpc.GetPaymentRequest(id=one).SerializeToString(),
    request=lambda one: ("GET", f"/payment/{one}", ""),
)

LIST = Verb(
    action="",
    method="ListPayments",
    pool="",
    message=lambda _: rpc.ListPaymentsRequest().SerializeToString(),
    request=lambda _: ("GET", "/payments", ""),
)
DEEP_LIST = Verb(
    action="",
    method="ListPayments",
    pool="deep",
    message=lambda token: rpc.ListPaymentsRequest(page_token=token).SerializeToString(),
    request=lambda token: ("GET", f"/payments?page_token={token}", ""),
)

HOT = replace(CAPTURE, pool="hot")


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Verbs with their shares in a hundred; without any, one call that is repeated with its key."""

    name: str
    shares: tuple[tuple[Verb, int], ...] = ()

    def operations(self, pools: dict[str, list[str]], part: int, parts: int) -> list[Operation]:
        """Return what our driver does on one of several ports: each has payments of its own."""
        return [
            verb.operation(_of(pools, verb)[part::parts] or _of(pools, verb), weight=share)
            for verb, share in self.shares
        ]

    def requests(self, pools: dict[str, list[str]]) -> list[tuple[str, str, str]]:
        """Return what wrk does, which takes one verb only."""
        ((verb, _),) = self.shares
        return [verb.request(one) for one in _of(pools, verb)]


def _of(pools: dict[str, list[str]], verb: Verb) -> list[str]:
    return pools[verb.pool] if verb.pool else [""]


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(name="authorize", shares=((AUTHORIZE, 100),)),
        Workload(name="capture", shares=((CAPTURE, 100),)),
        Workload(name="refund", shares=((REFUND, 100),)),
        Workload(name="read", shares=((READ, 100),)),
        Workload(name="mix", shares=((AUTHORIZE, 50), (CAPTURE, 30), (REFUND, 5), (READ, 15))),
        Workload(name="hot", shares=((HOT, 100),)),
        Workload(name="first page", shares=((LIST, 100),)),
        Workload(name="page 10,000", shares=((DEEP_LIST, 100),)),
        Workload(name="replay"),
    )
}
