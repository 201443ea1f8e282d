"""The real processes on a fresh database: a bank, workers, a sweep; and a look into both books."""

import asyncio
import os
import signal
import socket
import sys
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import asyncpg
import grpc
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from services.payments.__main__ import create_key
from services.payments.config import Settings
from tools.stack.probe import grpc_serving
from tools.stack.settings import REPOSITORY

START_SECONDS_MAX = 15.0
# The two have to agree: nothing may be PENDING longer, whatever is killed.
PENDING_SECONDS_MAX = 30.0
LEASE_SECONDS = 1.0

IMPORTS = {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'build' / 'python'}"}
SECRETS = {"PAYGATE_KEY_PEPPER": "5e" * 32, "PAYGATE_HASH_KEY": "a5" * 32}
CARD = pb.CardDetails(pan="4242424242424242", expiry=pb.Expiry(month=12, year=2035), cvv="123")
Response = (
    service.AuthorizeResponse
    | service.CaptureResponse
    | service.VoidResponse
    | service.RefundResponse
)
Request = (
    service.AuthorizeRequest | service.CaptureRequest | service.VoidRequest | service.RefundRequest
)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def gbp(minor_units: int) -> pb.Amount:
    """Return an amount in pence."""
    return pb.Amount(minor_units=minor_units, currency="GBP")


def reason_of(problem: aio.AioRpcError) -> str:
    """Return the ErrorInfo's reason, or the gRPC code's name where there is none."""
    for key, value in problem.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415

            status = status_pb2.Status.FromString(value)
            info = error_details_pb2.ErrorInfo()
            if status.details and status.details[0].Unpack(info):
                return str(info.reason)
    return problem.code().name


