"""Signatures, with the public library of Standard Webhooks as the judge."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.events.sealing import new_secret, shown
from services.events.signing import Signer

BODY = '{"type":"payment.captured","reference":"Grüße"}'.encode()


def headers(*secrets: bytes, at: datetime | None = None, event_id: str = "evt_1") -> dict[str, str]:
    """Return the headers of an attempt."""
    now = at or datetime.now(UTC)
    return Signer(secrets).headers(BODY, event_id=event_id, now=now)


def test_the_public_library_accepts_a_signature() -> None:
    """A receiver needs nothing but the library and the secret as it was shown."""
    secret = new_secret()

    Webhook(shown(secret)).verify(BODY, headers(secret))


def test_during_a_rotation_both_secrets_verify() -> None:
    """The newest secret signs first, the old one as well."""
    new, old = new_secret(), new_secret()

    both = headers(new, old)

    assert len(both["webhook-signature"].split(" ")) == 2
    assert both["webhook-signature"].startswith(headers(new)["webhook-signature"])
    for secret in (new, old):
        Webhook(shown(secret)).verify(BODY, both)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) - 60)},
        {"webhook-signature": "v1,AAAA"},
    ],
)
def test_whatever_is_changed_breaks_the_signature(changed: dict[str, str]) -> None:
    """Id, time and signature belong together."""
    secret = new_secret()

    with pytest.raises(WebhookVerificationError):
        Webhook(shown(secret)).verify(BODY, headers(secret) | changed)


def test_another_body_breaks_the_signature() -> None:
    """What is signed is the body, byte for byte."""
    secret = new_secret()

    with pytest.raises(WebhookVerificationError):
        Webhook(shown(secret)).verify(BODY + b" ", headers(secret))


def test_an_old_signature_is_refused_by_the_receiver() -> None:
    """The timestamp is real time: it protects receivers from replays."""
    secret = new_secret()

    old = headers(secret, at=datetime.now(UTC) - timedelta(minutes=6))

    with pytest.raises(WebhookVerificationError):
        Webhook(shown(secret)).verify(BODY, old)


def test_nothing_is_sent_unsigned() -> None:
    """Without a secret there are no headers."""
    with pytest.raises(ValueError, match="no secret"):
        headers()
