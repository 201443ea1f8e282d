"""The calls of the Python client, with the JSON of their replies as it is.

Commands print what the API says, fields included that this version does not know. The client and
the command are of one tree, so they may share what is private to it.
"""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx2

from paygate_client._call import Call
from paygate_client._sync.transport import Transport
from paygate_client._sync.watch import Watch

Json = dict[str, Any]
CALL_SECONDS_MAX = 8.0
# A watch that breaks is taken up again for so long, before somebody is told.
WATCH_SECONDS_MAX = 2.0


class Gateway:
    """One merchant's way to a gateway. What its calls raise is a `PaygateError`.

    Args:
        url: The gateway's address.
        key: The merchant's API key.

    Raises:
        ValueError: The address is not one of HTTP, or the key is no API key.
    """

    def __init__(self, url: str, key: str) -> None:
        self._transport = Transport(
            url, key, deadline_seconds=CALL_SECONDS_MAX, transport=_http_to(url)
        )

    def send(self, call: Call[Any], key: str | None = None) -> Json:
        """Make a call, under an idempotency key where one counts; return its reply."""
        return self._transport.send(replace(call, read=_as_it_is), key)

    def each(self, name: str, ask: Callable[..., Call[Any]]) -> Iterator[Json]:
        """Yield what is on all pages of a list under a name; `ask` takes a page's `token`."""
        token = ""
        while True:
            page = self.send(ask(token=token))
            yield from page.get(name, ())
            token = page.get("next_page_token", "")
            if not token:
                return

    def watch(self, ask: Callable[[str], Call[Any]], cursor: str) -> Watch:
        """Return the messages of a watch as they come, signs of life too, from a cursor on."""
        return Watch(
            self._transport,
            lambda at: replace(ask(at), read=lambda said: (said, said["cursor"])),
            cursor=cursor,
            deadline_seconds=WATCH_SECONDS_MAX,
        )

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()


def _http_to(url: str) -> httpx2.HTTPTransport | None:
    """Return what carries calls in plain HTTP; None for the client's own.

    That one loads the system's certificates, which takes 50 ms. This one has none to trust.
    """
    if url.startswith("https:"):
        return None
    return httpx2.HTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def _as_it_is(said: Json) -> Json:
    return said
