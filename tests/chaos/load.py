"""Clients that pay, capture and look, over gRPC and REST, and never try again."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from paygate.webhooks.v1 import webhook_service_pb2 as hooks
from paygate.webhooks.v1.webhook_service_pb2_grpc import WebhookServiceStub
from tests.chaos.rig import CARD, Request, Response, gbp, reason_of

GRPC_CLIENTS, REST_CLIENTS = 6, 6
THINK_SECONDS = 0.05
REST_CARD = {"pan": CARD.pan, "expiry": {"month": 12, "year": 2035}, "cvv": "123"}


@dataclass
class Load:
    """Clients that never try again: what fails, they have seen.

    Attributes:
        url: Where REST is.
        api_key: Whose calls they are.
        channel: Opens a channel for gRPC.
        asked: What goes with each REST request besides, as aiohttp takes it.
        looks: Whether they ask the API of webhooks as well.
        done: How many calls went well, by protocol and by what became of them.
        failures: What did not.
    """

    url: str
    api_key: str
    channel: Callable[[], aio.Channel]
    asked: Mapping[str, Any] = field(default_factory=dict)
    looks: bool = False
    stopped: bool = False
    done: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Pay and capture, over gRPC and REST, until stopped."""
        async with self.channel() as channel, aiohttp.ClientSession(self.url) as session:
            await asyncio.gather(
                *(self._grpc(channel) for _ in range(GRPC_CLIENTS)),
                *(self._rest(session) for _ in range(REST_CLIENTS)),
            )

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (
            ("authorization", f"Bearer {self.api_key}"),
            ("idempotency-key", uuid.uuid4().hex),
        )

    async def _grpc(self, channel: aio.Channel) -> None:
        payments, webhooks = PaymentServiceStub(channel), WebhookServiceStub(channel)
        while not self.stopped:
            reply = await self._written(
                payments.Authorize, service.AuthorizeRequest(card_details=CARD, amount=gbp(100))
            )
            if reply is not None:
                await self._written(
                    payments.Capture,
                    service.CaptureRequest(authorization_id=reply.payment.id, amount=gbp(100)),
                )
            if self.looks:
                request = hooks.ListWebhookEndpointsRequest()
                if await self._called(webhooks.ListWebhookEndpoints, request) is not None:
                    self.done["gRPC looked"] += 1
            await asyncio.sleep(THINK_SECONDS)

    async def _written(self, method: Any, request: Request) -> Response | None:
        reply: Response | None = await self._called(method, request)
        if reply is not None:
            self.done[f"gRPC {pb.Action.Status.Name(reply.action.status)}"] += 1
        return reply

    async def _called(self, method: Any, request: object) -> Any:
        try:
            return await method(request, metadata=self._metadata(), timeout=6)
        except aio.AioRpcError as problem:
            self.failures.append(f"gRPC {reason_of(problem)}: {problem.details()}")
            return None

    async def _rest(self, session: aiohttp.ClientSession) -> None:
        amount = {"minor_units": 100, "currency": "GBP"}
        while not self.stopped:
            body = {"card_details": REST_CARD, "amount": amount}
            paid = await self._asked(session, "POST", "/authorize", body)
            if paid is not None:
                payment = {"authorization_id": paid["payment"]["id"], "amount": amount}
                await self._asked(session, "POST", "/capture", payment)
            if self.looks:
                await self._asked(session, "GET", "/webhook-endpoints", None)
            await asyncio.sleep(THINK_SECONDS)

    async def _asked(
        self, session: aiohttp.ClientSession, method: str, path: str, body: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        headers = {**dict(self._metadata()), **self.asked.get("headers", {})}
        asked = {**self.asked, "headers": headers}
        try:
            async with session.request(method, path, json=body, **asked) as response:
                reply: dict[str, Any] = await response.json()
        except aiohttp.ClientError as problem:
            self.failures.append(f"REST {path} {problem!r}")
            return None
        if response.status != 200:
            self.failures.append(f"REST {path} {response.status} {reply}")
            return None
        self.done[f"REST {reply['action']['status']}" if body else "REST looked"] += 1
        return reply
