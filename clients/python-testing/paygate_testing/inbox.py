"""The webhooks of one sandbox, as they would have been posted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from paygate_client import Event, EventType, InboxMessage, Paygate, webhooks
from paygate_testing.waiting import wait_for

URL = "https://inbox.paygate.test/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook whose signature is right.

    Attributes:
        event: What it says.
        headers: As posted, by their names in lower case; the signature is among them.
        body: As posted, byte for byte.
        status_code: What the inbox has answered.
    """

    event: Event
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status_code: int


class Inbox:
    """A webhook endpoint that needs no server. Give `headers` and `body` to your own handler.

    Args:
        client: Of the sandbox.

    Attributes:
        endpoint_id: `we_…`.
        secret: That it signs with, `whsec_…`: tell it your handler.
    """

    def __init__(self, client: Paygate) -> None:
        self._client = client
        made = client.endpoints.create(URL, description="the inbox of paygate-testing")
        self.endpoint_id = made.endpoint.id
        self.secret = made.secret

    def webhooks(self) -> list[Webhook]:
        """Return what has come, the oldest first: of the last 200 messages.

        Raises:
            paygate_client.webhooks.VerificationError: A signature is wrong.
        """
        found = list(self._client.sandbox.inbox())
        return [self._verified(one) for one in reversed(found) if self._is_ours(one)]

    def wait_for(
        self, event_type: EventType | str, *, payment_id: str = "", seconds: float = 10.0
    ) -> Webhook:
        """Return the latest webhook of a type, as soon as there is one.

        Args:
            event_type: Such as `payment.captured`.
            payment_id: `pay_…`: only if it is about this payment.
            seconds: How long to wait.

        Raises:
            NeverCameError: It did not come; the message says what did.
        """

        def look() -> Webhook | None:
            return next((one for one in reversed(self.webhooks()) if is_it(one)), None)

        def is_it(one: Webhook) -> bool:
            about = one.event.payment.id if one.event.payment else ""
            return one.event.type == event_type and payment_id in {"", about}

        def otherwise() -> str:
            came = ", ".join(str(one.event.type) for one in self.webhooks()) or "nothing"
            return f"no webhook {event_type} came within {seconds:g} s; there came {came}"

        return wait_for(look, seconds=seconds, otherwise=otherwise)

    def answers(self, status_code: int) -> None:
        """Have the inbox answer with another HTTP status from 200 to 599, from now on.

        200 takes a webhook; 410 disables the endpoint; any other has it tried again after 5 s, 5
        minutes and more: turn the clock.
        """
        self._client.endpoints.update(self.endpoint_id, url=f"{URL}{status_code}")

    def _is_ours(self, message: InboxMessage) -> bool:
        return message.endpoint_id == self.endpoint_id

    def _verified(self, message: InboxMessage) -> Webhook:
        # A test that is looked at in a debugger may take longer than a signature is fresh.
        event = webhooks.verify(
            message.body, message.headers, self.secret, tolerance_seconds=math.inf
        )
        return Webhook(
            event=event,
            headers=message.headers,
            body=message.body,
            status_code=message.status_code,
        )
