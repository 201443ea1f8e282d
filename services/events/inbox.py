"""The inbox: an endpoint of the sandbox that needs no server, and no network.

What would have been posted is kept for the merchant, headers and body byte for byte, and answered
with the status that the URL names.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from pkg.ids import new_id
from pkg.postgres.sql import Pool, translated
from pkg.values import value
from services.events.outbox import SQL

INBOX_MESSAGES_MAX = 200  # of a merchant


@value(frozen=True, slots=True, kw_only=True)
class Posted:
    """What came into the inbox. `begin_time` is real."""

    merchant_id: str
    endpoint_id: str
    event_id: str
    begin_time: datetime
    status_code: int
    headers: Mapping[str, str]
    body: bytes


class Inbox:
    """Every method may raise DependencyUnavailableError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, messages: Sequence[Posted]) -> None:
        """Keep messages of endpoints that are still there, and of each merchant's the last ones."""
        if not messages:
            return
        columns = [list(column) for column in zip(*map(_columns, messages), strict=True)]
        with translated():
            await self._pool.execute(SQL["keep_in_inbox"], *columns)
            merchants = sorted({message.merchant_id for message in messages})
            await self._pool.execute(SQL["trim_inbox"], merchants, INBOX_MESSAGES_MAX)


def _columns(message: Posted) -> tuple[object, ...]:
    return (
        message.merchant_id,
        new_id("msg", message.begin_time),
        message.begin_time,
        message.endpoint_id,
        message.event_id,
        message.status_code,
        json.dumps(dict(message.headers)),
        message.body.decode(),
    )
