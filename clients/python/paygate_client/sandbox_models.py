"""What the sandbox says. Times are aware, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from paygate_client.enums import DueKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The sandbox's clock.

    Attributes:
        now: The time by which payments expire and retries are due.
        offset: How far it is ahead of the real time.
    """

    now: datetime
    offset: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxInfo:
    """A sandbox that was made for one test or some: a merchant of its own.

    Attributes:
        id: The merchant's, `mer_…`.
        name: For people.
        create_time: When it was made, by the real time.
        expire_time: When it goes by itself, by the real time.
    """

    id: str
    name: str
    create_time: datetime
    expire_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedSandbox:
    """A sandbox that was just made, with its API key. The key is told once; keep it.

    Attributes:
        sandbox: The sandbox.
        api_key: `sk_…`: give it to a client of its own. It is not in the `repr`.
    """

    sandbox: SandboxInfo
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What is still due after a drain.

    Attributes:
        drained: Whether nothing is.
        pending_actions: Actions whose answer from the bank is open.
        due_expiries: Payments that are past their time and have not expired yet.
        pending_events: Events that no relay has taken yet.
        due_deliveries: Deliveries that are due now.
    """

    drained: bool
    pending_actions: int
    due_expiries: int
    pending_events: int
    due_deliveries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerMessage:
    """One attempt to deliver an event to an endpoint for listeners, to be posted as it is.

    Attributes:
        id: `msg_…`.
        event_id: `evt_…`.
        attempt: Which one it is: 1 for the first.
        taken_before: Whether another listener has had this very message and not answered.
        headers: By their names in lower case, with the signature among them.
        body: As it was signed.
    """

    id: str
    event_id: str
    attempt: int
    taken_before: bool
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that happens by itself when its time has come.

    Attributes:
        kind: What happens.
        due_time: When, by the sandbox's clock; for ACTION_RETRIED turning it brings it no sooner.
        payment_id: `pay_…`; empty for a test event.
        event_id: `evt_…` of a webhook; empty otherwise.
        endpoint_id: `we_…` of a webhook; empty otherwise.
    """

    kind: DueKind
    due_time: datetime
    payment_id: str
    event_id: str
    endpoint_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCard:
    """A card of the simulated bank, with any expiry that is not past and any CVV.

    Attributes:
        number: Its number.
        description: What happens with it.
    """

    __test__ = False  # to pytest it is no test

    number: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """A call that was made with one of the merchant's keys, and what became of it.

    Attributes:
        id: The `x-request-id` of its reply.
        create_time: When it began.
        method: The RPC, such as `Authorize`.
        service: Whose it is, such as `paygate.payments.v1.PaymentService`.
        code: The name of its gRPC status, such as `OK`.
        http_status: What REST makes of that.
        reason: Of its error; empty if there was none.
        duration: How long it took, inside the service.
        idempotency_key: What came with it; may be empty.
        replayed: Whether it got a stored reply.
        payment_id: What it was about; may be empty.
        key_id: Of the API key: the part between the two underscores.
        rest: Whether it came over REST.
        request: What was sent, as JSON and without card data; None if it could not be read.
        reply: The reply or the error, in the same way.
    """

    id: str
    create_time: datetime
    method: str
    service: str
    code: str
    http_status: int
    reason: str
    duration: timedelta
    idempotency_key: str
    replayed: bool
    payment_id: str
    key_id: str
    rest: bool
    request: Mapping[str, Any] | None
    reply: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxMessage:
    """What one attempt to deliver an event would have posted.

    Attributes:
        id: `msg_…`.
        create_time: When the attempt was begun.
        endpoint_id: `we_…`.
        event_id: `evt_…`.
        status_code: With which HTTP status the inbox has answered.
        headers: By their names in lower case, with the signature among them.
        body: As it was signed: `webhooks.verify` takes both.
    """

    id: str
    create_time: datetime
    endpoint_id: str
    event_id: str
    status_code: int
    headers: Mapping[str, str]
    body: bytes
