"""What time brings next for a merchant of the sandbox."""

from datetime import datetime
from enum import StrEnum, unique

from pkg.grpc.messages import Fields, time_fields
from pkg.values import value

UPCOMING_MAX = 20
# Of open payments, of an endpoint's deliveries and of open actions.
LOOKED_AT_MAX = 200


@unique
class Kind(StrEnum):
    """What happens; named as in paygate.sandbox.v1.Due.Kind, without its prefix."""

    PAYMENT_EXPIRES = "PAYMENT_EXPIRES"
    ACTION_RETRIED = "ACTION_RETRIED"
    DELIVERY_RETRIED = "DELIVERY_RETRIED"


@value(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """Something that happens by itself at a time of the gateway's clock.

    `payment_id` is empty for a test event; the other two are, but for a delivery.
    """

    kind: Kind
    due_time: datetime
    payment_id: str
    event_id: str
    endpoint_id: str


def upcoming_fields(upcoming: Upcoming) -> Fields:
    """Return it as merchants see it: a paygate.sandbox.v1.Due."""
    return {
        "kind": f"KIND_{upcoming.kind}",
        "due_time": time_fields(upcoming.due_time),
        "payment_id": upcoming.payment_id,
        "event_id": upcoming.event_id,
        "endpoint_id": upcoming.endpoint_id,
    }
