"""What programs take that post a merchant's webhooks on their own machines, and waiting for it.

services/events/listeners.py puts it there, and takes answers as it takes those of any endpoint.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from pkg.errors import ValidationFailedError
from pkg.values import value
from services.payments.domain.errors import EndpointNotFoundError, ListenerReplacedError
from services.payments.waiting import Places

LOOK_SECONDS = 0.1
# Of endpoints for listeners, with a name behind it; services/events knows them by it as well.
LISTENER_URL = "https://listener.paygate.test/"


@value(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who listens to an endpoint; `name` is its own, made when it starts."""

    merchant_id: str
    endpoint_id: str
    name: str


@value(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of noting a listener: the endpoint's URL, if there is one; whether it listens."""

    url: str | None
    listening: bool


@value(frozen=True, slots=True, kw_only=True)
class ListenerMessage:
    """One attempt to deliver an event, to be posted as it is."""

    id: str
    event_id: str
    attempt: int
    taken_before: bool
    headers: Mapping[str, str]
    body: str


@value(frozen=True, slots=True, kw_only=True)
class ListenerAnswer:
    """What came of a message: a status, or 0 and words of ours."""

    endpoint_id: str
    id: str
    status_code: int
    problem: str
    reply: str


class ListenerStore(Protocol):
    """Every method may raise DependencyUnavailableError."""

    async def note(self, listener: Listener, *, begin: bool) -> Seen:
        """Note that a listener asks; if it begins, it takes the place of any other."""

    async def take(self, listener: Listener) -> Sequence[ListenerMessage]:
        """Return messages that the listener has not had yet, the first first."""

    async def answer(self, merchant_id: str, answer: ListenerAnswer) -> bool | None:
        """Note what came of a message; return whether it is still waited for.

        None if there is no such endpoint.
        """


class Listening:
    """Lets listeners wait for messages.

    Args:
        store: Where messages are.
    """

    def __init__(self, store: ListenerStore) -> None:
        self._store = store
        self._places = Places()

    async def take(
        self, listener: Listener, *, begin: bool, seconds: float
    ) -> Sequence[ListenerMessage]:
        """Return messages as soon as there are some, or none when the time is over.

        Raises:
            EndpointNotFoundError: There is no such endpoint.
            ValidationFailedError: It is not for listeners.
            ListenerReplacedError: Another listener has begun.
            RateLimitedError: Too many wait already.
            DependencyUnavailableError: The database is away.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        with self._places.one_of(listener.merchant_id):
            seen = await self._store.note(listener, begin=begin)
            if seen.url is None:
                raise EndpointNotFoundError
            if not seen.listening:
                raise _refused(seen.url)
            found = await self._store.take(listener)
            while not found and clock() < end:
                await asyncio.sleep(min(LOOK_SECONDS, max(0.0, end - clock())))
                found = await self._store.take(listener)
        return found

    async def answer(self, merchant_id: str, answer: ListenerAnswer) -> bool:
        """Note what came of a message; return whether it is still waited for.

        Raises:
            EndpointNotFoundError: There is no such endpoint.
            DependencyUnavailableError: The database is away.
        """
        counted = await self._store.answer(merchant_id, answer)
        if counted is None:
            raise EndpointNotFoundError
        return counted


def _refused(url: str) -> Exception:
    if url.startswith(LISTENER_URL):
        return ListenerReplacedError()
    return ValidationFailedError({"endpoint_id": f"must be an endpoint at {LISTENER_URL}"})
