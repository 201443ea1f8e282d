"""Production on real processes: what it says before it starts, and that it starts."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import grpc
import pytest
from grpc import aio

from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from pkg.grpc.tls import Identity, channel
from pkg.process.healthcheck import serves
from pkg.process.production import Posture, database_reasons
from pkg.process.production_database import Database
from tests.certificates import AuthorityInFiles
from tests.chaos.rig import Process, free_port, reason_of
from tests.database import as_part, migrate, postgres_of_its_own, running
from tests.integration.production import NAME, START_SECONDS_MAX, Place, ended
from tools.stack.postgres import OWNER


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """A server of its own: that of the other tests does not wait for the disk."""
    authority = AuthorityInFiles(tmp_path_factory.mktemp("tls"))
    pair = authority.issue(NAME)
    with postgres_of_its_own() as server:
        await server.initialise()
        async with running(server, durable=True):
            await server.make_databases()
            await migrate(server, "payments")
            url = server.url("payments", "payments")
            keys = ("PAYGATE_KEY_PEPPER", "PAYGATE_HASH_KEY", "PAYGATE_WEBHOOK_KEY")
            environment = {
                **pair.environment(client_ca=authority.file),
                **{name: secrets.token_hex(32) for name in keys},
                "PAYGATE_MODE": "production",
                # Nobody listens there: a worker starts all the same, and takes no cards yet.
                "PAYGATE_VAULT": "transit",
                "PAYGATE_VAULT_ADDRESS": "https://127.0.0.1:9",
                "PAYGATE_VAULT_TOKEN": secrets.token_hex(16),
                "PAYGATE_ACQUIRER_CA_FILE": str(authority.file),
                "PAYGATE_ACQUIRER_SERVER_NAME": "acquirer.internal.paygate",
            }
            yield Place(url, server.url(OWNER, "payments"), authority, environment)


@pytest.mark.parametrize(
    ("module", "part", "health"),
    [("services.payments", "paygate_gateway", NAME), ("services.events", "paygate_webhooks", NAME)],
)
async def test_it_starts(place: Place, module: str, part: str, health: str) -> None:
    """With everything as it should be it serves, over TLS to whoever has a certificate."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    environment = {
        **place.environment,
        "DATABASE_URL": as_part(place.url, part),
        "PAYGATE_READ_DATABASE_URL": as_part(place.url, "paygate_reader"),
        "PAYGATE_VAULT_DATABASE_URL": as_part(place.url, "paygate_vault"),
        "PAYGATE_LISTEN": address,
    }
    process = Process((module, "serve"), environment)
    await process.start()
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            while not await asyncio.to_thread(serves, address, environment):
                assert process.running is not None
                assert process.running.returncode is None
        assert not await asyncio.to_thread(serves, address, {})  # in plain text
        await assert_offers_nothing_for_tests(place, address)
    finally:
        await process.stop()


async def assert_offers_nothing_for_tests(place: Place, address: str) -> None:
    """There is no reflection and no sandbox API, and no call without a key."""
    client = place.authority.issue("edge.internal.paygate")
    identity = Identity(certificate=client.certificate, key=client.key)
    async with channel(
        address, ca=place.authority.file, identity=identity, server_name=NAME
    ) as edge:
        for version in ("v1", "v1alpha"):
            method = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
            with pytest.raises(aio.AioRpcError) as missing:
                await edge.stream_stream(method)().read()
            assert missing.value.code() is grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(aio.AioRpcError) as missing:
            await SandboxServiceStub(edge).GetClock(sandbox.GetClockRequest())
        assert missing.value.code() is grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(aio.AioRpcError) as refused:
            await PaymentServiceStub(edge).GetPayment(service.GetPaymentRequest(id="pay_x"))
        assert reason_of(refused.value) in {"INVALID_API_KEY", "UNIMPLEMENTED"}


