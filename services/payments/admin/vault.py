"""What the operator does to the key that wraps data keys; the gateway's vault does it."""

from typing import Protocol


class Progress(Protocol):
    """How far wrapping data keys anew has come."""

    @property
    def version(self) -> int:
        """The version that wraps."""

    @property
    def rewrapped(self) -> int:
        """How many were wrapped anew just now."""

    @property
    def remaining(self) -> int:
        """How many an older version has wrapped."""


class VaultKey(Protocol):
    """The key that wraps data keys. Every method may raise DependencyUnavailableError."""

    async def rotate(self) -> int:
        """Make a new version, and return its number."""

    async def rewrap(self) -> Progress:
        """Wrap a batch of data keys by the newest version."""

    async def refuse_older(self) -> int | None:
        """Refuse older versions and return the newest, or None while that would lose cards."""
