"""Listeners: endpoints of the sandbox whose messages a program takes and posts on its own machine.

A message lies in the database until the program has answered it, or the attempt is over. Everything
else is as with any endpoint: what is not answered is tried again, in order.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pkg.ids import new_id
from pkg.postgres.sql import Pool, Row, translated
from services.events.delivery_queue import Claimed
from services.events.outbox import SQL
from services.events.post import USER_AGENT, Answer
from services.events.reply_text import plain_text

NO_LISTENER = "no listener is connected"
NO_ANSWER = "no answer in time"
# Listeners ask every few seconds.
SEEN_WITHIN = timedelta(seconds=10)
LOOK_SECONDS = 0.05

_Place = tuple[str, str, str]  # merchant, endpoint, message


class Listeners:
    """Has messages posted by listeners. To be made inside a running event loop, and closed.

    Args:
        pool: Of the gateway's database.
        timeout_seconds: How long an answer is waited for.
    """

    def __init__(self, pool: Pool, *, timeout_seconds: float) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self._waiting: dict[_Place, asyncio.Future[Answer]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def post(self, claimed: Claimed, headers: Mapping[str, str], body: bytes) -> Answer:
        """Have a message posted once.

        Raises:
            DependencyUnavailableError: The database is away.
        """
        endpoint = claimed.endpoint
        place = (endpoint.merchant_id, endpoint.id, new_id("msg", datetime.now(UTC)))
        with translated():
            offered = await self._pool.fetchval(
                SQL["offer_to_listener"],
                *place,
                claimed.event_id,
                claimed.attempts + 1,
                json.dumps({"user-agent": USER_AGENT, **headers}),
                body.decode(),
                SEEN_WITHIN,
            )
        if not offered:
            return Answer(0, NO_LISTENER)
        answer = self._waiting[place] = asyncio.get_running_loop().create_future()
        try:
            self._look()
            await asyncio.wait([answer], timeout=self._timeout_seconds)
            if not answer.done():
                await self._take(place)
            found: Answer = await answer
            return found
        finally:
            del self._waiting[place]

    async def close(self) -> None:
        """Look for answers no more."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_while_waiting())

    async def _look_while_waiting(self) -> None:
        """One look serves all that wait."""
        while self._waiting:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._take()
            except Exception as problem:  # noqa: BLE001  # each who waits is told
                for answer in self._waiting.values():
                    if not answer.done():
                        answer.set_exception(problem)

    async def _take(self, given_up: _Place | None = None) -> None:
        """Hand out answers; who has given up is told that there is none, unless there is."""
        places = [given_up] if given_up else [*self._waiting]
        if not places:
            return
        columns = [list(column) for column in zip(*places, strict=True)]
        with translated():
            rows = await self._pool.fetch(
                SQL["take_answers"], *columns, [given_up is not None] * len(places)
            )
        answers = {row["id"]: _answer(row) for row in rows}
        for place in places:
            answer = self._waiting.get(place)
            found = answers.get(place[-1], Answer(0, NO_ANSWER) if given_up else None)
            if answer and found and not answer.done():
                answer.set_result(found)


def _answer(row: Row) -> Answer:
    status = row["status_code"]
    if status is None:
        return Answer(0, NO_ANSWER)
    return Answer(status, row["problem"], plain_text(row["reply"].encode()))
