"""The bus of docker-compose.yml: its configuration and its secrets, in a real server."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pkg.secret import Secret
from services.events.bus import BusUnavailableError
from services.events.nats_bus import NatsBus
from tests.integration.events.nats_server import NatsServer
from tools.stack.settings import REPOSITORY

COMPOSE = REPOSITORY / "deploy" / "compose"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The folder of the secrets, where containers have it."""
    folder = tmp_path / "run" / "secrets"
    subprocess.run([COMPOSE / "make-secrets", folder], check=True, timeout=30)
    return folder


@pytest.fixture
async def server(tmp_path: Path, secrets: Path) -> AsyncIterator[NatsServer]:
    """A server that finds the files as in its container, on a port of its own."""
    (tmp_path / "etc").mkdir()
    config = shutil.copy(COMPOSE / "nats.conf", tmp_path / "etc")
    url = urlsplit((secrets / "paygate_nats_url").read_text())
    assert (url.scheme, url.username, url.hostname, url.port) == ("nats", "paygate", "nats", 4222)
    server = NatsServer(tmp_path / "data", config=Path(config), password=url.password or "")
    await server.start()
    yield server
    await server.kill()


@pytest.mark.parametrize("login", ["", "paygate:guessed@", "guessed@"])
async def test_who_does_not_say_the_password_is_refused(server: NatsServer, login: str) -> None:
    """Nothing is published, and the reason that is given names no address."""
    bus = NatsBus(Secret(f"nats://{login}127.0.0.1:{server.port}"), timeout_seconds=1)
    with pytest.raises(BusUnavailableError):
        await bus.publish(
            merchant_id="mer_a", event_id="evt_1", type="payment.captured", payload=b"1"
        )
    assert not await bus.answers()
    await bus.close()


async def test_the_relays_secret_is_the_one_that_is_asked_for(server: NatsServer) -> None:
    """With the address that `make-secrets` made events are published."""
    bus = NatsBus(Secret(server.url), timeout_seconds=1)
    await bus.publish(merchant_id="mer_a", event_id="evt_1", type="payment.captured", payload=b"1")
    assert [message[1:] for message in await server.messages()] == [("evt_1", b"1")]
    await bus.close()
