"""The RPCs: read the request, ask the store, return the response. Nothing else.

What reads much, or holds a connection for several statements, takes turns: whatever one merchant
asks for, the connections of the process are there for the others.
"""

from functools import partial
from typing import TYPE_CHECKING

from paygate.webhooks.v1 import webhook_service_pb2 as pb
from paygate.webhooks.v1.webhook_service_pb2_grpc import WebhookServiceServicer
from pkg.grpc.auth import Authenticator
from pkg.grpc.guard import Context
from pkg.grpc.lists import ListPosition
from pkg.grpc.paging import PageTokens
from pkg.grpc.shares import fill_in_pieces
from pkg.process.mode import Mode
from pkg.replies.once import Once
from services.events import requests
from services.events.codec import attempt_fields, delivery_fields, encode_endpoint
from services.events.endpoints import Endpoints
from services.events.event_messages import event_fields
from services.events.journal import Journal
from services.events.redeliveries import Redeliveries
from services.events.sealing import shown
from services.events.watching import Watches

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection


class WebhookServicer(WebhookServiceServicer):
    """paygate.webhooks.v1.WebhookService.

    Args:
        endpoints: Where endpoints are.
        journal: Where events and deliveries are.
        authenticator: Tells who calls.
        tokens: Seals places in lists.
        mode: Which URLs an endpoint may have.
        once: Carries out what has an idempotency key.
        watches: Tells events as they come.
        redeliveries: How often events may be asked for once more.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        journal: Journal,
        authenticator: Authenticator,
        tokens: PageTokens,
        mode: Mode,
        once: Once,
        watches: Watches,
        redeliveries: Redeliveries | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._journal = journal
        self._authenticator = authenticator
        self._tokens = tokens
        self._mode = mode
        self._once = once
        self._watches = watches
        self._redeliveries = redeliveries or Redeliveries()

    async def CreateWebhookEndpoint(  # noqa: N802
        self, request: pb.CreateWebhookEndpointRequest, context: Context
    ) -> pb.CreateWebhookEndpointResponse:
        """Make an endpoint, and tell its secret."""
        reply = pb.CreateWebhookEndpointResponse
        async with self._authenticator.reading(context) as merchant_id:
            wanted = requests.new_endpoint_of(request, self._mode)

            async def create(connection: "PooledConnection") -> pb.CreateWebhookEndpointResponse:
                endpoints = self._endpoints.on(connection)
                endpoint, secret = await endpoints.create(merchant_id, wanted)
                return reply(endpoint=encode_endpoint(endpoint), secret=shown(secret))

            return await self._once.run(request, context, create, reply, merchant_id=merchant_id)

    async def GetWebhookEndpoint(  # noqa: N802
        self, request: pb.GetWebhookEndpointRequest, context: Context
    ) -> pb.GetWebhookEndpointResponse:
        """Return one endpoint."""
        merchant_id = await self._authenticator.merchant_id(context)
        endpoint = await self._endpoints.get(merchant_id, requests.endpoint_id_of(request))
        return pb.GetWebhookEndpointResponse(endpoint=encode_endpoint(endpoint))

    async def ListWebhookEndpoints(  # noqa: N802
        self, request: pb.ListWebhookEndpointsRequest, context: Context
    ) -> pb.ListWebhookEndpointsResponse:
        """Return a page of the merchant's endpoints."""
        merchant_id = await self._authenticator.merchant_id(context)
        size, scope = requests.endpoints_page_of(request), ("webhook-endpoints",)
        before = self._tokens.open(merchant_id, scope, request.page_token)
        endpoints = await self._endpoints.list(merchant_id, before_id=before, limit=size + 1)
        page = endpoints[:size]
        more = len(endpoints) > size
        return pb.ListWebhookEndpointsResponse(
            endpoints=[encode_endpoint(endpoint) for endpoint in page],
            next_page_token=self._tokens.seal(merchant_id, scope, page[-1].id) if more else "",
        )

    async def UpdateWebhookEndpoint(  # noqa: N802
        self, request: pb.UpdateWebhookEndpointRequest, context: Context
    ) -> pb.UpdateWebhookEndpointResponse:
        """Change what is given of an endpoint."""
        merchant_id = await self._authenticator.merchant_id(context)
        endpoint_id, change = requests.change_of(request, self._mode)
        endpoint = await self._endpoints.update(merchant_id, endpoint_id, change)
        return pb.UpdateWebhookEndpointResponse(endpoint=encode_endpoint(endpoint))

    async def DeleteWebhookEndpoint(  # noqa: N802
        self, request: pb.DeleteWebhookEndpointRequest, context: Context
    ) -> pb.DeleteWebhookEndpointResponse:
        """Remove an endpoint."""
        merchant_id = await self._authenticator.merchant_id(context)
        await self._endpoints.delete(merchant_id, requests.endpoint_id_of(request))
        return pb.DeleteWebhookEndpointResponse()

    async def RotateWebhookSecret(  # noqa: N802
        self, request: pb.RotateWebhookSecretRequest, context: Context
    ) -> pb.RotateWebhookSecretResponse:
        """Make a new secret, and tell it."""
        reply = pb.RotateWebhookSecretResponse
        async with self._authenticator.reading(context) as merchant_id:
            endpoint_id, overlap = requests.rotation_of(request)

            async def rotate(connection: "PooledConnection") -> pb.RotateWebhookSecretResponse:
                endpoints = self._endpoints.on(connection)
                endpoint, secret = await endpoints.rotate(merchant_id, endpoint_id, overlap=overlap)
                return reply(endpoint=encode_endpoint(endpoint), secret=shown(secret))

            return await self._once.run(request, context, rotate, reply, merchant_id=merchant_id)

    async def SendTestEvent(  # noqa: N802
        self, request: pb.SendTestEventRequest, context: Context
    ) -> pb.SendTestEventResponse:
        """Deliver an event about nothing to one endpoint."""
        reply = pb.SendTestEventResponse
        async with self._authenticator.reading(context) as merchant_id:
            endpoint_id = requests.endpoint_id_of(request)

            async def send(connection: "PooledConnection") -> pb.SendTestEventResponse:
                await self._endpoints.on(connection).enabled(merchant_id, endpoint_id)
                self._redeliveries.admit_event(merchant_id)
                journal = self._journal.on(connection)
                payload, delivery = await journal.send_test(merchant_id, endpoint_id)
                return reply(event=event_fields(payload), delivery=delivery_fields(delivery))

            return await self._once.run(request, context, send, reply, merchant_id=merchant_id)

    async def ListEvents(  # noqa: N802
        self, request: pb.ListEventsRequest, context: Context
    ) -> pb.ListEventsResponse:
        """Return a page of the merchant's events."""
        async with self._authenticator.reading(context) as merchant_id:
            wanted, size = requests.filter_of(request)
            follow = request.follow
            order = "oldest first" if follow else "newest first"
            scope = ("events", order, wanted.payment_id, wanted.type, *wanted.made.names)
            place = self._tokens.open_place(merchant_id, scope, request.page_token)
            page = await self._journal.list_events(
                merchant_id, wanted, place=place, size=size, follow=follow
            )
            token = self._tokens.after(merchant_id, scope, page, place, follow=follow)
            reply = pb.ListEventsResponse(next_page_token=token)
            await fill_in_pieces(reply.events, page.items, event_fields)
            return reply

    async def WatchEvents(  # type: ignore[override]  # noqa: N802  # it writes, and yields nothing
        self, request: pb.WatchEventsRequest, context: Context
    ) -> None:
        """Tell the merchant's events as they come, until the client has enough."""
        merchant_id = await self._authenticator.merchant_id(context)
        wanted = requests.watched_of(request)
        scope = ("watch", wanted.payment_id, wanted.type)
        place = self._tokens.open_place(merchant_id, scope, request.cursor)
        check = partial(self._authenticator.recheck, context)

        async def tell(payload: bytes | None, after: ListPosition) -> None:
            await check()
            event = None if payload is None else event_fields(payload)
            cursor = self._tokens.seal(merchant_id, scope, str(after))
            await context.write(pb.WatchEventsResponse(event=event, cursor=cursor))

        await self._watches.watch(merchant_id, wanted, place, tell=tell, check=check)

    async def GetEvent(  # noqa: N802
        self, request: pb.GetEventRequest, context: Context
    ) -> pb.GetEventResponse:
        """Return one event."""
        merchant_id = await self._authenticator.merchant_id(context)
        payload = await self._journal.get_event(merchant_id, requests.event_id_of(request))
        return pb.GetEventResponse(event=event_fields(payload))

    async def ListDeliveries(  # noqa: N802
        self, request: pb.ListDeliveriesRequest, context: Context
    ) -> pb.ListDeliveriesResponse:
        """Return a page of what became of an event."""
        async with self._authenticator.reading(context) as merchant_id:
            event_id, size = requests.deliveries_page_of(request)
            scope = ("deliveries", "as made out", event_id)
            place = self._tokens.open_place(merchant_id, scope, request.page_token)
            page = await self._journal.list_deliveries(
                merchant_id, event_id, place=place, size=size
            )
            token = self._tokens.after(merchant_id, scope, page, place, follow=request.follow)
            reply = pb.ListDeliveriesResponse(next_page_token=token)
            await fill_in_pieces(reply.deliveries, page.items, delivery_fields)
            return reply

    async def ListEndpointDeliveries(  # noqa: N802
        self, request: pb.ListEndpointDeliveriesRequest, context: Context
    ) -> pb.ListEndpointDeliveriesResponse:
        """Return a page of what became of the events that went to an endpoint."""
        async with self._authenticator.reading(context) as merchant_id:
            endpoint_id, status, size = requests.endpoint_deliveries_page_of(request)
            scope = ("endpoint-deliveries", endpoint_id, status or "")
            place = self._tokens.open_place(merchant_id, scope, request.page_token)
            await self._endpoints.get(merchant_id, endpoint_id)
            page = await self._journal.list_deliveries_of_endpoint(
                merchant_id, endpoint_id, status, place=place, size=size
            )
            token = self._tokens.after(merchant_id, scope, page, place, follow=False)
            reply = pb.ListEndpointDeliveriesResponse(next_page_token=token)
            await fill_in_pieces(reply.deliveries, page.items, delivery_fields)
            return reply

    async def ListDeliveryAttempts(  # noqa: N802
        self, request: pb.ListDeliveryAttemptsRequest, context: Context
    ) -> pb.ListDeliveryAttemptsResponse:
        """Return a page of what came of each try to deliver an event to an endpoint."""
        async with self._authenticator.reading(context) as merchant_id:
            event_id, endpoint_id, size = requests.attempts_page_of(request)
            scope = ("attempts", event_id, endpoint_id)
            place = self._tokens.open_place(merchant_id, scope, request.page_token)
            await self._journal.get_event(merchant_id, event_id)
            await self._endpoints.get(merchant_id, endpoint_id)
            page = await self._journal.list_attempts(
                merchant_id, endpoint_id, event_id, place=place, size=size
            )
            token = self._tokens.after(merchant_id, scope, page, place, follow=False)
            reply = pb.ListDeliveryAttemptsResponse(next_page_token=token)
            await fill_in_pieces(reply.attempts, page.items, attempt_fields)
            return reply

    async def RedeliverEvent(  # noqa: N802
        self, request: pb.RedeliverEventRequest, context: Context
    ) -> pb.RedeliverEventResponse:
        """Deliver an event once more."""
        reply = pb.RedeliverEventResponse
        async with self._authenticator.reading(context) as merchant_id:
            event_id, endpoint_id = requests.redelivery_of(request)

            async def redeliver(connection: "PooledConnection") -> pb.RedeliverEventResponse:
                journal = self._journal.on(connection)
                await journal.get_event(merchant_id, event_id)
                if endpoint_id:
                    await self._endpoints.on(connection).enabled(merchant_id, endpoint_id)
                self._redeliveries.admit_event(merchant_id)
                deliveries = await journal.redeliver(merchant_id, event_id, endpoint_id=endpoint_id)
                return reply(deliveries=[delivery_fields(delivery) for delivery in deliveries])

            return await self._once.run(request, context, redeliver, reply, merchant_id=merchant_id)

    async def RedeliverFailedEvents(  # noqa: N802
        self, request: pb.RedeliverFailedEventsRequest, context: Context
    ) -> pb.RedeliverFailedEventsResponse:
        """Deliver once more what failed."""
        reply = pb.RedeliverFailedEventsResponse
        async with self._authenticator.reading(context) as merchant_id:
            endpoint_id, since = requests.failed_redelivery_of(request)

            async def redeliver(connection: "PooledConnection") -> pb.RedeliverFailedEventsResponse:
                await self._endpoints.on(connection).enabled(merchant_id, endpoint_id)
                self._redeliveries.admit_failed(merchant_id)
                journal = self._journal.on(connection)
                return reply(count=await journal.redeliver_failed(merchant_id, endpoint_id, since))

            return await self._once.run(request, context, redeliver, reply, merchant_id=merchant_id)