async def test_it_says_everything_at_once_and_no_value(place: Place) -> None:
    """Nothing is right, so there is a line for each thing, from settings and server alike."""
    secret = "5e" * 32
    connection = await place.owner()
    await connection.execute("ALTER ROLE paygate_gateway SET synchronous_commit = off")
    await connection.execute("ALTER ROLE paygate_gateway BYPASSRLS")
    try:
        code, said = await ended(
            "services.payments",
            "serve",
            {
                "PAYGATE_MODE": "production",
                "DATABASE_URL": as_part(place.url, "paygate_gateway"),
                "PAYGATE_METRICS_LISTEN": "0.0.0.0:9464",
                "PAYGATE_IDEMPOTENCY_KEY_LIFETIME_SECONDS": "1",
                "PAYGATE_SANDBOX_API": "true",
                "PAYGATE_SANDBOX_DATABASE_URL": as_part(place.url, "paygate_sandbox"),
                "PAYGATE_KEY_PEPPER": secret,
                "PAYGATE_HASH_KEY": secret,
                "PAYGATE_RATE_LIMIT_PER_SECOND": "0",
                "PAYGATE_AUTHENTICATION_FAILURES_PER_SECOND": "0",
            },
        )
    finally:
        await connection.execute("ALTER ROLE paygate_gateway NOBYPASSRLS")
        await connection.execute("ALTER ROLE paygate_gateway RESET synchronous_commit")
        await connection.close()
    assert code == 2
    assert [line.partition(":")[0] for line in said] == [
        "PAYGATE_VAULT",
        "PAYGATE_SANDBOX_API",
        "PAYGATE_SANDBOX_DATABASE_URL",
        "PAYGATE_READ_DATABASE_URL",
        "PAYGATE_ACQUIRER_CA_FILE",
        "PAYGATE_IDEMPOTENCY_KEY_LIFETIME_SECONDS",
        "PAYGATE_TLS_CERTIFICATE_FILE",
        "PAYGATE_TLS_CLIENT_CA_FILE",
        "PAYGATE_RATE_LIMIT_PER_SECOND",
        "PAYGATE_AUTHENTICATION_FAILURES_PER_SECOND",
        "PAYGATE_METRICS_LISTEN",
        "PAYGATE_KEY_PEPPER",
        "PAYGATE_HASH_KEY",
        "PAYGATE_HASH_KEY",
        "DATABASE_URL",
        "DATABASE_URL",
    ]
    assert secret not in "".join(said)
    assert place.url not in "".join(said)


@pytest.mark.parametrize(
    ("module", "role"),
    [("services.payments", "sweep"), ("services.events", "relay")],
)
async def test_other_roles_look_too(place: Place, module: str, role: str) -> None:
    """Whatever handles payments is held to the same, and says one line for one thing."""
    part = {"sweep": "paygate_gateway", "relay": "paygate_events"}[role]
    changed = {"DATABASE_URL": as_part(place.url, part), "PAYGATE_KEY_PEPPER": "ab" * 32}
    code, said = await ended(module, role, {**place.environment, **changed})
    assert (code, len(said)) == (2, 1)
    assert said[0].startswith("PAYGATE_KEY_PEPPER: has a pattern")


async def test_a_database_that_is_away(place: Place, tmp_path: Path) -> None:
    """Nobody knows how it is set, so nothing starts; that is no fault of the settings."""
    url = f"postgresql://paygate@/payments?host={tmp_path}"
    nowhere = {"DATABASE_URL": url, "PAYGATE_READ_DATABASE_URL": url}
    code, said = await ended("services.payments", "serve", {**place.environment, **nowhere})
    assert (code, len(said)) == (1, 1)
    assert said[0].startswith("DATABASE_URL: the database does not answer")


async def test_the_operators_database_is_away(place: Place, tmp_path: Path) -> None:
    """The setting that is named is the one of the process."""
    nowhere = f"postgresql://paygate@/payments?host={tmp_path}"
    environment = {
        **place.environment,
        "PAYGATE_ADMIN_DATABASE_URL": nowhere,
        "PAYGATE_ADMIN_TOKEN": secrets.token_hex(32),
    }
    code, said = await ended("services.payments", "admin", environment)
    assert (code, len(said)) == (1, 1)
    assert said[0].startswith("PAYGATE_ADMIN_DATABASE_URL: the database does not answer")


