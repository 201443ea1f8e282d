"""The bus that is NATS JetStream. Its client is a quarter of a start: imported if there is one."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import Header, StreamConfig
from nats.js.errors import NotFoundError

from pkg.secret import Secret
from services.events.bus import BusUnavailableError

STREAM = "PAYGATE_PAYMENTS"
SUBJECTS = "paygate.payments.>"

_DUPLICATE_WINDOW_SECONDS = 600.0  # above the lease of an event that a relay died with
_KEPT_SECONDS = 30 * 24 * 3600.0


class NatsBus:
    """NATS JetStream: `paygate.payments.<merchant>.<event>`, repeated events dropped by their id.

    The stream is made if no stream has these subjects; one that has them is used as it is. There is
    no reconnecting behind the scenes, since what the driver keeps back meanwhile would come out of
    order later: a lost connection is opened anew by the next event.

    Args:
        url: Of the server, or of several, separated by commas; may hold a password. To `tls://`
            nothing is said in plain text.
        ca_file: The authority of its certificate; None for the system's.
        timeout_seconds: For connecting, and for one acknowledgement.
    """

    def __init__(
        self, url: Secret, *, ca_file: Path | None = None, timeout_seconds: float = 2.0
    ) -> None:
        self._url = url
        self._ca_file = ca_file
        self._timeout_seconds = timeout_seconds
        self._connecting = asyncio.Lock()
        self._tries = 0
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None

    async def publish(
        self,
        *,
        merchant_id: str,
        event_id: str,
        type: str,  # noqa: A002 - the field's name
        payload: bytes,
        traceparent: str = "",
    ) -> None:
        """Publish one event and wait until the stream has it.

        Raises:
            BusUnavailableError: Whether it was taken is not known. Publishing it again is harmless.
        """
        headers: dict[str, str] = {Header.MSG_ID: event_id}
        if traceparent:
            headers["traceparent"] = traceparent
        try:
            stream = await self._connected()
            await stream.publish(
                subject_of(merchant_id, type),
                payload,
                timeout=self._timeout_seconds,
                headers=headers,
            )
        except (Error, OSError, TimeoutError):
            raise BusUnavailableError from None  # the cause may name the URL

    async def answers(self) -> bool:
        """Tell whether there is a connection, or can be one."""
        try:
            await self._connected()
        except (BusUnavailableError, Error, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client, self._stream = self._client, None, None
        if client:
            with suppress(Error, OSError, TimeoutError):
                async with asyncio.timeout(self._timeout_seconds):
                    await client.close()

    async def _connected(self) -> JetStreamContext:
        tries = self._tries
        async with self._connecting:
            if self._stream and self._client and self._client.is_connected:
                return self._stream
            if tries != self._tries:
                # Who was ahead in this queue has just failed: all of it fails, not one by one.
                raise BusUnavailableError
            self._tries += 1
            await self.close()
            # Known before it is connected, so that what is cut short is closed, too.
            self._client = _Client()
            async with asyncio.timeout(self._timeout_seconds):
                await self._client.connect(
                    self._url.reveal().split(","),
                    name="paygate relay",
                    tls=ssl.create_default_context(cafile=self._ca_file) if self._ca_file else None,
                    error_cb=_ignore,
                    allow_reconnect=False,
                    reconnect_time_wait=0,  # it would wait after the last failure, too
                )
                stream = self._client.jetstream(timeout=self._timeout_seconds)
                await _make_stream(stream)
            self._stream = stream
            return stream


class _Client(Client):
    """A client that keeps to TLS.

    The driver speaks TLS where the server's greeting asks for it, and whoever stands between could
    take that out of the greeting: then it would go on in plain text, whatever the address says.
    """

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        server = self._current_server
        must = initial_connection and server is not None and server.uri.scheme == "tls"
        if must and not info.get("tls_required"):
            raise Error("the server does not offer TLS")
        await super()._process_info(info, initial_connection)


def subject_of(merchant_id: str, event_type: str) -> str:
    """Return an event's subject, such as `paygate.payments.mer_a.captured`.

    Whatever would mean something to NATS in a merchant's id is percent-encoded.
    """
    merchant = quote(merchant_id, safe="").replace(".", "%2E")
    return f"paygate.payments.{merchant}.{event_type.removeprefix('payment.')}"


async def _make_stream(stream: JetStreamContext) -> None:
    try:
        await stream.find_stream_name_by_subject(SUBJECTS)
    except NotFoundError:
        await stream.add_stream(
            StreamConfig(
                name=STREAM,
                subjects=[SUBJECTS],
                duplicate_window=_DUPLICATE_WINDOW_SECONDS,
                max_age=_KEPT_SECONDS,
            )
        )


async def _ignore(_problem: Exception) -> None:
    """Whatever goes wrong shows where an event is published; the driver would print it too."""
