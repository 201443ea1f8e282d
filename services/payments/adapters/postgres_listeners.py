"""What listeners take and answer, in PostgreSQL; see `listening.ListenerStore`."""

import json
from collections.abc import Sequence
from datetime import timedelta

from pkg.postgres.sql import Pool, translated
from services.payments.adapters.postgres import SQL
from services.payments.listening import (
    LISTENER_URL,
    Listener,
    ListenerAnswer,
    ListenerMessage,
    Seen,
)

# Who asks every few seconds and was not seen for so long was away.
AWAY_AFTER = timedelta(seconds=10)
TRIED_AGAIN_MAX = 1_000
TAKEN_MAX = 16


class PostgresListeners:
    """Every method may raise DependencyUnavailableError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def note(self, listener: Listener, *, begin: bool) -> Seen:
        """Note that a listener asks; after a while without one, try what waits for it again."""
        place = listener.merchant_id, listener.endpoint_id
        with translated():
            row = await self._pool.fetchrow(
                SQL["listen"], *place, listener.name, begin, AWAY_AFTER, LISTENER_URL
            )
            assert row is not None
            if row["listening"] and row["was_away"]:
                await self._pool.execute(SQL["try_again_now"], *place, TRIED_AGAIN_MAX)
        return Seen(url=row["url"], listening=row["listening"])

    async def take(self, listener: Listener) -> Sequence[ListenerMessage]:
        """Return messages that the listener has not had yet, the first first."""
        with translated():
            rows = await self._pool.fetch(
                SQL["take_webhooks"],
                listener.merchant_id,
                listener.endpoint_id,
                listener.name,
                TAKEN_MAX,
            )
        return [
            ListenerMessage(**{**dict(row), "headers": json.loads(row["headers"])}) for row in rows
        ]

    async def answer(self, merchant_id: str, answer: ListenerAnswer) -> bool | None:
        """Note what came of a message; return whether that is still waited for."""
        with translated():
            counted: bool | None = await self._pool.fetchval(
                SQL["answer_webhook"],
                merchant_id,
                answer.endpoint_id,
                answer.id,
                answer.status_code,
                answer.problem,
                answer.reply,
            )
        return counted
