"""What replies and events look like is for others to say."""

from datetime import datetime
from typing import Protocol

from services.payments.domain.action import Action
from services.payments.domain.event import Event
from services.payments.domain.payment import Payment


class Events(Protocol):
    """Event messages."""

    def encode(self, event: Event, reply: bytes | None = None) -> bytes:
        """Return what the outbox holds of an event; the reply that goes with it says the same."""


class Replies(Protocol):
    """Response messages."""

    def render(self, action: Action, payment: Payment, now: datetime) -> bytes:
        """Return the serialised response of the RPC that made the action."""
