"""Signatures of webhooks after Standard Webhooks 1.0 (github.com/standard-webhooks)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime


def signed_headers(
    body: bytes, *, event_id: str, now: datetime, secrets: Sequence[bytes]
) -> dict[str, str]:
    """Return the headers of one attempt.

    Args:
        body: Exactly what is posted.
        event_id: The same for every attempt: receivers drop repeated events by it.
        now: Real time: receivers refuse what is some minutes away from theirs.
        secrets: Each signs; the newest first.

    Raises:
        ValueError: There are none: what is not signed is not sent.
    """
    if not secrets:
        raise ValueError("there is no secret to sign with")
    timestamp = int(now.timestamp())
    signed = f"{event_id}.{timestamp}.".encode() + body
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: bytes, signed: bytes) -> str:
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
