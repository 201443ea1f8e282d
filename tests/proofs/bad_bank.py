"""The bank on a bad day: it loses, repeats and delays what it is asked, and what it answers.

`python -m tests.proofs.bad_bank` is `python -m services.acquirer` but for that. What it does not
lose it does, and keeps in its book: that has to agree with the gateway's in the end.
"""

import asyncio
import random
import runpy
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.acquirer.line import Lines
from services.acquirer.operations import Operations

# How often of 100 operations; the rest goes as it should.
LOST_REQUEST = LOST_REPLY = 3
DELAYED = 15
TOO_LATE = 2  # longer than the gateway waits
DONE_TWICE = 5
ANSWERED_TWICE = 5
# Of 100 questions what became of an operation, and of orders to undo it.
LOST_QUESTION = 1

DELAY_SECONDS_MAX, LATE_SECONDS, LOST_SECONDS = 1.0, 4.0, 12.0
Does = Callable[..., Awaitable[pb.Outcome]]


def on_a_bad_day(does: Does) -> Does:
    """Return what carries out an operation, with all that can become of it."""

    async def done(self: Operations, request: Any) -> pb.Outcome:
        dice = random.uniform(0, 100)
        if dice < LOST_REQUEST:
            await asyncio.sleep(LOST_SECONDS)
            raise ConnectionError("it was lost")
        if (dice := dice - LOST_REQUEST) < LOST_REPLY:
            await does(self, request)
            await asyncio.sleep(LOST_SECONDS)
            raise ConnectionError("it was lost")
        if (dice := dice - LOST_REPLY) < DELAYED:
            await asyncio.sleep(random.uniform(0, DELAY_SECONDS_MAX))
        elif (dice := dice - DELAYED) < TOO_LATE:
            await asyncio.sleep(LATE_SECONDS)
        elif dice - TOO_LATE < DONE_TWICE:
            first, _ = await asyncio.gather(does(self, request), does(self, request))
            return first
        return await does(self, request)

    return done


def asked_on_a_bad_day(does: Does) -> Does:
    """Return what answers a question, or undoes: now and then nobody hears of it."""

    async def done(self: Operations, request: Any) -> pb.Outcome:
        if random.uniform(0, 100) < LOST_QUESTION:
            await asyncio.sleep(LOST_SECONDS)
            raise ConnectionError("it was lost")
        return await does(self, request)

    return done


def repeating(serve: Callable[..., AsyncGenerator[pb.LineResponse]]) -> Any:
    """Return what answers over a line: some answers come twice, at once or much later."""

    async def served(
        self: Lines, requests: AsyncIterator[pb.LineRequest | None], address: str
    ) -> AsyncGenerator[pb.LineResponse]:
        old: list[pb.Answer] = []
        async for response in serve(self, requests, address):
            again = [one for one in response.answers if random.uniform(0, 100) < ANSWERED_TWICE]
            if old and again:
                again.append(random.choice(old))
            old = [*old, *response.answers][-1_000:]
            yield pb.LineResponse(answers=[*response.answers, *again], closing=response.closing)

    return served


if __name__ == "__main__":
    for verb in ("authorize", "capture", "void", "refund"):
        setattr(Operations, verb, on_a_bad_day(getattr(Operations, verb)))
    for verb in ("inquire", "reverse"):
        setattr(Operations, verb, asked_on_a_bad_day(getattr(Operations, verb)))
    setattr(Lines, "serve", repeating(Lines.serve))  # noqa: B010 -- mypy knows it as a method
    runpy.run_module("services.acquirer", run_name="__main__", alter_sys=True)
