"""Changes as the use cases commit them, and a store on PostgreSQL to commit them to."""

from dataclasses import dataclass, replace
from datetime import timedelta

import asyncpg

from pkg.ids import new_id
from pkg.postgres.sql import Pool
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_reader import PostgresReader
from services.payments.domain.action import Action
from services.payments.domain.event import event_of
from services.payments.domain.payment import Payment
from services.payments.ports import Change, CommitResult, PaymentFilter, Store
from tests.builders import LATER, begun, settled

LEASE = timedelta(seconds=10)
EVERYTHING = PaymentFilter()


@dataclass
class OnPostgres:
    """A store on PostgreSQL, and the pool to look behind it."""

    store: PostgresStore
    reader: PostgresReader
    pool: Pool


def keyed(step: tuple[Payment, Action], key: str | None = "k", fingerprint: bytes = b"f") -> Change:
    """Return the first commit of a request that carries an idempotency key."""
    payment, action = step
    action = replace(action, idempotency_key=key)
    return Change(payment=payment, actions=(action,), fingerprint=fingerprint if key else None)


def ended(first: Change, reply: bytes | None = None) -> Change:
    """Return the second commit: the bank has approved."""
    payment, action = settled((first.payment, first.actions[0]))
    event = event_of(payment, action, event_id=new_id("evt", LATER))
    return Change(payment=payment, actions=(action,), event=event, reply=reply)


async def stored(store: Store, change: Change) -> Change:
    """Store a change that must go through."""
    assert await store.commit(change) is CommitResult.COMMITTED
    return change


async def an_authorized(store: Store, **kwargs: object) -> Payment:
    """Store a payment that is authorised."""
    first = await stored(store, keyed(begun(**kwargs), key=None))  # type: ignore[arg-type]
    return (await stored(store, ended(first))).payment


def loses_acknowledgements(store: PostgresStore) -> None:
    """Have a store commit from now on, and lose the connection before it is told so."""
    writes = store._writes

    class Cut:
        """Commits, and then loses the acknowledgement."""

        async def fetch(self, statement: str, *arguments: object) -> object:
            await writes.fetch(statement, *arguments)
            raise asyncpg.ConnectionDoesNotExistError

    store._writes = Cut()  # type: ignore[assignment]
