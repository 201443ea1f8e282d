"""While the standby is gone, or the primary takes no writes, no service takes one for done."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pkg.errors import DependencyUnavailableError
from pkg.grpc.scopes import FULL_ACCESS
from pkg.ids import new_id
from pkg.postgres.sql import Pool, open_pool
from pkg.postgres.tenancy import MerchantPool
from pkg.secret import Secret
from services.acquirer.book import Book
from services.acquirer.errors import UnreachableError
from services.acquirer.simulator import Capture, Instruction
from services.events.delivery_queue import DeliveryQueue, Free
from services.events.endpoints import EndpointChange, Endpoints, NewEndpoint
from services.events.journal import Journal
from services.events.outbox import Outbox
from services.events.sealing import SecretBox
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_sandbox import PostgresSandbox
from services.payments.adapters.vault import local as vault_local
from services.payments.adapters.vault.keys import DataKeys
from services.payments.adapters.vault.local import LocalWrapper
from services.payments.adapters.vault.rotation import VaultRotation
from services.payments.admin.keys import NewKey, PostgresKeys
from services.payments.admin.merchants import PostgresMerchants
from services.payments.api.codec import ProtoEvents
from services.payments.domain.action import ActionType
from services.payments.domain.event import event_of
from services.payments.ports import Change, CommitResult
from tests.builders import NOW, begun, capture, settled
from tests.integration.acquirer.entries import applied, hold
from tests.standby import Pair

STATEMENT_SECONDS_MAX = 0.5
LEASE = timedelta(seconds=10)
FREE = Free(in_all=9, per_merchant=9, per_endpoint=3)
WEBHOOK = NewEndpoint(url="http://127.0.0.1:9/", event_types=[], description="")

Write = Coroutine[Any, Any, object]


class Services:
    """The adapters of every service, on the pair's databases, and a merchant that nobody else has.

    Each has connections enough that no write waits for another's.
    """

    def __init__(self, pools: Mapping[str, Pool], book: Book, keyring: Path) -> None:
        gateway, webhooks = pools["paygate_gateway"], MerchantPool(pools["paygate_webhooks"])
        self.pools = pools
        self.merchant = new_id("mer", NOW)
        self.store = PostgresStore(
            gateway, gateway, events=ProtoEvents(), clocks=SandboxClocks(), lease=-LEASE
        )
        self.book = book
        self.endpoints = Endpoints(webhooks, SecretBox(Secret("3c" * 32)))
        self.journal = Journal(webhooks)
        self.merchants = PostgresMerchants(pools["paygate_admin"])
        self.keys = PostgresKeys(pools["paygate_admin"])
        self.sandbox = PostgresSandbox(pools["paygate_sandbox"])
        self.outbox = Outbox(pools["paygate_events"])
        self.queue = DeliveryQueue(pools["paygate_events"])
        vault_local.make(keyring)
        wrapper = LocalWrapper(keyring)
        self.data_keys = DataKeys(
            pools["paygate_vault"], wrapper, lifetime_seconds=900, uses_max=100
        )
        self.rotation = VaultRotation(pools["paygate_vault"], wrapper, settled_after=timedelta(0))

    async def paid(self) -> Change:
        """Store a payment with an event; return its last change."""
        payment, action = begun(merchant_id=self.merchant)
        await self.stored(Change(payment=payment, actions=(action,)))
        payment, action = settled((payment, action))
        event = event_of(payment, action, event_id=new_id("evt", NOW))
        change = Change(payment=payment, actions=(action,), event=event)
        await self.stored(change)
        return change

    async def capturing(self) -> Change:
        """Store a payment with a capture under way."""
        payment, action = capture((await self.paid()).payment, 100)
        change = Change(payment=payment, actions=(action,))
        await self.stored(change)
        return change

    async def new_key(self) -> str:
        """Make an API key; return its id."""
        new = NewKey(id=new_id("key", NOW), digest=b"d" * 32)
        await self.keys.create(self.merchant, new, name="", scopes=FULL_ACCESS)
        return new.id

    async def stored(self, change: Change) -> None:
        """Store a change."""
        assert await self.store.commit(change) is CommitResult.COMMITTED


async def pool_of(url: str) -> Pool:
    """Open a pool, however busy the machine is: a connection has as long as a statement."""
    async with asyncio.timeout(20):
        while True:
            with suppress(DependencyUnavailableError):
                return await open_pool(
                    url, size=6, command_timeout_seconds=STATEMENT_SECONDS_MAX, name="test"
                )


@pytest.fixture
async def services(pair: Pair, tmp_path: Path) -> AsyncIterator[Services]:
    """All adapters."""
    roles = ("gateway", "webhooks", "admin", "sandbox", "events", "vault")
    async with AsyncExitStack() as opened:
        pools = {}
        for role in (f"paygate_{role}" for role in roles):
            pool = await pool_of(pair.primary.url(role, "payments"))
            pools[role] = await opened.enter_async_context(pool)
        book = await Book.open(
            Secret(pair.primary.url("acquirer", "acquirer")),
            connections_max=8,
            statement_seconds_max=STATEMENT_SECONDS_MAX,
            attempts_max=40,
            pause_seconds=0,
        )
        opened.push_async_callback(book.close)
        yield Services(pools, book, tmp_path / "keyring.json")


async def of_payments(services: Services) -> dict[str, Write]:
    """Return what the gateway's workers and its sweep write."""
    store, begins = services.store, begun(merchant_id=services.merchant)
    first, second, _due = [await services.capturing() for _ in range(3)]
    other = replace(begins[0], merchant_id=new_id("mer", NOW))
    await services.stored(Change(payment=other, actions=(begins[1],)))
    payment, action = settled((first.payment, first.actions[0]))
    return {
        "open": store.commit(Change(payment=begins[0], actions=(begins[1],))),
        "settle": store.commit(Change(payment=payment, actions=(action,))),
        "leave pending": store.leave_pending(second.payment, second.actions[0], b"reply"),
        "take due": store.take_due(set(ActionType), limit=100, lease=LEASE),
        "what was read": store.ensure_kept(services.merchant),
        "clock": services.sandbox.advance(
            services.merchant, timedelta(0), ahead_max=timedelta(days=1)
        ),
        "reset": services.sandbox.reset(other.merchant_id),
        "data key": services.data_keys.to_seal(services.merchant),
        "rewrapped": services.rotation.rewrap(),
        "older ones refused": services.rotation.refuse_older(),
    }


