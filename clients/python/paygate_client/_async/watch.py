"""Events as they come, over streams that follow each other."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Self

from paygate_client._async.transport import AsyncTransport
from paygate_client._call import Call
from paygate_client._sending import Again, Deadline, Done, Over, next_step
from paygate_client.webhook_models import Event

logger = logging.getLogger("paygate_client")

# A gateway that ends a stream at once is not asked in a hurry: of pauses the fourth is the first.
_FIRST = 4


class AsyncWatch:
    """Events as they come: `async for event in watch`. Each is given once, and none is missed.

    A stream that ends, breaks or is silent for 15 s is taken up again from the last cursor. What it
    raises is what a call may raise, and it can be read on afterwards: see `PaygateError`.

    Attributes:
        cursor: Where to go on, behind the event that was given last. Keep it when you have done
            what is to be done, to begin with it after a restart. Empty until the gateway has
            answered.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        ask: Callable[[str], Call[tuple[Event | None, str]]],
        *,
        cursor: str,
        deadline_seconds: float | None,
    ) -> None:
        self.cursor = cursor
        self._transport = transport
        self._ask = ask
        self._seconds = transport.deadline_seconds if deadline_seconds is None else deadline_seconds
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[Event]:
        deadline, number, is_told = Deadline(self._seconds), _FIRST, False
        while not self._is_closed:
            call, pause = self._ask(self.cursor), 0.0
            async with aclosing(self._transport.stream(call, deadline)) as attempts:
                async for attempt in attempts:
                    if self._is_closed:
                        return
                    if is_told:  # all was well: the time counts from here
                        deadline, number, is_told = Deadline(self._seconds), _FIRST, False
                    left = deadline.seconds_left
                    match next_step(call, attempt, number=number, key=None, seconds_left=left):
                        case Done((event, cursor)):
                            self.cursor, is_told = cursor, True
                            if event is not None:
                                yield event
                        case Over(error):
                            raise error
                        case Again(pause, why):
                            logger.info("%s: %s, again in %.2f s", call.name, why, pause)
            await self._transport.pause(pause)
            number += 1

    async def aclose(self) -> None:
        """Let it end: with the next message, which comes within 10 s, if it is being waited for."""
        self._is_closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.aclose()
