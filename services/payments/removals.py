"""What becomes of sandboxes that have ended: all that they had is removed, bit by bit."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

LOOK_SECONDS = 1.0


class Ended(NamedTuple):
    """A sandbox whose rows are to be removed, and whether something is under way in it."""

    merchant_id: str
    is_busy: bool


class EndedSandboxes(Protocol):
    """Where they are kept. Every method may raise DependencyUnavailableError."""

    async def take_ended(self) -> Ended | None:
        """Take one that nobody else removes now; None if there is none."""

    async def remove_rows(self, sandbox_id: str) -> bool:
        """Remove some of what it has, endpoints too; return whether there was anything."""

    async def remove(self, sandbox_id: str) -> None:
        """Remove what is left of it, and itself."""

    async def take_leftovers(self) -> Sequence[str]:
        """Take references of operations that the bank is to remove, and nobody else removes now."""

    async def drop_leftovers(self, references: Sequence[str]) -> None:
        """Forget those that it has removed."""


class SandboxBooks(Protocol):
    """What the bank has of sandboxes. Every method may raise DependencyUnavailableError."""

    async def forget(self, merchant_id: str, key: str | None) -> None:
        """Remove a merchant's rules."""

    async def erase(self, references: Sequence[str]) -> None:
        """Remove operations."""


class Removals:
    """Removes what is left of sandboxes. Any number of processes may do so, and die at it."""

    def __init__(self, sandboxes: EndedSandboxes, bank: SandboxBooks) -> None:
        self._sandboxes = sandboxes
        self._bank = bank

    async def run_once(self) -> bool:
        """Remove one sandbox, and some of what the bank has of others; say whether there was any.

        The sandbox's own row goes last, when a look has found nothing any more: whoever dies before
        that leaves the rest to somebody else, and what a webhook under way writes late goes, too.
        One in which an action is PENDING is left until that has ended.

        Raises:
            DependencyUnavailableError: The database or the bank is away.
        """
        ended = await self._sandboxes.take_ended()
        if ended and not ended.is_busy:
            await self._remove(ended.merchant_id)
        references = await self._sandboxes.take_leftovers()
        if references:
            await self._bank.erase(references)
            await self._sandboxes.drop_leftovers(references)
        return bool(ended or references)

    async def _remove(self, sandbox_id: str) -> None:
        """Remove what a sandbox has; and itself, if it had nothing."""
        had_something = False
        while await self._sandboxes.remove_rows(sandbox_id):
            had_something = True
        if had_something:
            return
        await self._bank.forget(sandbox_id, None)
        await self._sandboxes.remove(sandbox_id)