async def of_webhooks(services: Services) -> dict[str, Write]:
    """Return what the events service and its relay write."""
    endpoints, merchant = services.endpoints, services.merchant
    made = [(await endpoints.create(merchant, WEBHOOK))[0].id for _ in range(3)]
    event = (await services.paid()).event
    assert event
    await services.outbox.fan_out(limit=100, publishes=True)
    await services.paid()
    return {
        "create": endpoints.create(new_id("mer", NOW), WEBHOOK),
        "update": endpoints.update(merchant, made[0], EndpointChange(description="new")),
        "rotate": endpoints.rotate(merchant, made[1], overlap=timedelta(hours=1)),
        "redeliver": services.journal.redeliver(merchant, event.id, endpoint_id=made[2]),
        "fan out": services.outbox.fan_out(limit=100, publishes=True),
        "publish": services.outbox.take_unpublished(limit=100, lease=LEASE),
        "claim": services.queue.claim(FREE, limit=9, lease=LEASE),
    }


async def of_the_operator(services: Services) -> dict[str, Write]:
    """Return what the admin process writes."""
    merchants, keys, merchant = services.merchants, services.keys, services.merchant
    await merchants.create(merchant_id=merchant, name="")
    other = new_id("mer", NOW)
    await merchants.create(merchant_id=other, name="")
    ended = await services.new_key()
    new = NewKey(id=new_id("key", NOW), digest=b"d" * 32)
    return {
        "merchant": merchants.create(merchant_id=new_id("mer", NOW), name=""),
        "disable": merchants.disable(other),
        "key": keys.create(merchant, new, name="", scopes=FULL_ACCESS),
        "revoke": keys.revoke(ended),
    }


async def of_the_bank(services: Services) -> dict[str, Write]:
    """Return what the bank writes, and what it says of what it has written."""
    book, names = services.book, [new_id("act", NOW) for _ in range(7)]
    for reference in names[:3]:
        await book.authorize(hold(reference))
    done = Instruction(
        reference=names[3],
        authorization_reference=names[2],
        operation=Capture(minor_units=100),
    )
    await applied(book, names[3], names[2], Capture(minor_units=100))
    again = replace(done, reference=names[4], authorization_reference=names[1])
    found, new = await book.find(done), await book.find(again)
    assert found.recorded
    # On nothing, so that there is no authorization to lock; and by what was found before.
    lost = replace(done, reference=names[6], authorization_reference="unknown")
    before = await book.find(lost)
    await book.apply(lost, before)
    return {
        "authorize": book.authorize(hold(names[5])),
        "authorize again": book.authorize(hold(names[2])),
        "reverse": book.reverse(names[0]),
        "capture": book.apply(again, new),
        "capture again": book.apply(done, found),
        "declined again": book.apply(lost, before),
        "inquire": book.inquire(names[3]),
        "erase": book.erase(["nothing"]),
    }


# What ends well where nothing can be written: it only reads, or finds nothing to write.
WRITES_NOTHING = {
    *("what was read", "rewrapped", "older ones refused"),
    *("authorize again", "capture again", "declined again", "inquire"),
}
EVERYBODY = [of_payments, of_webhooks, of_the_operator, of_the_bank]


async def ends_of(writes: dict[str, Write]) -> tuple[dict[str, object], dict[str, object]]:
    """Try writes all at once; return what came of those that went well, and of the others."""
    async with asyncio.timeout(20):
        ends = await asyncio.gather(*writes.values(), return_exceptions=True)
    done: dict[str, object] = {}
    failed: dict[str, object] = {}
    for name, end in zip(writes, ends, strict=True):
        (failed if isinstance(end, BaseException) else done)[name] = end
    return done, failed


def assert_away(failed: Mapping[str, object]) -> None:
    """Nothing but the database was said to be at fault."""
    away = (DependencyUnavailableError, UnreachableError)
    assert not {name: end for name, end in failed.items() if not isinstance(end, away)}


@pytest.mark.parametrize("writes_of", EVERYBODY)
async def test_no_write_is_told_without_its_standby(
    pair: Pair, services: Services, writes_of: Any
) -> None:
    """Each fails in time, and none because it had to wait for another's connection."""
    writes: dict[str, Write] = await writes_of(services)
    pair.standby.freeze()
    done, failed = await ends_of(writes)
    assert not done
    assert_away(failed)
    pair.standby.thaw()
    await pair.until_kept()


@pytest.mark.parametrize("writes_of", EVERYBODY)
async def test_a_primary_that_takes_no_writes_is_away(
    pair: Pair, services: Services, writes_of: Any
) -> None:
    """For every service, and it is no bug: it goes on when the primary does."""
    writes: dict[str, Write] = await writes_of(services)
    async with pair.read_only():
        done, failed = await ends_of(writes)
    assert done.keys() <= WRITES_NOTHING
    assert failed
    assert_away(failed)
