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
from services.acquirer.errors import UnreachableError
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


# What was lost or late once goes as it should when it comes again: a caller who is unlucky twice in
# a row waits twice as long, which says nothing of the gateway.
_struck: set[str] = set()


def _dice(reference: str) -> float:
    """Return where of 100 an operation fell; past everything if it was struck before."""
    fell = random.uniform(0, 100)
    if fell < LOST_REQUEST + LOST_REPLY + TOO_LATE:
        if reference in _struck:
            return 100.0
        _struck.add(reference)
    return fell


async def _lost() -> pb.Outcome:
    await asyncio.sleep(LOST_SECONDS)  # by when nobody waits any more
    raise UnreachableError


def on_a_bad_day(does: Does) -> Does:
    """Return what carries out an operation, with all that can become of it."""

    async def done(self: Operations, request: Any) -> pb.Outcome:
        fell = _dice(request.reference)
        if fell < LOST_REQUEST:
            return await _lost()
        if (fell := fell - LOST_REQUEST) < LOST_REPLY:
            await does(self, request)
            return await _lost()
        if (fell := fell - LOST_REPLY) < TOO_LATE:
            await asyncio.sleep(LATE_SECONDS)
        elif (fell := fell - TOO_LATE) < DELAYED:
            await asyncio.sleep(random.uniform(0, DELAY_SECONDS_MAX))
        elif fell - DELAYED < DONE_TWICE:
            first, _ = await asyncio.gather(does(self, request), does(self, request))
            return first
        return await does(self, request)

    return done


def asked_on_a_bad_day(does: Does) -> Does:
    """Return what answers a question, or undoes: now and then nobody hears of it."""

    async def done(self: Operations, request: Any) -> pb.Outcome:
        about = f"of {getattr(request, 'reference', '') or request.authorization_reference}"
        if random.uniform(0, 100) < LOST_QUESTION and about not in _struck:
            _struck.add(about)
            return await _lost()
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
