# Generated from `_async` by `make proto-generate`: change it there.
"""What tests need. With a gateway in production each call raises `NotFoundError`."""

from collections.abc import Sequence
from datetime import timedelta

from paygate_client import _requests as requests
from paygate_client._sync.transport import Transport
from paygate_client.sandbox_models import Clock, Drained, TestCard


class Sandbox:
    """The sandbox's clock, and what else a test turns."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def clock(self) -> Clock:
        """Return the sandbox's clock."""
        return self._transport.send(requests.get_clock())

    def advance(self, by: timedelta, *, idempotency_key: str | None = None) -> Clock:
        """Turn the clock forward for everybody, by 1 second to 400 days; `reset` puts it back."""
        return self._transport.send(requests.advance_clock(by), idempotency_key)

    def drain(self, at_most: timedelta = timedelta(seconds=3)) -> Drained:
        """Return when everything that is due was done, or after a time, of 30 s at most."""
        return self._transport.send(requests.drain(at_most))

    def reset(self, *, idempotency_key: str | None = None) -> int:
        """Remove the merchant's payments, events and endpoints; return how many payments."""
        return self._transport.send(requests.reset(), idempotency_key)

    def test_cards(self) -> Sequence[TestCard]:
        """Return the cards whose numbers decide what the simulated bank does."""
        return self._transport.send(requests.list_test_cards())
