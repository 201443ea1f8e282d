"""A client of the paygate payments gateway: one effect per call, whatever breaks on the way.

`Paygate` and `AsyncPaygate` make calls; `webhooks.verify` checks what the gateway posts. Amounts
are `Money` in minor units, a decline is an `Outcome`, errors are subclasses of `PaygateError`.
"""

from paygate_client import webhooks
from paygate_client._async.client import AsyncPaygate
from paygate_client._async.listing import AsyncListing
from paygate_client._async.watch import AsyncWatch
from paygate_client._sending import VERSION
from paygate_client._sync.client import Paygate
from paygate_client._sync.listing import Listing
from paygate_client._sync.watch import Watch
from paygate_client.bank_models import BankRequest, BankRule
from paygate_client.card import Card, Expiry
from paygate_client.enums import (
    ActionStatus,
    ActionType,
    BankEffect,
    BankResult,
    BankVerb,
    Brand,
    DeclineCode,
    DeliveryStatus,
    DueKind,
    EndpointStatus,
    EventType,
    ListenerProblem,
    PaymentStatus,
)
from paygate_client.errors import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    FieldViolation,
    GatewayError,
    InvalidRequestError,
    NotFoundError,
    PaygateError,
    PermissionDeniedError,
    RateLimitedError,
    RefusedError,
    StillPendingError,
    UnavailableError,
)
from paygate_client.models import Action, CardOnFile, Decline, Outcome, Page, Payment
from paygate_client.money import Money
from paygate_client.sandbox_models import (
    Clock,
    CreatedSandbox,
    Drained,
    Due,
    InboxMessage,
    ListenerMessage,
    LoggedRequest,
    SandboxInfo,
    TestCard,
)
from paygate_client.webhook_models import (
    Delivery,
    DeliveryAttempt,
    EndpointSecret,
    Event,
    TestEvent,
    WebhookEndpoint,
)

__all__ = [
    "VERSION",
    "Action",
    "ActionStatus",
    "ActionType",
    "AsyncListing",
    "AsyncPaygate",
    "AsyncWatch",
    "AuthenticationError",
    "BankEffect",
    "BankRequest",
    "BankResult",
    "BankRule",
    "BankVerb",
    "Brand",
    "Card",
    "CardOnFile",
    "Clock",
    "ConflictError",
    "ConnectionFailedError",
    "CreatedSandbox",
    "Decline",
    "DeclineCode",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "Drained",
    "Due",
    "DueKind",
    "EndpointSecret",
    "EndpointStatus",
    "Event",
    "EventType",
    "Expiry",
    "FieldViolation",
    "GatewayError",
    "InboxMessage",
    "InvalidRequestError",
    "ListenerMessage",
    "ListenerProblem",
    "Listing",
    "LoggedRequest",
    "Money",
    "NotFoundError",
    "Outcome",
    "Page",
    "Paygate",
    "PaygateError",
    "Payment",
    "PaymentStatus",
    "PermissionDeniedError",
    "RateLimitedError",
    "RefusedError",
    "SandboxInfo",
    "StillPendingError",
    "TestCard",
    "TestEvent",
    "UnavailableError",
    "Watch",
    "WebhookEndpoint",
    "webhooks",
]
