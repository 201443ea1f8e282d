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
    content = f"{event_id}.{sent}.".encode() + body
    if not any(_is_signed(content, key, one) for key in keys for one in signatures):
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


def _is_signed(content: bytes, key: bytes, signature: str) -> bool:
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return hmac.compare_digest(f"v1,{expected}".encode(), signature.encode())


def _event(body: bytes) -> Event:
    try:
        return _decode.event(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise VerificationError("what was signed is no event") from None
