"""A sandbox: a merchant of one test's own."""

from dataclasses import fields
from datetime import timedelta

from paygate_client import AsyncPaygate, Clock, Drained, Event, EventType, Paygate
from paygate_testing.bank import Bank
from paygate_testing.errors import NeverCameError
from paygate_testing.inbox import Inbox
from paygate_testing.waiting import wait_for

# One call of the gateway waits for so long at most.
_DRAIN_SECONDS_MAX = 30.0


class Sandbox:
    """A merchant with payments, a clock, bank rules and webhooks that no other test sees.

    All methods block. In a test with asyncio, call them with `asyncio.to_thread` where your own
    code has to go on meanwhile.

    Args:
        sandbox_id: `mer_…`.
        url: The gateway's address.
        api_key: The sandbox's, `sk_…`.
        client: With that key.

    Attributes:
        id: `mer_…`.
        url: The gateway's address: tell it your code.
        api_key: `sk_…`: tell it your code. It is not in the `repr`.
        client: Makes calls as this merchant; threads may share it.
        bank: What the bank does here.
        inbox: Webhooks that came.
    """

    def __init__(self, sandbox_id: str, url: str, api_key: str, client: Paygate) -> None:
        self.id = sandbox_id
        self.url = url
        self.api_key = api_key
        self.client = client
        self.bank = Bank(self.client)
        self.inbox = Inbox(self.client)

    def __repr__(self) -> str:
        return f"Sandbox({self.id!r})"

    def async_client(self) -> AsyncPaygate:
        """Return a client for asyncio: `async with sandbox.async_client() as paygate:`."""
        return AsyncPaygate(self.url, self.api_key)

    @property
    def clock(self) -> Clock:
        """What the sandbox's clock says now."""
        return self.client.sandbox.clock()

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> Clock:
        """Turn the sandbox's clock forward, by 1 second to 400 days, and return it.

        What is due then happens within a second or so: `drain` waits for it.
        """
        by = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self.client.sandbox.advance(by)

    def drain(self, *, seconds: float = 20.0) -> None:
        """Return when everything that is due was done: actions, expiries, events, webhooks.

        Raises:
            NeverCameError: It was not done in time; the message says what is left.
        """
        left = seconds
        while True:
            at_once = min(left, _DRAIN_SECONDS_MAX)
            found = self.client.sandbox.drain(timedelta(seconds=at_once))
            left -= at_once
            if found.drained:
                return
            if left <= 0:
                raise NeverCameError(f"not all was done within {seconds:g} s: {_left(found)}")

    def wait_for_event(
        self, event_type: EventType | str, *, payment_id: str = "", seconds: float = 10.0
    ) -> Event:
        """Return the latest event of a type, as soon as there is one.

        Args:
            event_type: Such as `payment.captured`.
            payment_id: `pay_…`: only if it is about this payment.
            seconds: How long to wait.

        Raises:
            NeverCameError: It did not come; the message says what did.
        """

        def look() -> Event | None:
            found = self.client.events.list(payment=payment_id or None, event_type=event_type)
            return next(iter(found), None)

        def otherwise() -> str:
            events = list(self.client.events.list(payment=payment_id or None))
            came = ", ".join(str(one.type) for one in reversed(events)) or "nothing"
            about = f" of {payment_id}" if payment_id else ""
            return f"no {event_type}{about} came within {seconds:g} s; there came {came}"

        return wait_for(look, seconds=seconds, otherwise=otherwise)


def _left(found: Drained) -> str:
    counts = {one.name: getattr(found, one.name) for one in fields(found) if one.name != "drained"}
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
