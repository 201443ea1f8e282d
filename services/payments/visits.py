"""Visits to merchants of the sandbox whose clocks are ahead, to remove what is too old by them."""

from datetime import timedelta
from typing import Protocol


class Visits(Protocol):
    """Whose turn it is. Every method may raise DependencyUnavailableError."""

    async def next(self, *, pause: timedelta) -> str | None:
        """Pick who turned their clock, or was not visited for that long; and read the clock."""

    async def again(self, merchant_id: str, *, pause: timedelta) -> None:
        """Have a merchant visited again, behind those who wait."""


class NoVisits:
    """Where no clock is ahead."""

    async def next(self, *, pause: timedelta) -> str | None:  # noqa: ARG002
        """Nobody waits."""
        return None

    async def again(self, merchant_id: str, *, pause: timedelta) -> None:
        """Nobody was visited."""
