"""Who writes into lists and who follows them, all on one database."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from paygate.events.v1.event_pb2 import PaymentEvent
from pkg.grpc.lists import BEGINNING, ListPosition
from pkg.grpc.paging import PageTokens
from pkg.ids import new_id
from pkg.postgres.sql import BEGIN_COMMIT_ERA, Pool, open_pool
from pkg.postgres.tenancy import MerchantPool
from pkg.secret import Secret
from services.events.journal import EventFilter, Journal
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_reader import PostgresReader
from services.payments.api.codec import ProtoEvents
from services.payments.domain.event import event_of
from services.payments.domain.payment import Payment
from services.payments.ports import Change, CommitResult, PaymentFilter
from services.payments.use_cases.queries import Queries
from tests.builders import HASH_KEY, MERCHANT, begun, capture, settled
from tests.database import as_part

WRITERS = 8
# The long form takes 20,000.
ROWS = int(os.environ.get("PAYGATE_FOLLOWED_ROWS", "2000"))
TOGETHER = 10  # what a writer has under way at once
LEASE = timedelta(seconds=10)

Look = Callable[[str], Awaitable[tuple[Sequence[str], str]]]


@dataclass
class Scene:
    """A database with those who write into it and those who look."""

    url: str
    stores: Sequence[PostgresStore]
    queries: Queries
    journal: Journal
    owner: Pool


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Scene]:
    """Eight writers with a connection each, as eight workers have, on an empty database."""
    async with AsyncExitStack() as stack:

        async def pool(part: str, size: int) -> Pool:
            first = BEGIN_COMMIT_ERA if part == "paygate_gateway" else None
            opened = open_pool(
                as_part(url, part) if part else url,
                size=size,
                command_timeout_seconds=10,
                name="test",
                first=first,
            )
            return await stack.enter_async_context(await opened)

        reads = await pool("paygate_gateway", 2)
        stores = [
            PostgresStore(
                reads,
                await pool("paygate_gateway", 1),
                events=ProtoEvents(),
                clocks=SandboxClocks(),
                lease=LEASE,
                wait_seconds_max=10,
            )
            for _ in range(WRITERS)
        ]
        reader = PostgresReader(
            MerchantPool(await pool("paygate_reader", 4)), clocks=SandboxClocks()
        )
        journal = Journal(MerchantPool(await pool("paygate_webhooks", WRITERS + 2)))
        queries = Queries(reader, PageTokens(Secret(HASH_KEY)))
        yield Scene(url, stores, queries, journal, await pool("", 1))


async def pay(store: PostgresStore, reference: str) -> None:
    """Store a payment that is authorized, with its event."""
    now = datetime.now(UTC)
    payment, action = begun(now=now, reference=reference)
    change = Change(payment=payment, actions=(action,))
    assert await store.commit(change) is CommitResult.COMMITTED
    payment, action = settled((payment, action), now=now)
    event = event_of(payment, action, event_id=new_id("evt", now))
    change = Change(payment=payment, actions=(action,), event=event)
    assert await store.commit(change) is CommitResult.COMMITTED


async def write_payments(store: PostgresStore, rows: int) -> None:
    """Store payments, several at a time, every other one with a reference."""
    left = iter(range(rows))

    async def some() -> None:
        for number in left:
            await pay(store, f"r{number % 2}")

    await asyncio.gather(*(some() for _ in range(TOGETHER)))


async def follow(look: Look, written: asyncio.Event) -> list[str]:
    """Follow a list until nothing comes any more; return what it showed."""
    found: list[str] = []
    token = ""
    while True:
        was_written = written.is_set()
        ids, token = await look(token)
        found += ids
        assert token
        if was_written and not ids:
            return found


async def poll(look: Look, written: asyncio.Event) -> list[str]:
    """Read a list, newest first, back to what is known already; return what was new each time."""
    found: list[str] = []
    while True:
        was_written = written.is_set()
        news: list[str] = []
        token, known = "", found[-1] if found else ""
        while True:
            ids, token = await look(token)
            fresh = list(ids[: ids.index(known)]) if known in ids else list(ids)
            news += fresh
            if len(fresh) < len(ids) or not token:
                break
        found += reversed(news)
        if was_written and not news:
            return found


async def written_by(
    work: Sequence[Awaitable[None]],
    watchers: Sequence[Callable[[asyncio.Event], Awaitable[list[str]]]],
) -> list[list[str]]:
    """Watch while the work is done; return what each watcher saw."""
    written = asyncio.Event()
    watching = asyncio.gather(*(watch(written) for watch in watchers))
    await asyncio.gather(*work)
    written.set()
    return await watching


def payments_of(scene: Scene, *, follow: bool, reference: str = "") -> Look:
    """Return how the list of payments is looked at."""
    wanted = PaymentFilter(reference=reference)

    async def look(token: str) -> tuple[Sequence[str], str]:
        payments, token = await scene.queries.list_payments(
            MERCHANT, wanted, size=50, token=token, follow=follow
        )
        return [payment.id for payment in payments], token

    return look


def events_of(scene: Scene, wanted: EventFilter, *, follow: bool) -> Look:
    """Return how the list of events is looked at."""

    async def look(token: str) -> tuple[Sequence[str], str]:
        place = ListPosition.parse(token) if token else None
        page = await scene.journal.list_events(
            MERCHANT, wanted, place=place, size=50, follow=follow
        )
        goes_on = follow or page.has_more
        ids = [PaymentEvent.FromString(payload).id for payload in page.items]
        return ids, str(page.place or place or BEGINNING) if goes_on else ""

    return look


def assert_each_once(seen: Sequence[Sequence[str]], rows: set[str]) -> None:
    """Check that every watcher saw every row, and no row twice."""
    for found in seen:
        twice = {row for row, times in Counter(found).items() if times > 1}
        missed, strange = rows - set(found), set(found) - rows
        assert not missed | twice | strange, (len(missed), len(twice), len(strange))


async def write_captures(store: PostgresStore, payment_id: str, captures: int) -> None:
    """Capture a little of one payment, so many times, against others who do the same."""
    for _ in range(captures):
        result = None
        while result is not CommitResult.COMMITTED:
            result = await capture_once(store, payment_id)


async def capture_once(store: PostgresStore, payment_id: str) -> CommitResult:
    """Begin a capture and end it, if nobody else was faster."""
    now = datetime.now(UTC)
    loaded = await store.load(MERCHANT, payment_id, rpc="CAPTURE", key=None)
    assert loaded.payment is not None
    begun_ = capture(loaded.payment, 1, now=now)
    result = await store.commit(Change(payment=begun_[0], actions=(begun_[1],)))
    while result is CommitResult.COMMITTED:
        found = await store.load_action(MERCHANT, begun_[1].id)
        assert found is not None
        payment, action = settled((found.payment, found.action), now=now)
        event = event_of(payment, action, event_id=new_id("evt", now))
        if await store.commit(Change(payment=payment, actions=(action,), event=event)) is result:
            break
    return result


async def authorized(store: PostgresStore) -> Payment:
    """Store a payment with much to capture."""
    now = datetime.now(UTC)
    first = begun(1_000_000, now=now)
    change = Change(payment=first[0], actions=(first[1],))
    assert await store.commit(change) is CommitResult.COMMITTED
    payment, action = settled(first, now=now)
    event = event_of(payment, action, event_id=new_id("evt", now))
    change = Change(payment=payment, actions=(action,), event=event)
    assert await store.commit(change) is CommitResult.COMMITTED
    return payment
