"""Receiving webhooks: is this post the gateway's, and what does it say?"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping

from paygate_client import _decode
from paygate_client.webhook_models import Event

TOLERANCE_SECONDS = 300.0


class VerificationError(Exception):
    """The post is not the gateway's, or too old: answer 400, and do nothing."""


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: str | Iterable[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Event:
    """Return the event that a post carries, if one of the secrets has signed it.

    Follows Standard Webhooks 1.0. While a secret rotates, give the old one and the new one. An
    event may come again: drop it by its `id`.

    Args:
        body: As it came, byte for byte.
        headers: Of the request; case does not matter.
        secrets: `whsec_…`, one or several.
        tolerance_seconds: How far the post's time may be from this machine's.
        now: The time, in seconds since 1970; by default this machine's.

    Raises:
        VerificationError: A header is missing, the time is too far away, no secret has signed it,
            or what was signed is no event.
        ValueError: There is no secret, or one is not `whsec_` and base64.
    """
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    if not keys:
        raise ValueError("there is no secret to verify with")
    given = {name.lower(): text for name, text in headers.items()}
    try:
        event_id, sent = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].split(" ")
    except KeyError:
        raise VerificationError("a header is missing") from None
    _check_time(sent, time.time() if now is None else now, tolerance_seconds)
    content = _bytes(f"{event_id}.{sent}.") + body
    # Each secret signs once, however many signatures somebody sends.
    expected = [_signature(content, key) for key in keys]
    if not any(hmac.compare_digest(_bytes(one), ours) for one in signatures for ours in expected):
        raise VerificationError("no secret has signed it")
    return _event(body)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not key or not secret.startswith("whsec_"):
        raise ValueError("a secret is whsec_ and base64")
    return key


def _check_time(sent: str, now: float, tolerance: float) -> None:
    if not sent.isascii() or not sent.isdecimal() or len(sent) > 12:
        raise VerificationError("its time is no time")
    if abs(now - int(sent)) > tolerance:
        raise VerificationError("its time is too far away")


def _signature(content: bytes, key: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256))


def _bytes(header: str) -> bytes:
    """Return some bytes also of what is no text: servers make lone surrogates of odd bytes."""
    return header.encode(errors="surrogatepass")


def _event(body: bytes) -> Event:
    try:
        return _decode.event(json.loads(body))
    except _decode.UNREADABLE:
        raise VerificationError("what was signed is no event") from None
