"""The methods of the API that the stories call, and where each is in REST."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import grpc
from google.protobuf.message import Message

from paygate.payments.v1 import payment_service_pb2 as payments
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
    stub: Stub


def _of(messages: ModuleType, stub: Stub, *methods: tuple[str, str, str]) -> dict[str, Rpc]:
    """Return the methods of one service, by their names."""
    return {
        name: Rpc(
            getattr(messages, f"{name}Request"),
            getattr(messages, f"{name}Response"),
            method,
            path,
            stub,
        )
        for name, method, path in methods
    }


RPCS = {
    **_of(
        payments,
        PaymentServiceStub,
        ("Authorize", "POST", "/authorize"),
        ("Capture", "POST", "/capture"),
        ("Void", "POST", "/void"),
        ("Refund", "POST", "/refund"),
        ("GetPayment", "GET", "/payment/{id}"),
        ("ListPaymentActions", "GET", "/payment/{id}/actions"),
        ("ListPayments", "GET", "/payments"),
        ("DeleteCard", "DELETE", "/cards/{token}"),
    ),
    **_of(
        hooks,
        WebhookServiceStub,
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
    ),
    **_of(
        sandbox,
        SandboxServiceStub,
        ("GetClock", "GET", "/sandbox/clock"),
        ("AdvanceClock", "POST", "/sandbox/clock/advance"),
        ("Drain", "POST", "/sandbox/drain"),
        ("Reset", "POST", "/sandbox/reset"),
        ("ListInbox", "GET", "/sandbox/inbox"),
        ("TakeWebhooks", "POST", "/sandbox/listeners/{endpoint_id}/take"),
        ("AnswerWebhook", "POST", "/sandbox/listeners/{endpoint_id}/messages/{id}/answer"),
        ("ListDue", "GET", "/sandbox/due"),
        ("ListTestCards", "GET", "/sandbox/test-cards"),
        ("CreateBankRule", "POST", "/sandbox/bank-rules"),
        ("ListBankRules", "GET", "/sandbox/bank-rules"),
        ("DeleteBankRule", "DELETE", "/sandbox/bank-rules/{id}"),
        ("ListBankRequests", "GET", "/sandbox/bank-requests"),
        ("CreateSandbox", "POST", "/sandbox/sandboxes"),
        ("ListSandboxes", "GET", "/sandbox/sandboxes"),
        ("DeleteSandbox", "DELETE", "/sandbox/sandboxes/{id}"),
        ("ListRequests", "GET", "/sandbox/requests"),
        ("GetRequest", "GET", "/sandbox/requests/{id}"),
    ),
}
