"""Signatures of webhooks after Standard Webhooks 1.0 (github.com/standard-webhooks)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime


class Signer:
    """Signs what goes to one endpoint.

    Args:
        secrets: Each signs; the newest first.

    Raises:
        ValueError: There are none: what is not signed is not sent.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets:
            raise ValueError("there is no secret to sign with")
        # Begun once and copied for each: half of what a new one takes.
        self._begun = [hmac.new(secret, digestmod=hashlib.sha256) for secret in secrets]

    def headers(self, body: bytes, *, event_id: str, now: datetime) -> dict[str, str]:
        """Return the headers of one attempt.

        Args:
            body: Exactly what is posted.
            event_id: The same for every attempt: receivers drop repeated events by it.
            now: Real time: receivers refuse what is some minutes away from theirs.
        """
        timestamp = int(now.timestamp())
        signed = f"{event_id}.{timestamp}.".encode() + body
        return {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(_signature(begun, signed) for begun in self._begun),
        }


def _signature(begun: hmac.HMAC, signed: bytes) -> str:
    signature = begun.copy()
    signature.update(signed)
    return f"v1,{base64.b64encode(signature.digest()).decode()}"
