"""Wraps data keys with the transit engine of HashiCorp Vault or OpenBao, whose key never leaves it.

The transit key is a derived one: the merchant's id is its context, so that each merchant's data
keys are wrapped by a key of their own. Follows the HTTP API of the transit engine, version 1.
"""

import asyncio
import base64
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import structlog

from pkg.errors import DependencyUnavailableError
from pkg.observe.tracing import UNTRACED, Kind, Span, Tracer
from pkg.secret import Secret
from services.payments.adapters.vault.keys import KeyVersion

logger = structlog.get_logger()

KIND = "vault"
POLL_SECONDS = 0.4
# A vault that cannot be reached may be sealed by now: what it has unwrapped is not kept for longer.
UNREACHABLE_SECONDS_MAX = 30.0
RENEW_SECONDS = 600.0


class TransitWrapper:
    """A client of one transit key.

    Args:
        address: Of the vault, such as `https://vault.internal:8200`.
        token: May use the key; its policy decides for what. Renewed as long as that is allowed.
        key: The transit key's name, under the mount `transit`.
        timeout_seconds: For a call, connecting included.
        tls: What the vault's certificate is checked by; None for the system's authorities.
        tracer: Records what it is asked; None for nobody.
    """

    def __init__(
        self,
        address: str,
        token: Secret,
        *,
        key: str,
        timeout_seconds: float,
        tls: ssl.SSLContext | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer or UNTRACED
        self._key = key
        self._session = aiohttp.ClientSession(
            base_url=address,
            headers={"X-Vault-Token": token.reveal(), "X-Vault-Request": "true"},
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            connector=aiohttp.TCPConnector(ssl=tls or True),
        )
        self._sealed = False

    @property
    def is_sealed(self) -> bool:
        """Whether the vault was sealed, or gone for too long, when it was last asked."""
        return self._sealed

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def watch(self, lost: Callable[[], None]) -> None:
        """Ask again and again whether the vault is sealed; call `lost` once when it is."""
        loop = asyncio.get_running_loop()
        reached = renewed = loop.time()
        while True:
            sealed, now = await self._is_sealed(), loop.time()
            if sealed is None:  # what it was, unless that was too long ago
                sealed = self._sealed or now - reached > UNREACHABLE_SECONDS_MAX
            else:
                reached = now
            if sealed and not self._sealed:
                logger.warning("the vault is sealed or gone")
                lost()
            elif self._sealed and not sealed:
                logger.info("the vault is back")
            self._sealed = sealed
            if not sealed and now - renewed > RENEW_SECONDS:
                renewed = now
                await self._renew()
            await asyncio.sleep(POLL_SECONDS)

    async def has_root_token(self) -> bool:
        """Tell whether the token may do everything; not if the vault does not tell just now."""
        try:
            async with self._session.get("/v1/auth/token/lookup-self") as reply:
                return "root" in (await reply.json())["data"]["policies"]
        except (aiohttp.ClientError, TimeoutError, OSError, KeyError, TypeError, ValueError):
            return False

    async def make(self, merchant_id: str) -> tuple[bytes, str]:
        """Return a fresh key of 256 bits, and the same wrapped for that merchant."""
        path = f"datakey/plaintext/{self._key}"
        data = await self._transit("POST", path, {"context": _context(merchant_id), "bits": 256})
        return base64.b64decode(data["plaintext"]), data["ciphertext"]

    async def unwrap(self, merchant_id: str, wrapped: str) -> bytes:
        """Return the key."""
        body = {"ciphertext": wrapped, "context": _context(merchant_id)}
        data = await self._transit("POST", f"decrypt/{self._key}", body)
        return base64.b64decode(data["plaintext"])

    async def rewrap(self, keys: list[tuple[str, str]]) -> list[str]:
        """Return keys, given as (merchant id, wrapped), wrapped by the newest version."""
        batch = [
            {"ciphertext": wrapped, "context": _context(merchant_id)}
            for merchant_id, wrapped in keys
        ]
        data = await self._transit("POST", f"rewrap/{self._key}", {"batch_input": batch})
        results = data["batch_results"]
        if any(result.get("error") for result in results):
            logger.error("the vault refuses to wrap data keys anew")
            raise DependencyUnavailableError
        return [result["ciphertext"] for result in results]

    async def rotate(self) -> KeyVersion:
        """Make a new version, which wraps from now on."""
        await self._transit("POST", f"keys/{self._key}/rotate", {})
        return await self.newest()

    async def newest(self) -> KeyVersion:
        """Return the newest version."""
        data = await self._transit("GET", f"keys/{self._key}", None)
        number = int(data["latest_version"])
        made = data["keys"][str(number)]  # seconds since 1970 for a symmetric key
        made_time = datetime.fromtimestamp(int(made), UTC)
        return KeyVersion(number, f"{KIND}:v{number}:", made_time)

    async def refuse_older(self, version: int) -> None:
        """Refuse to unwrap what versions before this one have wrapped."""
        await self._transit("POST", f"keys/{self._key}/config", {"min_decryption_version": version})

    async def _transit(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        if self._sealed:
            raise DependencyUnavailableError
        name, asked = f"vault {path.partition('/')[0]}", {"http.request.method": method}
        with self._tracer.span(name, kind=Kind.CLIENT, attributes=asked) as span:
            return await self._replied(span, method, path, body)

    async def _replied(
        self, span: Span, method: str, path: str, body: dict[str, Any] | None
    ) -> Any:
        try:
            async with self._session.request(method, f"/v1/transit/{path}", json=body) as reply:
                span.tell("http.response.status_code", reply.status)
                if reply.status in {200, 204}:
                    return (await reply.json())["data"] if reply.status == 200 else {}
                # Never its body: nothing that was sent must end in a log.
                logger.error("the vault refuses", path=path, status=reply.status)
        except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError) as problem:
            logger.warning("the vault does not answer", path=path, problem=type(problem).__name__)
        raise DependencyUnavailableError

    async def _is_sealed(self) -> bool | None:
        """Return None where it cannot be reached."""
        try:
            async with self._session.get("/v1/sys/seal-status") as reply:
                return bool((await reply.json())["sealed"])
        except (aiohttp.ClientError, TimeoutError, OSError, KeyError, TypeError, ValueError):
            return None

    async def _renew(self) -> None:
        try:
            async with self._session.post("/v1/auth/token/renew-self", json={}) as reply:
                if reply.status != 200:
                    logger.warning("the vault's token is not renewed", status=reply.status)
        except (aiohttp.ClientError, TimeoutError, OSError):
            logger.warning("the vault's token is not renewed")


def _context(merchant_id: str) -> str:
    return base64.b64encode(merchant_id.encode()).decode()
