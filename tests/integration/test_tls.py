"""TLS of our servers: who gets in, and certificates that are renewed while they serve."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2_grpc

from pkg.grpc.health_checks import HealthChecks
from pkg.grpc.servers.make import ServerKind, make_server
from pkg.grpc.tls import Identity, channel, server_credentials
from pkg.process.healthcheck import serves
from tests.certificates import AuthorityInFiles, Pair

NAME = "payments.internal.paygate"


class Server:
    """A server of nothing but health checks, with mutual TLS."""

    def __init__(self, folder: Path, kind: ServerKind) -> None:
        self.authority = AuthorityInFiles(folder)
        self.pair = self.authority.issue(NAME)
        self.client = self.authority.issue("edge.internal.paygate")
        self.identity = Identity(
            certificate=self.pair.certificate, key=self.pair.key, client_ca=self.authority.file
        )
        self._server = make_server(kind)
        health_pb2_grpc.add_HealthServicer_to_server(HealthChecks(), self._server)

    async def start(self) -> None:
        """Serve on a free port."""
        credentials = server_credentials(self.identity)
        port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self.address = f"127.0.0.1:{port}"
        await self._server.start()

    async def stop(self) -> None:
        """Serve no more."""
        await self._server.stop(None)

    async def answers(self, *, ca: Path | None, pair: Pair | None, name: str | None = NAME) -> bool:
        """Tell whether a new connection gets an answer."""
        identity = Identity(certificate=pair.certificate, key=pair.key) if pair else None
        async with channel(self.address, ca=ca, identity=identity, server_name=name) as to_server:
            check: Any = to_server.unary_unary("/grpc.health.v1.Health/Check")
            try:
                await check(b"", timeout=5)
            except aio.AioRpcError as problem:
                if problem.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                return False
        return True


@pytest.fixture(params=list(ServerKind))
async def server(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """A server that serves, of each kind."""
    server = Server(tmp_path, request.param)
    await server.start()
    yield server
    await server.stop()


async def test_who_gets_in(server: Server, tmp_path: Path) -> None:
    """Whoever shows a certificate of the right authority, and nobody else."""
    ours = server.authority.file
    strangers = AuthorityInFiles(tmp_path, "strangers")
    theirs = strangers.issue("edge.internal.paygate", file="stranger")
    assert await server.answers(ca=ours, pair=server.client)
    assert not await server.answers(ca=ours, pair=None)
    assert not await server.answers(ca=ours, pair=theirs)
    assert not await server.answers(ca=None, pair=None)


async def test_whom_a_client_believes(server: Server, tmp_path: Path) -> None:
    """A server with another authority's certificate, or for another name, is not spoken to."""
    strangers = AuthorityInFiles(tmp_path, "strangers")
    ours = server.authority.file
    assert not await server.answers(ca=strangers.file, pair=server.client)
    assert not await server.answers(ca=ours, pair=server.client, name="acquirer.internal.paygate")
    assert not await server.answers(ca=ours, pair=server.client, name=None)


async def test_a_certificate_is_renewed_without_a_restart(server: Server, tmp_path: Path) -> None:
    """New connections get what the files hold now, certificate and authority of clients alike."""
    new = AuthorityInFiles(tmp_path, "new")
    client = new.issue("edge.internal.paygate", file="new-client")
    assert not await server.answers(ca=new.file, pair=client)
    new.issue(NAME)  # into the files that the server has
    server.authority.file.write_bytes(new.file.read_bytes())
    assert await server.answers(ca=new.file, pair=client)
    assert not await server.answers(ca=new.file, pair=server.client)


async def test_half_a_renewal_changes_nothing(server: Server, tmp_path: Path) -> None:
    """Until the key that goes with a new certificate is there, the old pair serves."""
    new = server.authority.issue(NAME, file="new")
    old = server.pair.certificate.read_bytes()
    server.pair.certificate.write_bytes(new.certificate.read_bytes())
    assert await server.answers(ca=server.authority.file, pair=server.client)
    server.pair.key.unlink()
    assert await server.answers(ca=server.authority.file, pair=server.client)
    server.pair.key.write_bytes(new.key.read_bytes())
    assert await server.answers(ca=server.authority.file, pair=server.client)
    assert server.pair.certificate.read_bytes() != old


@pytest.mark.parametrize("prefix", ["PAYGATE_", "ACQUIRER_"])
async def test_the_health_check_of_a_container(server: Server, tmp_path: Path, prefix: str) -> None:
    """It needs no more than the server's own files, and takes no other server for it."""
    environment = server.pair.environment(prefix, client_ca=server.authority.file)
    assert await asyncio.to_thread(serves, server.address, environment)
    other = server.authority.issue(NAME, file="other").environment(prefix, client_ca=None)
    assert not await asyncio.to_thread(serves, server.address, other)
    assert not await asyncio.to_thread(serves, server.address, {})
