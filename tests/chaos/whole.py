"""Every process that answers somebody, on one database; and whoever asks them, without an edge."""

import asyncio
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from grpc import aio

from paygate.admin.v1 import admin_service_pb2 as admin
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.webhooks.v1 import webhook_service_pb2 as hooks
from tests.chaos.rig import SECRETS, Process, Response, Rig, free_port, reason_of
from tests.database import as_part
from tests.integration.events.desk import WEBHOOK_KEY

TOKEN = "7e" * 32
EVENTS_CONNECTIONS = 16
METHODS: dict[str, MethodDescriptor] = {
    method.name: method
    for module in (payments, hooks, sandbox, admin)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
# What a client tries again, with the same key: nobody knows what became of it.
AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED}


@dataclass(frozen=True)
class Told:
    """A reply; its bytes, and whether it is the stored one of an earlier request."""

    message: Any
    replayed: bool


@dataclass
class Shop:
    """A merchant."""

    whole: "Whole"
    merchant_id: str
    api_key: str

    async def done(self, request: Message) -> Any:
        """Send a request that goes well, sooner or later, and return the reply."""
        return (await self.whole.done(request, self.api_key, key=uuid.uuid4().hex)).message


@dataclass
class Whole:
    """Two workers and the bank (see `Rig`), the events service and the admin process."""

    rig: Rig
    seconds_max: float
    events: Process = field(init=False)
    admin: Process = field(init=False)
    channels: dict[str, Sequence[aio.Channel]] = field(init=False)

    def __post_init__(self) -> None:
        url, seconds = self.rig.payments_url, str(self.seconds_max)
        self.rig.environment["PAYGATE_DATABASE_TIMEOUT_SECONDS"] = seconds
        self.rig.bank.environment = {
            **self.rig.bank.environment,
            "ACQUIRER_STATEMENT_SECONDS_MAX": seconds,
        }
        shared = {
            **SECRETS,
            "PAYGATE_WEBHOOK_KEY": WEBHOOK_KEY,
            "PAYGATE_DATABASE_TIMEOUT_SECONDS": seconds,
            "PAYGATE_DRAIN_NOTICE_SECONDS": "0",
        }

        port = free_port()
        self.events = Process(
            ("services.events", "serve"),
            {
                **shared,
                "DATABASE_URL": as_part(url, "paygate_webhooks"),
                "PAYGATE_DATABASE_POOL_SIZE": str(EVENTS_CONNECTIONS),
                "PAYGATE_LISTEN": f"127.0.0.1:{port}",
            },
            port,
        )
        port = free_port()
        self.admin = Process(
            ("services.payments", "admin"),
            {
                **shared,
                **self.rig.vault,
                "PAYGATE_ADMIN_DATABASE_URL": as_part(url, "paygate_admin"),
                "PAYGATE_ADMIN_LISTEN": f"127.0.0.1:{port}",
                "PAYGATE_ADMIN_TOKEN": TOKEN,
            },
            port,
        )

    async def __aenter__(self) -> Self:
        await self.rig.__aenter__()
        try:
            await asyncio.gather(*(one.start() for one in (self.events, self.admin)))
        except BaseException:
            await self.__aexit__()
            raise
        workers = self.rig.channels
        events, operator = [
            [aio.insecure_channel(f"127.0.0.1:{one.port}")] for one in (self.events, self.admin)
        ]
        self.channels = {
            "PaymentService": workers,
            "SandboxService": workers,
            "WebhookService": events,
            "AdminService": operator,
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        for service in ("WebhookService", "AdminService"):
            for channel in getattr(self, "channels", {}).get(service, ()):
                await channel.close()
        await asyncio.gather(*(one.stop() for one in (self.events, self.admin)))
        await self.rig.__aexit__()

    async def ask(
        self, request: Message, bearer: str, *, key: str | None = None, worker: int = 0
    ) -> Told:
        """Send a request to the method that takes it; raises what gRPC does."""
        method = METHODS[request.DESCRIPTOR.name.removesuffix("Request")]
        service = method.containing_service
        channels = self.channels[service.name]
        send: aio.UnaryUnaryMultiCallable[Message, Any] = channels[
            worker % len(channels)
        ].unary_unary(
            f"/{service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
        call = send(
            request,
            metadata=[
                ("authorization", f"Bearer {bearer}"),
                *([("idempotency-key", key)] if key else []),
            ],
            timeout=20,
            wait_for_ready=True,
        )
        message = await call
        trailers = dict(await call.trailing_metadata())
        return Told(message, trailers.get("idempotent-replayed") == "true")

    async def done(
        self,
        request: Message,
        bearer: str,
        *,
        key: str | None = None,
        over: str = "",
        worker: int | None = None,
        final: bool = True,
    ) -> Told:
        """Send a request as a client must: again while nobody knows, or its action is PENDING.

        It may be refused for the reason `over`, which says that it is done already. With `final`
        off a reply is enough that says PENDING.
        """
        async with asyncio.timeout(30):
            for count in itertools.count():
                asked = count if worker is None else worker
                try:
                    told = await self.ask(request, bearer, key=key, worker=asked)
                except aio.AioRpcError as problem:
                    if over and reason_of(problem) == over:
                        return Told(None, replayed=True)
                    if problem.code() not in AGAIN:
                        raise
                else:
                    if not (final and _is_pending(told.message)):
                        return told
                await asyncio.sleep(0.02)
        raise AssertionError  # it counts for ever

    async def operator(self, request: Message) -> Any:
        """Have the operator do what goes well, sooner or later; return the reply."""
        return (await self.done(request, TOKEN, key=uuid.uuid4().hex)).message

    async def shop(self) -> Shop:
        """Make a merchant with a key for everything."""
        made = await self.operator(admin.CreateMerchantRequest(name="a shop"))
        request = admin.CreateApiKeyRequest(merchant_id=made.merchant.id)
        return Shop(self, made.merchant.id, (await self.operator(request)).secret)


def _is_pending(reply: Any) -> bool:
    return isinstance(reply, Response) and reply.action.status == pb.Action.STATUS_PENDING
