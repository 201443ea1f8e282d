"""The links to the console and the API reference that bring the demo key, each once."""

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
        self._wanted.append(f"Bearer {code}".encode())
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
        left = [wanted for wanted in self._wanted if not hmac.compare_digest(code, wanted)]
        if len(left) < len(self._wanted):
            self._wanted = left
            status, told = "200 OK", {"api_key": self._api_key}
        body = json.dumps(told).encode()
        of_body = ("content-type: application/json", f"content-length: {len(body)}")
        lines = (f"HTTP/1.1 {status}", *of_body, "connection: close", "", "")
        return "\r\n".join(lines).encode() + body
