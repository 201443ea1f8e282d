"""A peer: grpc.aio and asyncpg's pool, BEGIN … COMMIT; serves the gateway's own messages.

`python -m bench.peers.grpc_aio <port>`
"""

import asyncio
import os
import sys
from typing import Any

import asyncpg
import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from bench.peers.work import MERCHANT, POOL_SIZE, Authorized, InvalidError, Order, authorized
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import (
    PaymentServiceServicer,
    add_PaymentServiceServicer_to_server,
)

CLAIM = """
INSERT INTO idempotency_keys (merchant_id, key, fingerprint, reply, create_time)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING true
"""
HELD = "SELECT fingerprint, reply FROM idempotency_keys WHERE merchant_id = $1 AND key = $2"
PAYMENT = """
INSERT INTO payments (
  id, merchant_id, status, currency, authorized, captured, refunded, card_brand, card_last4,
  card_expiry_month, card_expiry_year, card_fingerprint, card_ciphertext, reference,
  create_time, expire_time)
VALUES ($1, $2, 'AUTHORIZED', $3, $4, 0, 0, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
ACTION = """
INSERT INTO actions (id, payment_id, type, status, currency, minor_units, create_time)
VALUES ($1, $2, 'AUTHORIZE', 'SUCCEEDED', $3, $4, $5)
"""
EVENT = """
INSERT INTO outbox (id, payment_id, type, payload, create_time)
VALUES ($1, $2, 'payment.authorized', $3, $4)
"""


class Payments(PaymentServiceServicer):
    """Authorize, and nothing else."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def Authorize(  # noqa: N802
        self, request: service.AuthorizeRequest, context: Any
    ) -> service.AuthorizeResponse:
        """Authorize once per key."""
        key = dict(context.invocation_metadata()).get("idempotency-key", "")
        order = _order(request)
        try:
            done = authorized(order)
        except InvalidError as problem:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(problem))
            raise  # never reached
        response = _response(order, done)
        reply = response.SerializeToString()
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(
                CLAIM, MERCHANT, key, done.request_fingerprint, reply, done.create_time
            ):
                await _store(connection, order, done, reply)
                return response
            held = await connection.fetchrow(HELD, MERCHANT, key)
        if held["fingerprint"] != done.request_fingerprint:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "IDEMPOTENCY_KEY_REUSED")
        return service.AuthorizeResponse.FromString(held["reply"])


async def _store(connection: Any, order: Order, done: Authorized, reply: bytes) -> None:
    await connection.execute(
        PAYMENT,
        done.payment_id,
        MERCHANT,
        order.currency,
        order.minor_units,
        done.brand,
        done.last4,
        order.month,
        order.year,
        done.card_fingerprint,
        done.card_ciphertext,
        order.reference,
        done.create_time,
        done.expire_time,
    )
    await connection.execute(
        ACTION,
        done.action_id,
        done.payment_id,
        order.currency,
        order.minor_units,
        done.create_time,
    )
    await connection.execute(EVENT, done.event_id, done.payment_id, reply, done.create_time)


def _order(request: service.AuthorizeRequest) -> Order:
    card = request.card_details
    return Order(
        pan=card.pan,
        month=card.expiry.month,
        year=card.expiry.year,
        cvv=card.cvv,
        minor_units=request.amount.minor_units,
        currency=request.amount.currency,
        reference=request.reference,
    )


def _response(order: Order, done: Authorized) -> service.AuthorizeResponse:
    amount = pb.Amount(minor_units=order.minor_units, currency=order.currency)
    none = pb.Amount(currency=order.currency)
    created: Any = done.create_time  # protobuf takes a datetime, its types do not say so
    expires: Any = done.expire_time
    action = pb.Action(
        id=done.action_id,
        payment_id=done.payment_id,
        type=pb.Action.TYPE_AUTHORIZE,
        status=pb.Action.STATUS_SUCCEEDED,
        amount=amount,
        create_time=created,
    )
    payment = pb.Payment(
        id=done.payment_id,
        status=pb.Payment.STATUS_AUTHORIZED,
        authorized=amount,
        captured=none,
        refunded=none,
        card=pb.Card(last4=done.last4),
        reference=order.reference,
        create_time=created,
        expire_time=expires,
    )
    return service.AuthorizeResponse(action=action, payment=payment)


async def main(port: int) -> None:
    """Serve until it is killed."""
    url = os.environ["PEER_DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=POOL_SIZE, max_size=POOL_SIZE) as pool:
        server = aio.server(options=[("grpc.so_reuseport", 0)])
        add_PaymentServiceServicer_to_server(Payments(pool), server)  # type: ignore[abstract]  # the rest is UNIMPLEMENTED
        checks = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        await checks.set("", health_pb2.HealthCheckResponse.SERVING)
        await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
