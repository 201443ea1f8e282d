"""The admin API on a real database, in the role that it has, asked over gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from grpc import aio

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.admin.v1.admin_service_pb2_grpc import (
    AdminServiceStub,
    add_AdminServiceServicer_to_server,
)
from paygate.auth.v1.scope_pb2 import Scope
from pkg.grpc.auth import KeyDigest
from pkg.grpc.guard import Guard
from pkg.postgres.sql import open_pool
from pkg.replies.once import Once
from pkg.secret import Secret
from services.payments.admin.actions import PostgresActions
from services.payments.admin.gate import AdminGate
from services.payments.admin.keys import PostgresKeys
from services.payments.admin.merchants import PostgresMerchants
from services.payments.admin.refusals import refusal_of
from services.payments.admin.servicer import AdminServicer
from tests.chaos.rig import reason_of
from tests.database import as_part
from tests.servers import server_with

TOKEN, PEPPER = "7e" * 32, "0a" * 32
MERCHANT = "mer_shop"


@dataclass
class Api:
    """A client of the admin API."""

    stub: Any
    address: str = ""
    token: str = TOKEN

    async def ask(self, request: Message, *metadata: tuple[str, str]) -> Any:
        """Send a request to the method that takes it."""
        method = getattr(self.stub, type(request).__name__.removesuffix("Request"))
        sent = metadata or (("authorization", f"Bearer {self.token}"),)
        return await method(request, metadata=sent, timeout=10)

    async def refused(self, request: Message, *metadata: tuple[str, str]) -> str:
        """Send a request that must be refused; return the reason."""
        try:
            reply = await self.ask(request, *metadata)
        except aio.AioRpcError as problem:
            return reason_of(problem)
        raise AssertionError(reply)

    async def new_key(self, *scopes: Scope.ValueType) -> Any:
        """Make a key of the merchant."""
        return await self.ask(pb.CreateApiKeyRequest(merchant_id=MERCHANT, scopes=scopes))

    async def statuses(self) -> dict[str, str]:
        """Return what became of each of the merchant's keys."""
        reply = await self.ask(pb.ListApiKeysRequest(merchant_id=MERCHANT, page_size=100))
        name = pb.ApiKey.Status.Name
        return {key.id: name(key.status).removeprefix("STATUS_") for key in reply.api_keys}


@asynccontextmanager
async def served(url: str) -> AsyncIterator[Api]:
    """Serve on a gateway's database, in which there is one merchant."""
    part = as_part(url, "paygate_admin")
    async with await open_pool(part, size=4, command_timeout_seconds=5, name="test") as pool:
        server = server_with(Guard(refusal_of), AdminGate(Secret(TOKEN)))
        servicer = AdminServicer(
            PostgresMerchants(pool),
            PostgresKeys(pool),
            PostgresActions(pool),
            KeyDigest(Secret(PEPPER)),
            None,
            Once(pool, Secret(PEPPER)),
        )
        add_AdminServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        address = f"127.0.0.1:{port}"
        async with aio.insecure_channel(address) as channel:
            api = Api(AdminServiceStub(channel), address)
            await api.ask(pb.CreateMerchantRequest(id=MERCHANT, name="The shop"))
            yield api
        await server.stop(0)
