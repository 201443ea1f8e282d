"""A key that is revoked stops working in every process in time, whatever it remembers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import grpc
import pytest
from grpc import aio

from paygate.admin.v1 import admin_service_pb2 as admin
from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from paygate.webhooks.v1 import webhook_service_pb2 as hooks
from paygate.webhooks.v1.webhook_service_pb2_grpc import WebhookServiceStub
from tests.chaos.rig import SECRETS, Process, Rig, free_port, reason_of
from tests.database import as_part
from tests.integration.admin.served import served as admin_served
from tests.integration.events.desk import WEBHOOK_KEY
from tests.keys import new_key

# The contract's.
SECONDS_MAX = 5.0
MERCHANT = "mer_revoked"

Ask = Callable[[], Awaitable[object]]


@asynccontextmanager
async def events_process(url: str) -> AsyncIterator[Process]:
    """Run the process that serves the API of webhooks."""
    port = free_port()
    environment = {
        **SECRETS,
        "PAYGATE_WEBHOOK_KEY": WEBHOOK_KEY,
        "DATABASE_URL": as_part(url, "paygate_webhooks"),
        "PAYGATE_LISTEN": f"127.0.0.1:{port}",
    }
    process = Process(("services.events", "serve"), environment, port)
    try:
        await process.start()
        yield process
    finally:
        await process.kill()


async def until_refused(ask: Ask, began: float) -> float:
    """Ask again and again; return after how long it was refused, and check that it stays so."""
    refused: aio.AioRpcError | None = None
    asked = began
    while refused is None:
        asked = time.monotonic()
        assert asked - began < SECONDS_MAX, "it still works"
        try:
            await ask()
        except aio.AioRpcError as problem:
            refused = problem
        await asyncio.sleep(0.02)
    assert refused.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(refused) == "INVALID_API_KEY"
    for _ in range(5):
        with pytest.raises(aio.AioRpcError):
            await ask()
    return asked - began


@pytest.mark.parametrize("how", ["revoked", "disabled"])
async def test_within_five_seconds_everywhere(
    payments_database_url: str, acquirer_database_url: str, how: str
) -> None:
    """Workers and the API of webhooks that have just used a key refuse it in time, all of them."""
    key = await new_key(payments_database_url, MERCHANT, pepper=SECRETS["PAYGATE_KEY_PEPPER"])
    metadata = (("authorization", f"Bearer {key}"),)
    async with (
        Rig(payments_database_url, acquirer_database_url, with_sweep=False) as rig,
        admin_served(payments_database_url) as operator,
        events_process(payments_database_url) as events,
        aio.insecure_channel(f"127.0.0.1:{events.port}") as channel,
    ):
        looks = (PaymentServiceStub(worker).ListPayments for worker in rig.channels)
        hears = WebhookServiceStub(channel).ListEvents
        asks: list[Ask] = [
            *(partial(look, payments.ListPaymentsRequest(), metadata=metadata) for look in looks),
            partial(hears, hooks.ListEventsRequest(), metadata=metadata),
        ]
        await asyncio.gather(*(ask() for ask in asks))
        if how == "revoked":
            await operator.ask(admin.RevokeApiKeyRequest(id=key.split("_")[1]))
        else:
            await operator.ask(admin.DisableMerchantRequest(id=MERCHANT))
        began = time.monotonic()
        seconds = await asyncio.gather(*(until_refused(ask, began) for ask in asks))
    assert max(seconds) < SECONDS_MAX
