"""The peers do the work that they are measured by."""

import importlib.util
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc import aio

from bench.server import Server, serving
from bench.systems import System, peer
from bench.workloads import CARD, CARD_JSON, SERVICE, gbp
from paygate.payments.v1 import payment_service_pb2 as rpc
from tools.stack.settings import HOST

TABLES = ("idempotency_keys", "payments", "actions", "outbox")
needs_fastapi = pytest.mark.skipif(
    importlib.util.find_spec("fastapi") is None, reason="installed by `make bench` only"
)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Server]:
    """A PostgreSQL for all peers."""
    async with serving() as running:
        yield running


def post(system: System, *, key: str, pan: str) -> tuple[bool, bytes]:
    """Authorize over REST: whether it went well, and the reply."""
    amount = {"minor_units": 1000, "currency": "GBP"}
    body = json.dumps({"card_details": {**CARD_JSON, "pan": pan}, "amount": amount})
    request = urllib.request.Request(
        f"http://{HOST}:{system.doors['rest'][0]}/authorize",
        data=body.encode(),
        headers={"content-type": "application/json", "idempotency-key": key},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310  # our own address
            return True, reply.read()
    except urllib.error.HTTPError as problem:
        with problem:
            return False, problem.read()


async def call(system: System, *, key: str, pan: str) -> tuple[bool, bytes]:
    """Authorize over gRPC: whether it went well, and the reply."""
    card = type(CARD)(pan=pan, expiry=CARD.expiry, cvv=CARD.cvv)
    request = rpc.AuthorizeRequest(card_details=card, amount=gbp(1000))
    async with aio.insecure_channel(f"{HOST}:{system.doors['grpc'][0]}") as channel:
        method: Any = channel.unary_unary(f"{SERVICE}/Authorize")
        try:
            metadata = (("idempotency-key", key),)
            return True, await method(request.SerializeToString(), metadata=metadata, timeout=10)
        except grpc.RpcError:
            return False, b""


@pytest.mark.parametrize(
    "module",
    [
        "grpc_aio",
        pytest.param("fastapi_asyncpg", marks=needs_fastapi),
        pytest.param("fastapi_orm", marks=needs_fastapi),
    ],
)
async def test_a_peer_stores_all_of_it_once(server: Server, module: str) -> None:
    """A call writes four rows; its repetition none, with the same reply; a bad card none."""
    async with peer(server, name=module, module=module) as system:

        async def authorize(key: str, pan: str = CARD.pan) -> tuple[bool, bytes]:
            if "rest" in system.doors:
                return post(system, key=key, pan=pan)
            return await call(system, key=key, pan=pan)

        well, reply = await authorize("one")
        assert well
        assert await authorize("one") == (True, reply)
        assert not (await authorize("two", pan="4242424242424241"))[0]
        for table in TABLES:
            rows = await system.fetch(f"SELECT * FROM {table}")  # noqa: S608  # a name from above
            assert len(rows) == 1, table
