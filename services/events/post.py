"""One attempt to post an event: a signed request, and what came of it in a word or a status."""

import socket
from dataclasses import dataclass

import aiohttp

from pkg.mode import Mode
from services.events.target import AddressNotAllowedError, CheckedResolver, check_url

USER_AGENT = "paygate-webhooks/1"

# Below what any usual server keeps a connection for: a POST on one that the server has just closed
# would fail, and cannot be repeated by itself.
_KEEPALIVE_SECONDS = 1.0

ADDRESS_NOT_ALLOWED = "address not allowed"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status that came back; 0 and a word for why when none did."""

    status: int
    error: str = ""


class Poster:
    """Posts to where it is allowed to. To be made inside a running event loop.

    Args:
        mode: Which places are allowed.
        timeout_seconds: For all of an attempt: the name, the connection, the answer's headers.
    """

    def __init__(self, mode: Mode, *, timeout_seconds: float) -> None:
        self._mode = mode
        self._resolver = CheckedResolver(mode)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._resolver,
                use_dns_cache=False,  # what is connected to is what was just checked
                limit=0,  # the deliverer bounds what is under way
                keepalive_timeout=_KEEPALIVE_SECONDS,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            headers={"user-agent": USER_AGENT},
            skip_auto_headers=("accept", "accept-encoding"),
            trust_env=False,  # a proxy would connect to addresses that nobody has checked
        )

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post once; whatever goes wrong is an answer too. Redirects are not followed.

        Nothing of the answer's body is read.
        """
        if check_url(url, self._mode):
            return Answer(0, ADDRESS_NOT_ALLOWED)
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as problem:
            return Answer(0, _word(problem))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._resolver.close()


def _word(problem: Exception) -> str:  # noqa: PLR0911 - a table in the order of what is more exact
    match problem:
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientConnectorDNSError():
            refused = isinstance(problem.os_error, AddressNotAllowedError)
            return ADDRESS_NOT_ALLOWED if refused else "name not found"
        case aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch():
            return "tls"
        case aiohttp.ClientConnectorError():
            refused = isinstance(problem.os_error, ConnectionRefusedError)
            return "connection refused" if refused else "not connected"
        case AddressNotAllowedError():
            return ADDRESS_NOT_ALLOWED
        case socket.gaierror():
            return "name not found"
        case aiohttp.ServerDisconnectedError() | OSError():
            return "connection lost"
        case _:
            return "not http"
