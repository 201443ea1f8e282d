"""Buses that events are published to. PostgreSQL alone needs none."""

from typing import Protocol


class BusUnavailableError(Exception):
    """The bus has not taken the event, or has not said so."""


class Bus(Protocol):
    """Takes events at least once each, those of one payment in their order."""

    async def publish(
        self,
        *,
        merchant_id: str,
        event_id: str,
        type: str,  # noqa: A002 - the field's name
        payload: bytes,
        traceparent: str = "",
    ) -> None:
        """Publish one event and wait until the bus has it.

        A `traceparent` that is not empty goes with it, for subscribers that trace.

        Raises:
            BusUnavailableError: Whether it was taken is not known. Publishing it again is harmless.
        """

    async def close(self) -> None:
        """Let go of the connection."""
