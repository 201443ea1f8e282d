"""A payment that nobody on the network can read: TLS from the client to the bank."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb_bank
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from pkg.grpc.tls import Identity, channel
from pkg.process.healthcheck import serves
from services.payments.adapters.bank_calls import Failure
from services.payments.adapters.bank_line import BankLine
from tests.certificates import AuthorityInFiles, Pair
from tests.chaos.rig import CARD, SECRETS, Process, free_port, gbp, reason_of
from tests.database import as_part
from tests.keys import new_key

GATEWAY, BANK = "payments.internal.paygate", "acquirer.internal.paygate"


@dataclass(frozen=True)
class Line:
    """A worker and a bank that speak TLS, and whoever calls the worker."""

    authority: AuthorityInFiles
    client: Pair
    address: str
    metadata: tuple[tuple[str, str], ...]

    async def authorize(self) -> pb.Payment:
        """Authorize a payment."""
        identity = Identity(certificate=self.client.certificate, key=self.client.key)
        request = service.AuthorizeRequest(card_details=CARD, amount=gbp(1000))
        async with channel(
            self.address, ca=self.authority.file, identity=identity, server_name=GATEWAY
        ) as edge:
            stub = PaymentServiceStub(edge)
            reply = await stub.Authorize(request, metadata=self.metadata, timeout=10)
        return reply.payment


def bank_of(authority: AuthorityInFiles, url: str, address: str) -> Process:
    """Return a bank that only lets in who has a certificate."""
    environment = {
        **authority.issue(BANK).environment("ACQUIRER_", client_ca=authority.file),
        "ACQUIRER_DATABASE_URL": url,
        "ACQUIRER_LISTEN": address,
    }
    return Process(("services.acquirer",), environment)


def worker_of(
    authority: AuthorityInFiles, url: str, address: str, bank: str, bank_ca: Path
) -> Process:
    """Return a worker that believes banks of an authority."""
    environment = {
        **SECRETS,
        **authority.issue(GATEWAY).environment(client_ca=authority.file),
        "DATABASE_URL": as_part(url, "paygate_gateway"),
        "PAYGATE_VAULT_DATABASE_URL": as_part(url, "paygate_vault"),
        "PAYGATE_VAULT_KEYRING": str(bank_ca.with_name("keyring.json")),
        "PAYGATE_LISTEN": address,
        "PAYGATE_ACQUIRER_ADDRESS": bank,
        "PAYGATE_ACQUIRER_CA_FILE": str(bank_ca),
        "PAYGATE_ACQUIRER_SERVER_NAME": BANK,
    }
    return Process(("services.payments", "serve"), environment)


async def started(process: Process, address: str) -> None:
    """Start, and wait until the health check of its container is content."""
    await process.start()
    async with asyncio.timeout(15):
        while not await asyncio.to_thread(serves, address, process.environment):
            assert process.running is not None
            assert process.running.returncode is None


@pytest.fixture(params=["ours", "another's"])
async def line(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    payments_database_url: str,
    acquirer_database_url: str,
) -> AsyncIterator[Line]:
    """A worker that believes our bank, or another's."""
    authority = AuthorityInFiles(tmp_path)
    believed = authority if request.param == "ours" else AuthorityInFiles(tmp_path, "another")
    address, bank_address = (f"127.0.0.1:{free_port()}" for _ in range(2))
    bank = bank_of(authority, acquirer_database_url, bank_address)
    worker = worker_of(
        authority, payments_database_url, address, bank_address, bank_ca=believed.file
    )
    key = await new_key(payments_database_url, "mer_tls", pepper=SECRETS["PAYGATE_KEY_PEPPER"])
    try:
        await asyncio.gather(started(bank, bank_address), started(worker, address))
        client = authority.issue("edge.internal.paygate")
        yield Line(authority, client, address, (("authorization", f"Bearer {key}"),))
    finally:
        await asyncio.gather(worker.stop(), bank.stop())


@pytest.mark.parametrize("line", ["ours"], indirect=True)
async def test_a_payment_over_tls(line: Line) -> None:
    """The bank answers a worker that shows its certificate; in plain text nobody is answered."""
    assert (await line.authorize()).status == pb.Payment.STATUS_AUTHORIZED
    async with aio.insecure_channel(line.address) as plain:
        with pytest.raises(aio.AioRpcError) as refused:
            await PaymentServiceStub(plain).GetPayment(service.GetPaymentRequest(id="pay_x"))
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("line", ["another's"], indirect=True)
async def test_a_bank_that_is_not_ours_gets_no_card(line: Line) -> None:
    """A worker has no line to a bank that it does not believe, so it begins nothing."""
    async with asyncio.timeout(15):
        while (status := await authorized(line)) == "STATUS_PENDING":
            pass  # begun in the first moments, in which the bank might still have come
    assert status == "DEPENDENCY_UNAVAILABLE"


async def authorized(line: Line) -> str:
    """Return the status of a payment, or the reason why there is none."""
    try:
        return pb.Payment.Status.Name((await line.authorize()).status)
    except aio.AioRpcError as problem:
        return reason_of(problem)


async def test_new_certificates_count_from_the_next_line_on(
    tmp_path: Path, acquirer_database_url: str
) -> None:
    """The bank is shown what the files hold when a line is opened; the line before goes on."""
    authority, another = AuthorityInFiles(tmp_path), AuthorityInFiles(tmp_path, "another")
    address = f"127.0.0.1:{free_port()}"
    mine, strangers = authority.issue(GATEWAY), another.issue("stranger.internal.paygate")
    shown = Pair(tmp_path / "shown.pem", tmp_path / "shown.key")
    opened = 0

    def show(pair: Pair) -> None:
        shutil.copy(pair.certificate, shown.certificate)
        shutil.copy(pair.key, shown.key)

    def connect() -> aio.Channel:
        nonlocal opened
        opened += 1
        identity = Identity(certificate=shown.certificate, key=shown.key)
        return channel(address, ca=authority.file, identity=identity, server_name=BANK)

    async def inquire() -> pb_bank.Outcome | Failure:
        operation = pb_bank.Operation(inquire=pb_bank.InquireRequest(reference="nobody's"))
        return await to_bank.ask(operation, timeout_seconds=5)

    async def lines(more: int) -> None:
        wanted = opened + more
        while opened < wanted:
            assert await inquire() == not_found
            await asyncio.sleep(0.01)

    not_found = pb_bank.Outcome(status=pb_bank.Outcome.STATUS_NOT_FOUND)
    bank = bank_of(authority, acquirer_database_url, address)
    show(mine)
    try:
        await started(bank, address)
        async with BankLine(connect, line_seconds=0.2) as to_bank, asyncio.timeout(30):
            await lines(2)
            show(strangers)  # with these it is not let in, and stays where it is
            await lines(3)
            show(mine)
            await lines(2)
    finally:
        await bank.stop()
