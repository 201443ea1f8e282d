"""The methods of the API that the stories call, and where each is in REST."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import grpc
from google.protobuf.message import Message

from paygate.payments.v1 import payment_service_pb2 as pb
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from paygate.webhooks.v1 import webhook_service_pb2 as hooks
from paygate.webhooks.v1.webhook_service_pb2_grpc import WebhookServiceStub

Stub = Callable[[grpc.Channel], object]


@dataclass(frozen=True)
class Rpc:
    """One method of the API: its messages, and where it is in REST."""

    request: type[Message]
    response: type[Message]
    method: str
    path: str
    stub: Stub = PaymentServiceStub


def _of(messages: ModuleType, stub: Stub, name: str, method: str, path: str) -> Rpc:
    request, response = getattr(messages, f"{name}Request"), getattr(messages, f"{name}Response")
    return Rpc(request, response, method, path, stub)


RPCS = {
    "Authorize": Rpc(pb.AuthorizeRequest, pb.AuthorizeResponse, "POST", "/authorize"),
    "Capture": Rpc(pb.CaptureRequest, pb.CaptureResponse, "POST", "/capture"),
    "Void": Rpc(pb.VoidRequest, pb.VoidResponse, "POST", "/void"),
    "Refund": Rpc(pb.RefundRequest, pb.RefundResponse, "POST", "/refund"),
    "GetPayment": Rpc(pb.GetPaymentRequest, pb.GetPaymentResponse, "GET", "/payment/{id}"),
    "ListPaymentActions": Rpc(
        pb.ListPaymentActionsRequest, pb.ListPaymentActionsResponse, "GET", "/payment/{id}/actions"
    ),
    "ListPayments": Rpc(pb.ListPaymentsRequest, pb.ListPaymentsResponse, "GET", "/payments"),
    "DeleteCard": Rpc(pb.DeleteCardRequest, pb.DeleteCardResponse, "DELETE", "/cards/{token}"),
    **{
        name: _of(hooks, WebhookServiceStub, name, method, path)
        for name, method, path in (
            ("CreateWebhookEndpoint", "POST", "/webhook-endpoints"),
            ("GetWebhookEndpoint", "GET", "/webhook-endpoints/{id}"),
            ("ListWebhookEndpoints", "GET", "/webhook-endpoints"),
            ("UpdateWebhookEndpoint", "PATCH", "/webhook-endpoints/{id}"),
            ("DeleteWebhookEndpoint", "DELETE", "/webhook-endpoints/{id}"),
            ("RotateWebhookSecret", "POST", "/webhook-endpoints/{id}/rotate-secret"),
            ("RedeliverFailedEvents", "POST", "/webhook-endpoints/{id}/redeliver-failed"),
            ("SendTestEvent", "POST", "/webhook-endpoints/{id}/test"),
            ("ListEvents", "GET", "/events"),
            ("GetEvent", "GET", "/events/{id}"),
            ("ListDeliveries", "GET", "/events/{id}/deliveries"),
            ("ListEndpointDeliveries", "GET", "/webhook-endpoints/{id}/deliveries"),
            ("ListDeliveryAttempts", "GET", "/events/{id}/deliveries/{endpoint_id}/attempts"),
            ("RedeliverEvent", "POST", "/events/{id}/redeliver"),
        )
    },
    **{
        name: _of(sandbox, SandboxServiceStub, name, method, path)
        for name, method, path in (
            ("GetClock", "GET", "/sandbox/clock"),
            ("AdvanceClock", "POST", "/sandbox/clock/advance"),
            ("Drain", "POST", "/sandbox/drain"),
            ("Reset", "POST", "/sandbox/reset"),
            ("ListInbox", "GET", "/sandbox/inbox"),
            ("ListDue", "GET", "/sandbox/due"),
            ("ListTestCards", "GET", "/sandbox/test-cards"),
            ("ListRequests", "GET", "/sandbox/requests"),
            ("GetRequest", "GET", "/sandbox/requests/{id}"),
        )
    },
}