@pytest.mark.parametrize(
    ("module", "role"),
    [
        ("services.payments", "serve"),
        ("services.payments", "sweep"),
        ("services.payments", "admin"),
        ("services.events", "serve"),
    ],
)
async def test_a_process_that_is_there_before_its_database(
    module: str, role: str, tmp_path: Path
) -> None:
    """It ends with one line, and whoever supervises it tries again."""
    nowhere = f"postgresql://paygate@/payments?host={tmp_path}"
    keys = ("PAYGATE_KEY_PEPPER", "PAYGATE_HASH_KEY", "PAYGATE_WEBHOOK_KEY", "PAYGATE_ADMIN_TOKEN")
    environment = {
        **{name: secrets.token_hex(32) for name in keys},
        **dict.fromkeys(("DATABASE_URL", "PAYGATE_ADMIN_DATABASE_URL"), nowhere),
        **({"PAYGATE_VAULT_DATABASE_URL": nowhere} if role == "serve" else {}),
        "PAYGATE_VAULT_KEYRING": str(tmp_path / "keyring.json"),
    }
    assert await ended(module, role, environment) == (1, ["The database does not answer."])


def posture(url: str, role: str | None = "paygate_gateway") -> Posture:
    """Return a posture of which only the database counts."""
    return Posture(
        refused=(),
        keys={},
        databases={"DATABASE_URL": Database(url=url, role=role)},
        database_timeout_seconds=5.0,
    )


@pytest.mark.parametrize(
    ("change", "undo", "name"),
    [
        ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM RESET fsync", "fsync"),
        (
            "ALTER SYSTEM SET full_page_writes = off",
            "ALTER SYSTEM RESET full_page_writes",
            "full_page_writes",
        ),
        (
            "ALTER SYSTEM SET synchronous_commit = off",
            "ALTER SYSTEM RESET synchronous_commit",
            "synchronous_commit",
        ),
        (
            "ALTER ROLE paygate_gateway SET synchronous_commit = off",
            "ALTER ROLE paygate_gateway RESET synchronous_commit",
            "synchronous_commit",
        ),
        (
            "ALTER DATABASE payments SET synchronous_commit = off",
            "ALTER DATABASE payments RESET synchronous_commit",
            "synchronous_commit",
        ),
        (
            "ALTER ROLE paygate_gateway IN DATABASE payments SET synchronous_commit = off",
            "ALTER ROLE paygate_gateway IN DATABASE payments RESET synchronous_commit",
            "synchronous_commit",
        ),
    ],
)
async def test_the_server_is_asked(place: Place, change: str, undo: str, name: str) -> None:
    """What could lose payments is found wherever it is set, and nothing where it is not."""
    wanted = posture(as_part(place.url, "paygate_gateway"))
    connection = await place.owner()
    assert await database_reasons(wanted) == []
    try:
        await changed(connection, change)
        async with asyncio.timeout(10):
            while not (said := await database_reasons(wanted)):
                await asyncio.sleep(0.02)  # the server reads its configuration in its own time
    finally:
        await changed(connection, undo)
        async with asyncio.timeout(10):
            while await database_reasons(wanted):
                await asyncio.sleep(0.02)
        await connection.close()
    (line,) = said
    assert line.startswith(f"DATABASE_URL: {name} is off there")


async def changed(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    """Change how the server is set."""
    await connection.execute(statement)
    await connection.execute("SELECT pg_reload_conf()")


async def test_nobody_is_let_in(place: Place) -> None:
    """An address that the server refuses is said to be at fault, not the server."""
    (line,) = await database_reasons(posture(place.url.replace("//payments@", "//nobody@")))
    assert line.startswith("DATABASE_URL: the database lets nobody in")
