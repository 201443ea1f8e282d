"""Links to the console and the API reference that bring the demo key, each once.

Two are made at the start. `paygate open` asks for more, at the socket itself, where Envoy asks too.
"""

import asyncio
import hmac
import json
import secrets
from pathlib import Path

from tools.stack.program import User
from tools.stack.users import give

SOCKET = "link.sock"
PAGES = ("console", "docs")
READ_SECONDS_MAX = 5.0
# What asks for one more code, and shows the demo key itself. Envoy sends no such request.
FRESH = b"POST /fresh HTTP/1.1"
# Codes that nobody has used yet; older ones are worth nothing any more.
CODES_MAX = 16
# As every error of this address.
USED = {
    "code": 5,
    "message": "This link has been used.",
    "details": [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "LINK_USED",
            "domain": "paygate",
            "metadata": {},
        }
    ],
}


class Link:
    """Gives the demo key to the first page that shows the code of each link.

    A code is in the fragment of the address, which browsers send to nobody, but keep in their
    history. Once it was used it is worth nothing, there or on the screen.

    Args:
        url: Of the gateway.
        api_key: The demo merchant's.

    Attributes:
        console: The address that opens the console.
        docs: The address that opens the API reference.
    """

    def __init__(self, url: str, api_key: str) -> None:
        self._api_key = api_key
        self._wanted: list[bytes] = []
        self.console, self.docs = (f"{url}/{page}#code={self._code()}" for page in PAGES)

    def _code(self) -> str:
        """Return one more code that the key is given for."""
        code = secrets.token_urlsafe(16)
        self._wanted = [*self._wanted, f"Bearer {code}".encode()][-CODES_MAX:]
        return code

    async def serve(self, socket: Path, edge: User | None) -> asyncio.Server:
        """Answer on a socket, a file in a folder that only Envoy's user may enter; return it."""
        server = await asyncio.start_unix_server(self._answer, socket)
        give(socket, edge)
        return server

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), READ_SECONDS_MAX)
            writer.write(self._reply(head))
            await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # who asked is gone, or is not Envoy
        finally:
            writer.close()

    def _reply(self, head: bytes) -> bytes:
        """Return what is answered to a request that begins with these lines."""
        status = "404 Not Found"
        told: dict[str, object] = USED
        shown = [line[15:] for line in head.split(b"\r\n") if line[:15] == b"authorization: "]
        code = shown[0] if len(shown) == 1 else b""
        if head.startswith(FRESH):
            if hmac.compare_digest(code, f"Bearer {self._api_key}".encode()):
                return _as_json("200 OK", {"code": self._code()})
            return _as_json(status, told)
        left = [wanted for wanted in self._wanted if not hmac.compare_digest(code, wanted)]
        if len(left) < len(self._wanted):
            self._wanted = left
            status, told = "200 OK", {"api_key": self._api_key}
        return _as_json(status, told)


async def fresh_link(socket: Path, url: str, api_key: str, page: str) -> str:
    """Ask a running stack for one more link.

    Args:
        socket: Its own.
        url: Of its gateway.
        api_key: The demo merchant's.
        page: One of `PAGES`.

    Raises:
        OSError: Nobody answers there, or not with a code.
    """
    async with asyncio.timeout(READ_SECONDS_MAX):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(FRESH + f"\r\nauthorization: Bearer {api_key}\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError("it gives no link")
    return f"{url}/{page}#code={json.loads(body)['code']}"


def _as_json(status: str, told: dict[str, object]) -> bytes:
    """Return a whole reply."""
    body = json.dumps(told).encode()
    of_body = ("content-type: application/json", f"content-length: {len(body)}")
    lines = (f"HTTP/1.1 {status}", *of_body, "connection: close", "", "")
    return "\r\n".join(lines).encode() + body
