"""Every RPC that writes: nothing is told without the standby, and nothing that was told is lost."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import Any

import asyncpg
import pytest
import typer
from grpc import aio

from paygate.admin.v1 import admin_service_pb2 as admin
from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from services.payments.cli.__main__ import app
from services.payments.cli.output import REFUSED
from tests.chaos.books import Books
from tests.chaos.operator_writes import ELSEWHERE, OPERATOR_WRITES
from tests.chaos.rig import CARD, Rig, gbp
from tests.chaos.whole import AGAIN, EVENTS_CONNECTIONS, METHODS, TOKEN, Shop, Told, Whole
from tests.chaos.writes import WRITES, Asked
from tests.integration.terminal import Terminal
from tests.standby import Pair

IS_FULL = os.environ.get("PAYGATE_CHAOS") == "full"
STATEMENT_SECONDS_MAX = 1.0
ALL = {**WRITES, **OPERATOR_WRITES}
# What takes no key, and says the second time that there is no such thing.
NOT_TWICE = {"DeleteSandbox", "DeleteWebhookEndpoint"}
READS = ("Get", "List", "Watch")
# Commands that write. All go through one place, so that in the short form one has to do.
COMMANDS = (
    "keys create {merchant}",
    "keys rotate {key}",
    "keys revoke {key}",
    "merchants create shop",
    "merchants disable {merchant}",
    "merchants enable {merchant}",
    "actions resolve {action} --as failed",
    "vault rotate",
    "vault refuse-old",
)
# How many writes of a kind find a connection of their own, and do not fail for want of one.
WORKERS, ADMIN_CONNECTIONS, BANK_CONNECTIONS = 2, 2, 8
LANES = {
    "PaymentService": WORKERS,
    "SandboxService": WORKERS,
    "WebhookService": EVENTS_CONNECTIONS,
    "AdminService": ADMIN_CONNECTIONS,
    "bank": BANK_CONNECTIONS,
}


@dataclass(frozen=True)
class Sent:
    """A request that was sent under its key, and the reply if there was one."""

    name: str
    asked: Asked
    key: str | None
    told: Told | None = None


@pytest.fixture
async def whole(pair: Pair) -> AsyncIterator[Whole]:
    """All processes, with both databases on the pair. The sweep is started later."""
    ours = pair.url("payments", await pair.create("payments"))
    theirs = pair.url("acquirer", await pair.create("acquirer"))
    rig = Rig(ours, theirs, workers_count=WORKERS, with_sweep=False)
    async with Whole(rig, STATEMENT_SECONDS_MAX) as running:
        yield running


def test_every_method_that_writes_is_tried() -> None:
    """A new one has to say here how it is asked, and how one sees what came of it."""
    writing = {name for name in METHODS if not name.startswith(READS)}
    assert writing == {name.partition(" ")[0] for name in ALL} | set(ELSEWHERE)


def test_every_command_that_writes_is_tried() -> None:
    """A new one has to say here how it is typed."""
    groups: Any = typer.main.get_group(app).commands
    commands = {f"{name} {one}" for name, group in groups.items() for one in group.commands}
    writing = {one for one in commands if not one.endswith((" list", " show"))}
    assert writing == {" ".join(command.split()[:2]) for command in COMMANDS}


@pytest.mark.chaos
async def test_no_method_tells_what_a_failover_would_take_back(pair: Pair, whole: Whole) -> None:
    """While the standby is gone none says that it has written; after a failover all told is there.

    And what was refused is there or not: with its key it is done once.
    """
    told = [await accepted(whole, one) for one in await prepared(whole)]
    fresh, lost, shop = await prepared(whole), await prepared(whole), await whole.shop()
    # By their keys, or since there is nothing to do any more, these would be told to be done again.
    again = [one for one in told if one.key or one.name not in NOT_TWICE]
    for some in rounds(fresh, again):
        async with gone(pair, whole, shop):
            await refused(whole, some)
            await pair.until_waiting(sum(one.told is None for one in some))
    await refused_in_a_shell(pair, whole, shop)
    await pair.standby.kill()
    await refused(whole, lost)
    await fail_over(pair)
    await asyncio.gather(*(assert_is_there(whole, one) for one in told))
    untold = [*fresh, *lost]
    # First what the operator says of actions, which the sweep then brings to their ends.
    await asyncio.gather(*(finished(whole, one) for one in untold if not one.key))
    await whole.rig.sweep.start()
    await asyncio.gather(*(finished(whole, one) for one in untold if one.key))
    await assert_books_agree(pair, whole)


async def prepared(whole: Whole) -> list[Sent]:
    """Make a request ready for each method."""
    asked = await asyncio.gather(*(write(whole) for write in ALL.values()))
    return [
        Sent(name, one, uuid.uuid4().hex if one.keyed else None)
        for name, one in zip(ALL, asked, strict=True)
    ]


async def accepted(whole: Whole, sent: Sent) -> Sent:
    """Send it, and keep what is told."""
    asked = sent.asked
    told = await whole.done(asked.request, asked.bearer, key=sent.key, over=asked.over)
    return replace(sent, told=told)


def rounds(*sent: Sequence[Sent]) -> Iterable[Sequence[Sent]]:
    """Share requests out so that each finds a connection, and has to wait by itself."""
    lanes: dict[str, list[Sent]] = {}
    for one in chain(*sent):
        lanes.setdefault(lane_of(one), []).append(one)
    sizes = {
        "PaymentService": WORKERS,
        "SandboxService": WORKERS,
        "AdminService": ADMIN_CONNECTIONS,
    }
    shares = [
        [lane[start : start + size] for start in range(0, len(lane), size)]
        for name, lane in lanes.items()
        for size in [sizes.get(name, 16)]
    ]
    return [list(chain(*some)) for some in zip_longest(*shares, fillvalue=[])]


def lane_of(sent: Sent) -> str:
    """Return what shares connections with it."""
    if sent.name.endswith("BankRule"):
        return "bank"
    return METHODS[sent.name.partition(" ")[0]].containing_service.name


async def refused(whole: Whole, sent: Sequence[Sent]) -> None:
    """Send them all at once: none is told to be done, and nothing else is said to be at fault."""
    ends = await asyncio.gather(
        *(
            whole.ask(one.asked.request, one.asked.bearer, key=one.key, worker=number)
            for number, one in enumerate(sent)
        ),
        return_exceptions=True,
    )
    wrong = {
        one.name: end
        for one, end in zip(sent, ends, strict=True)
        if not (isinstance(end, aio.AioRpcError) and end.code() in AGAIN)
    }
    assert not wrong


async def refused_in_a_shell(pair: Pair, whole: Whole, shop: Shop) -> None:
    """A command that writes prints no result and fails."""
    address = f"127.0.0.1:{whole.admin.port}"
    shell = Terminal({"PAYGATE_ADMIN_ADDRESS": address, "PAYGATE_ADMIN_TOKEN": TOKEN})
    stuck = await whole.operator(admin.ListStuckActionsRequest())
    for command in COMMANDS if IS_FULL else COMMANDS[:1]:
        # It is carried out when the standby is back: each has a merchant of its own.
        other = (await whole.shop()).merchant_id
        keys = await whole.operator(admin.ListApiKeysRequest(merchant_id=other))
        words = command.format(
            merchant=other, key=keys.api_keys[0].id, action=stuck.actions[0].id
        ).split()
        async with gone(pair, whole, shop):
            ended = await shell.run(*words, code=REFUSED)
        assert not ended.out, command


@asynccontextmanager
async def gone(pair: Pair, whole: Whole, shop: Shop) -> AsyncIterator[None]:
    """Have no standby meanwhile; what has lost its connections has others when it is back."""
    pair.standby.freeze()
    try:
        yield
    finally:
        pair.standby.thaw()
    await pair.until_kept()
    request = payments.AuthorizeRequest(card_details=CARD, amount=gbp(1))
    asks = [
        whole.done(one, shop.api_key, worker=worker)
        for worker in range(WORKERS)
        for one in (request, sandbox.GetClockRequest())
    ]
    look = admin.GetMerchantRequest(id=shop.merchant_id)
    await asyncio.gather(*asks, *(whole.operator(look) for _ in range(2 * ADMIN_CONNECTIONS)))


async def fail_over(pair: Pair) -> None:
    """Promote the standby, which was gone, and lose the primary for good."""
    await pair.primary.kill()
    await pair.standby.start(standby_of=pair.primary)
    await pair.promote()


async def assert_is_there(whole: Whole, sent: Sent) -> None:
    """What was told is there: the stored reply, and what can be seen of it."""
    if sent.key:
        again = await whole.done(sent.asked.request, sent.asked.bearer, key=sent.key)
        assert sent.told
        assert (again.message, again.replayed) == (sent.told.message, True), sent.name
    if sent.asked.count:
        assert await sent.asked.count() == 1, sent.name


async def finished(whole: Whole, sent: Sent) -> None:
    """With its key it is done to its end, once."""
    asked = sent.asked
    first, second = [
        await whole.done(asked.request, asked.bearer, key=sent.key, over=asked.over)
        for _ in range(2)
    ]
    if sent.key:
        assert (second.message, second.replayed) == (first.message, True), sent.name
    if asked.count:
        assert await asked.count() == 1, sent.name


async def assert_books_agree(pair: Pair, whole: Whole) -> None:
    """The gateway's book and the bank's say the same, and nothing is PENDING."""
    urls = [
        f"{url.partition('?')[0]}?host={pair.primary.folder}"
        for url in (whole.rig.payments_url, whole.rig.acquirer_url)
    ]
    async with (
        asyncpg.create_pool(urls[0], min_size=1) as ours,
        asyncpg.create_pool(urls[1], min_size=1) as theirs,
    ):
        books = Books(ours, theirs)
        await books.settled()
        await books.assert_agree()