@dataclass
class Process:
    """A process that can be killed and started again on its port."""

    module: tuple[str, ...]
    environment: Mapping[str, str]
    port: int = 0
    running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, and wait until it serves if it has a port."""
        self.running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *self.module, env={**os.environ, **IMPORTS, **self.environment}
        )
        if self.port:
            async with asyncio.timeout(START_SECONDS_MAX):
                await grpc_serving(self.port)

    async def kill(self) -> None:
        """End it with -9."""
        if self.running and self.running.returncode is None:
            with suppress(ProcessLookupError):
                self.running.send_signal(signal.SIGKILL)
        await self.ended()

    async def ended(self) -> None:
        """Wait until it has ended."""
        if self.running:
            async with asyncio.timeout(START_SECONDS_MAX):
                await self.running.wait()

    async def revive(self) -> None:
        """Start it again if it has ended."""
        if self.running is None or self.running.returncode is not None:
            await self.start()

    async def stop(self) -> None:
        """End it as an operator would."""
        if self.running and self.running.returncode is None:
            self.running.terminate()
        await self.ended()


@dataclass
class Rig:
    """A gateway without an edge: clients speak to its workers."""

    payments_url: str
    acquirer_url: str
    workers_count: int = 2
    worker_module: tuple[str, ...] = ("services.payments", "serve")
    with_sweep: bool = True
    api_key: str = ""
    workers: list[Process] = field(default_factory=list)
    channels: list[aio.Channel] = field(default_factory=list)

    def __post_init__(self) -> None:
        port = free_port()
        listen = f"127.0.0.1:{port}"
        self.bank = Process(
            ("services.acquirer",),
            {
                "ACQUIRER_DATABASE_URL": self.acquirer_url,
                "ACQUIRER_LISTEN": listen,
                "ACQUIRER_OUTAGE_SECONDS": "0.3",
            },
            port,
        )
        self.environment = {
            **SECRETS,
            "DATABASE_URL": self.payments_url,
            "PAYGATE_ACQUIRER_ADDRESS": listen,
            "PAYGATE_ACTION_LEASE_SECONDS": str(LEASE_SECONDS),
            "PAYGATE_SWEEP_INTERVAL_SECONDS": "0.05",
        }
        self.sweep = Process(("services.payments", "sweep"), self.environment)

    async def __aenter__(self) -> Self:
        settings = Settings.model_validate(
            {
                "DATABASE_URL": self.payments_url,
                "key_pepper": SECRETS["PAYGATE_KEY_PEPPER"],
                "hash_key": SECRETS["PAYGATE_HASH_KEY"],
            }
        )
        self.api_key = await create_key(settings, merchant_id="mer_chaos", name="Chaos")
        self.payments_book = await asyncpg.create_pool(self.payments_url, min_size=1, max_size=4)
        self.bank_book = await asyncpg.create_pool(self.acquirer_url, min_size=1, max_size=2)
        for _ in range(self.workers_count):
            port = free_port()
            environment = {**self.environment, "PAYGATE_LISTEN": f"127.0.0.1:{port}"}
            self.workers.append(Process(self.worker_module, environment, port))
            options = (
                ("grpc.initial_reconnect_backoff_ms", 50),
                ("grpc.min_reconnect_backoff_ms", 50),
                ("grpc.max_reconnect_backoff_ms", 100),
            )
            self.channels.append(aio.insecure_channel(f"127.0.0.1:{port}", options=options))
        started = [self.bank, *self.workers, *([self.sweep] if self.with_sweep else [])]
        await asyncio.gather(*(process.start() for process in started))
        return self

    async def __aexit__(self, *_: object) -> None:
        for channel in self.channels:
            await channel.close()
        await asyncio.gather(
            *(process.stop() for process in (*self.workers, self.sweep, self.bank))
        )
        await self.payments_book.close()
        await self.bank_book.close()

    def call(
        self,
        request: Request,
        *,
        key: str | None = None,
        worker: int = 0,
        **headers: str,
    ) -> "aio.UnaryUnaryCall[Request, Response]":
        """Begin a write on one worker; with a fresh idempotency key unless one is given."""
        stub = PaymentServiceStub(self.channels[worker % len(self.channels)])
        method = getattr(stub, type(request).__name__.removesuffix("Request"))
        metadata = [
            ("authorization", f"Bearer {self.api_key}"),
            ("idempotency-key", key or uuid.uuid4().hex),
            *((name.replace("_", "-"), value) for name, value in headers.items()),
        ]
        call: aio.UnaryUnaryCall[Request, Response] = method(
            request, metadata=metadata, timeout=20, wait_for_ready=True
        )
        return call

    async def retried(self, request: Request, *, key: str, worker: int = 0) -> Response:
        """Retry with the same key, as a client must, until there is a final reply."""
        async with asyncio.timeout(PENDING_SECONDS_MAX):
            while True:
                try:
                    reply = await self.call(request, key=key, worker=worker)
                except aio.AioRpcError as problem:
                    if problem.code() in {
                        grpc.StatusCode.ABORTED,
                        grpc.StatusCode.UNAVAILABLE,
                        grpc.StatusCode.INTERNAL,
                    }:
                        await asyncio.sleep(0.05)
                        continue
                    raise
                if reply.action.status != pb.Action.STATUS_PENDING:
                    return reply
                await asyncio.sleep(0.05)

    async def authorized(self, amount: int = 1000, *, card: pb.CardDetails = CARD) -> str:
        """Return the id of a payment that is authorised."""
        reply = await self.call(service.AuthorizeRequest(card_details=card, amount=gbp(amount)))
        assert reply.payment.status == pb.Payment.STATUS_AUTHORIZED
        return reply.payment.id

    async def captured(self, amount: int = 1000, *, card: pb.CardDetails = CARD) -> str:
        """Return the id of a payment that is captured whole."""
        payment_id = await self.authorized(amount, card=card)
        await self.call(service.CaptureRequest(authorization_id=payment_id, amount=gbp(amount)))
        return payment_id

    async def settled(self) -> None:
        """Wait until nothing is PENDING any more; it never takes longer than the limit."""
        async with asyncio.timeout(PENDING_SECONDS_MAX):
            while await self._pending():
                await asyncio.sleep(0.05)  # the event is in another process

    async def _pending(self) -> int:
        count: int = await self.payments_book.fetchval(
            "SELECT count(*) FROM actions WHERE status = 'PENDING'"
        )
        return count

    async def assert_books_agree(self) -> None:
        """Every payment and every action of ours is the bank's to the unit, and none is PENDING."""
        assert (
            await self.payments_book.fetchval(
                "SELECT count(*) FROM actions WHERE status = 'PENDING'"
            )
            == 0
        )
        await self._assert_payments_agree()
        await self._assert_actions_agree()
        assert not await self.payments_book.fetch(SUMS_THAT_DIFFER)
        assert not await self.payments_book.fetch(ENDED_WITHOUT_EVENT)

    async def _assert_payments_agree(self) -> None:
        rows = await self.payments_book.fetch(
            "SELECT authorization_id, status, authorized, captured, refunded FROM payments"
        )
        ours = {row["authorization_id"]: tuple(row)[1:] for row in rows}
        held = await self.bank_book.fetch(
            "SELECT reference, status, minor_units, captured, refunded FROM authorizations"
        )
        theirs = {row["reference"]: row for row in held}
        assert set(theirs) <= set(ours)
        for reference, (status, amount, *sums) in ours.items():
            bank = theirs.get(reference)
            if status == "FAILED":
                assert bank is None or bank["status"] == "REVERSED"
                continue
            assert bank is not None, f"{reference} is {status}, and the bank does not know it"
            assert [bank["minor_units"], bank["captured"], bank["refunded"]] == [amount, *sums]
            assert (status == "VOIDED") == (bank["status"] == "VOIDED")
            assert (status == "DECLINED") == (bank["status"] == "DECLINED")

    async def _assert_actions_agree(self) -> None:
        rows = await self.payments_book.fetch(
            "SELECT id, type, status, decline_code FROM actions"
            " WHERE type IN ('CAPTURE', 'VOID', 'REFUND')"
        )
        ours = {row["id"]: (row["type"], row["status"], row["decline_code"]) for row in rows}
        done = await self.bank_book.fetch("SELECT reference, verb, decline_code FROM operations")
        theirs = {
            row["reference"]: (
                row["verb"],
                "DECLINED" if row["decline_code"] else "SUCCEEDED",
                row["decline_code"],
            )
            for row in done
        }
        assert ours == theirs


SUMS_THAT_DIFFER = """
SELECT p.id
FROM payments p
JOIN actions a ON a.merchant_id = p.merchant_id AND a.payment_id = p.id AND a.status = 'SUCCEEDED'
GROUP BY p.merchant_id, p.id
HAVING p.captured <> coalesce(sum(a.minor_units) FILTER (WHERE a.type = 'CAPTURE'), 0)
  OR p.refunded <> coalesce(sum(a.minor_units) FILTER (WHERE a.type = 'REFUND'), 0)
  OR p.capturing <> 0 OR p.refunding <> 0 OR p.voiding OR p.closing OR p.reversing
"""
ENDED_WITHOUT_EVENT = """
SELECT a.id
FROM actions a
LEFT JOIN outbox o ON o.merchant_id = a.merchant_id AND o.payment_id = a.payment_id
WHERE a.type <> 'REVERSE'
GROUP BY a.merchant_id, a.payment_id, a.id
HAVING count(o.id) <> (
  SELECT count(*) FROM actions b
  WHERE b.merchant_id = a.merchant_id AND b.payment_id = a.payment_id AND b.type <> 'REVERSE')
"""
