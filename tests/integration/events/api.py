"""WebhookService on a real database, asked over gRPC as any client would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc import aio

from paygate.webhooks.v1 import webhook_service_pb2 as pb
from paygate.webhooks.v1.webhook_service_pb2_grpc import (
    WebhookServiceStub,
    add_WebhookServiceServicer_to_server,
)
from pkg.grpc.auth import Authenticator, KeyDigest
from pkg.grpc.guard import Guard
from pkg.grpc.key_store import PostgresKeyStore
from pkg.grpc.limits import CallerLimits
from pkg.grpc.paging import PageTokens
from pkg.grpc.servers.make import ServerKind
from pkg.postgres.sql import Pool, open_pool
from pkg.postgres.tenancy import MerchantPool
from pkg.process.mode import Mode
from pkg.process.repeating import meanwhile
from pkg.replies.once import Once
from pkg.secret import Secret
from services.events.endpoints import Endpoints
from services.events.journal import Journal, JournalLimits
from services.events.refusals import refusal_of
from services.events.sealing import SecretBox
from services.events.servicer import WebhookServicer
from services.events.watching import Watches, WatchLimits
from tests.builders import MERCHANT
from tests.database import as_part
from tests.integration.events.desk import WEBHOOK_KEY
from tests.keys import new_key
from tests.servers import KIND, server_with

PEPPER, HASH_KEY = Secret("0a" * 32), Secret("0b" * 32)
OTHER_MERCHANT = "mer_other"
CONNECTIONS = 4
# Nothing listens there; what is posted to it is refused at once.
URL = "http://127.0.0.1:9/hooks"
NO_ENDPOINT = "we_01h455vb4pex5vsknk084sn02q"
NO_EVENT = "evt_01h455vb4pex5vsknk084sn02q"


class RefusedError(Exception):
    """What an error of the service says."""

    def __init__(self, problem: aio.AioRpcError) -> None:
        trailers: dict[str, Any] = dict(problem.trailing_metadata())
        details = trailers["grpc-status-details-bin"]
        status = Status.FromString(details)
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        assert status.details[0].Unpack(info)
        any(detail.Unpack(bad) for detail in status.details)
        self.code: grpc.StatusCode = problem.code()
        self.reason: str = info.reason
        self.fields = {violation.field for violation in bad.field_violations}
        self.body: bytes = details
        super().__init__(self.reason)


@dataclass
class Api:
    """A client of the service; by default it asks for the merchant of the builders."""

    stub: Any
    keys: dict[str, str]
    watches: Watches

    async def ask(self, request: Message, *, merchant_id: str = MERCHANT) -> Any:
        """Send a request to the method that takes it.

        Raises:
            RefusedError: It was refused.
        """
        method = getattr(self.stub, type(request).__name__.removesuffix("Request"))
        metadata = (("authorization", f"Bearer {self.keys[merchant_id]}"),)
        try:
            return await method(request, metadata=metadata, timeout=10)
        except aio.AioRpcError as problem:
            raise RefusedError(problem) from None

    def watch(self, *, merchant_id: str = MERCHANT, **fields: Any) -> "Watching":
        """Begin to watch events."""
        metadata = (("authorization", f"Bearer {self.keys[merchant_id]}"),)
        call = self.stub.WatchEvents(pb.WatchEventsRequest(**fields), metadata=metadata)
        return Watching(call)

    async def endpoint(self, *, merchant_id: str = MERCHANT, **fields: Any) -> Any:
        """Make an endpoint; return the whole reply."""
        request = pb.CreateWebhookEndpointRequest(**{"url": URL, **fields})
        return await self.ask(request, merchant_id=merchant_id)


class Watching:
    """A client that watches, and the messages that it has read."""

    def __init__(self, call: Any) -> None:
        self.call = call

    async def next(self, *, seconds_max: float = 10) -> Any:
        """Return the next message.

        Raises:
            RefusedError: The stream has ended.
        """
        try:
            async with asyncio.timeout(seconds_max):
                message = await self.call.read()
        except aio.AioRpcError as problem:
            raise RefusedError(problem) from None
        assert message is not aio.EOF
        return message

    async def event(self, *, seconds_max: float = 10) -> Any:
        """Return the next message that has an event."""
        async with asyncio.timeout(seconds_max):
            while not (message := await self.next()).HasField("event"):
                pass
            return message

    async def begun(self) -> Any:
        """Return the first message, which has no event."""
        message = await self.next()
        assert not message.HasField("event")
        return message

    async def refused(self, *, seconds_max: float = 10) -> RefusedError:
        """Read to the end, and return what it says."""
        try:
            async with asyncio.timeout(seconds_max):
                while True:
                    await self.next()
        except RefusedError as problem:
            return problem


async def listed(api: Api, *, size: int = 100, **filters: Any) -> list[Any]:
    """Return all events of a list, page by page."""
    found: list[Any] = []
    token = ""
    while True:
        request = pb.ListEventsRequest(page_size=size, page_token=token, **filters)
        page = await api.ask(request)
        assert len(page.events) <= size
        found += page.events
        token = page.next_page_token
        if not token:
            return found


@asynccontextmanager
async def served(
    url: str,
    *,
    mode: Mode = Mode.SANDBOX,
    limits: JournalLimits | None = None,
    callers: CallerLimits | None = None,
    watching: WatchLimits | None = None,
    kind: ServerKind = KIND,
) -> AsyncIterator[Api]:
    """Serve on a database, in the role of the API, with two merchants."""
    merchants = (MERCHANT, OTHER_MERCHANT)
    keys = {id_: await new_key(url, id_, pepper=PEPPER.reveal()) for id_ in merchants}
    part = as_part(url, "paygate_webhooks")
    async with (
        await open_pool(part, size=CONNECTIONS, command_timeout_seconds=5, name="test") as pool,
        meanwhile((watches := Watches(Journal(MerchantPool(pool)), watching)).run()),
        _listening(pool, mode, limits, callers, watches, kind) as port,
        aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield Api(WebhookServiceStub(channel), keys, watches)


@asynccontextmanager
async def _listening(
    pool: Pool,
    mode: Mode,
    limits: JournalLimits | None,
    callers: CallerLimits | None,
    watches: Watches,
    kind: ServerKind,
) -> AsyncIterator[int]:
    own_rows = MerchantPool(pool)
    servicer = WebhookServicer(
        Endpoints(own_rows, SecretBox(Secret(WEBHOOK_KEY))),
        Journal(own_rows, limits),
        Authenticator(PostgresKeyStore(pool), KeyDigest(PEPPER), limits=callers),
        PageTokens(HASH_KEY),
        mode,
        Once(pool, Secret(WEBHOOK_KEY)),
        watches,
    )
    server = server_with(Guard(refusal_of), kind=kind)
    add_WebhookServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port
    await server.stop(0)
