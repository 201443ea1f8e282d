"""The real processes on a fresh database: a bank, workers, a sweep; and a look into both books."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import asyncpg
import grpc
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.chaos.books import PENDING_SECONDS_MAX, Books
from tests.database import as_part
from tests.keys import new_key
from tools.stack.probe import grpc_serving
from tools.stack.settings import REPOSITORY

START_SECONDS_MAX = 30.0
LEASE_SECONDS = 1.0
SKEW = "tests.proofs.skew"

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
    stderr: int | None = None
    running: asyncio.subprocess.Process | None = None
    ahead_seconds: int = 0  # of its clock, which is that of another host: see skew.py

    async def start(self) -> None:
        """Start, and wait until it serves if it has a port."""
        clock = (SKEW, f"{self.ahead_seconds:+d}") if self.ahead_seconds else ()
        self.running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *clock, *self.module),
            env={**os.environ, **IMPORTS, **self.environment},
            stderr=self.stderr,
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
    worker_module: tuple[str, ...] = ("tests.chaos.worker",)
    with_sweep: bool = True
    ahead_seconds: Sequence[int] = ()  # of the clocks of the workers, then the sweep, then the bank
    api_key: str = ""
    workers: list[Process] = field(default_factory=list)
    channels: list[aio.Channel] = field(default_factory=list)
    vault: dict[str, str] = field(default_factory=dict)
    stderr: int | None = None

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
            "DATABASE_URL": as_part(self.payments_url, "paygate_gateway"),
            "PAYGATE_READ_DATABASE_URL": as_part(self.payments_url, "paygate_reader"),
            "PAYGATE_SANDBOX_DATABASE_URL": as_part(self.payments_url, "paygate_sandbox"),
            "PAYGATE_ACQUIRER_ADDRESS": listen,
            "PAYGATE_HASTY_LEASE_SECONDS": str(LEASE_SECONDS),
            "PAYGATE_SWEEP_INTERVAL_SECONDS": "0.05",
            # Tests of money fire more at once than a worker would take.
            "PAYGATE_IN_FLIGHT_MAX": "4096",
            # There is no edge in front that would have to be told.
            "PAYGATE_DRAIN_NOTICE_SECONDS": "0",
        }
        self.sweep = Process(("services.payments", "sweep"), self.environment)
        self.folder = tempfile.TemporaryDirectory(prefix="paygate-rig-")
        self.vault = {
            "PAYGATE_VAULT_DATABASE_URL": as_part(self.payments_url, "paygate_vault"),
            "PAYGATE_VAULT_KEYRING": f"{self.folder.name}/keyring.json",
            **self.vault,
        }

    async def __aenter__(self) -> Self:
        pepper = SECRETS["PAYGATE_KEY_PEPPER"]
        self.api_key = await new_key(self.payments_url, "mer_chaos", pepper=pepper)
        self.payments_book = await asyncpg.create_pool(self.payments_url, min_size=1, max_size=4)
        self.bank_book = await asyncpg.create_pool(self.acquirer_url, min_size=1, max_size=2)
        self.books = Books(self.payments_book, self.bank_book)
        for _ in range(self.workers_count):
            port = free_port()
            listen = {"PAYGATE_LISTEN": f"127.0.0.1:{port}"}
            environment = {**self.environment, **self.vault, **listen}
            self.workers.append(Process(self.worker_module, environment, port))
            options = (
                ("grpc.initial_reconnect_backoff_ms", 50),
                ("grpc.min_reconnect_backoff_ms", 50),
                ("grpc.max_reconnect_backoff_ms", 100),
            )
            self.channels.append(aio.insecure_channel(f"127.0.0.1:{port}", options=options))
        for process in (self.bank, self.sweep, *self.workers):
            process.stderr = self.stderr
        clocked = (*self.workers, self.sweep, self.bank)
        for process, ahead in zip(clocked, self.ahead_seconds, strict=False):
            process.ahead_seconds = ahead
        started = [self.bank, *self.workers, *([self.sweep] if self.with_sweep else [])]
        try:
            await asyncio.gather(*(process.start() for process in started))
        except BaseException:
            await self.__aexit__()  # else the others would go on for ever
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for channel in self.channels:
            await channel.close()
        await asyncio.gather(
            *(process.stop() for process in (*self.workers, self.sweep, self.bank))
        )
        await self.payments_book.close()
        await self.bank_book.close()
        self.folder.cleanup()

    def call(
        self,
        request: Request,
        *,
        key: str | None = None,
        worker: int = 0,
        api_key: str | None = None,
        seconds_max: float = 20,
        **headers: str,
    ) -> "aio.UnaryUnaryCall[Request, Response]":
        """Begin a write on one worker; with a fresh idempotency key unless one is given.

        It is the rig's own merchant's, unless another API key is given.
        """
        stub = PaymentServiceStub(self.channels[worker % len(self.channels)])
        method = getattr(stub, type(request).__name__.removesuffix("Request"))
        metadata = [
            ("authorization", f"Bearer {api_key or self.api_key}"),
            ("idempotency-key", key or uuid.uuid4().hex),
            *((name.replace("_", "-"), value) for name, value in headers.items()),
        ]
        call: aio.UnaryUnaryCall[Request, Response] = method(
            request, metadata=metadata, timeout=seconds_max, wait_for_ready=True
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
        await self.books.settled()

    async def assert_books_agree(self) -> None:
        """Both books say the same."""
        await self.books.assert_agree()
