"""The Python client's check of webhooks, with the public library as the judge."""

import base64
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from paygate_client import Event, EventType, webhooks
from paygate_client.webhooks import VerificationError
from services.events.sealing import new_secret, shown
from services.events.signing import Signer
from tests.client.gateway import ACTION, PAYMENT, TIME

SECRET, OLD_SECRET = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
EVENT = {
    "id": "evt_1",
    "type": "payment.captured",
    "data": {"payment": {**PAYMENT, "reference": "Grüße"}, "action": ACTION},
    "sequence": "3",
    "create_time": TIME,
}
BODY = json.dumps(EVENT, ensure_ascii=False).encode()


def headers(*secrets: str, body: bytes = BODY, at: float | None = None) -> dict[str, str]:
    """Return the headers of a post that the public library signs, with each of some secrets."""
    when = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    signed = [Webhook(secret).sign("evt_1", when, body.decode()) for secret in secrets]
    return {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": str(int(when.timestamp())),
        "Webhook-Signature": " ".join(signed),
    }


def test_what_the_public_library_signs_is_an_event() -> None:
    """Whatever the case of the headers; what is said is read."""
    event = webhooks.verify(BODY, headers(SECRET), SECRET)
    assert isinstance(event, Event)
    assert (event.id, event.type, event.sequence) == ("evt_1", EventType.CAPTURED, 3)
    assert event.payment
    assert event.payment.reference == "Grüße"


def test_what_the_gateway_signs_is_an_event() -> None:
    """The events service's own signer, with the secret as it is shown to merchants."""
    secret = new_secret()
    signed = Signer((secret,)).headers(BODY, event_id="evt_1", now=datetime.now(UTC))
    assert webhooks.verify(BODY, signed, shown(secret)).id == "evt_1"


@pytest.mark.parametrize("signers", [(SECRET,), (OLD_SECRET,), (SECRET, OLD_SECRET)])
def test_during_a_rotation_either_secret_will_do(signers: tuple[str, ...]) -> None:
    """The receiver gives both; which of them has signed makes no difference."""
    for secrets in ([SECRET, OLD_SECRET], (OLD_SECRET, SECRET)):
        assert webhooks.verify(BODY, headers(*signers), secrets).id == "evt_1"


@pytest.mark.parametrize(
    "changed",
    [
        {"Webhook-Id": "evt_2"},
        {"Webhook-Timestamp": str(int(time.time()) - 9)},
        {"Webhook-Signature": "v1,AAAA"},
        {"Webhook-Signature": "v1,Grüße"},
        # What some servers make of bytes that are no text.
        {"Webhook-Signature": "v1,\udcff"},
        {"Webhook-Id": "\udcff"},
        {"Webhook-Signature": ""},
        {"Webhook-Timestamp": "now"},
        {"Webhook-Timestamp": "١"},
        {"Webhook-Timestamp": "-1"},
        {"Webhook-Timestamp": "9" * 40},
    ],
)
def test_whatever_is_changed_is_refused(changed: dict[str, str]) -> None:
    """Id, time and signature belong together, and oddities are refused without another error."""
    with pytest.raises(VerificationError):
        webhooks.verify(BODY, headers(SECRET) | changed, SECRET)


def test_many_signatures_are_one_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may send a header full of signatures: the body is hashed once with each secret."""
    hashed, digest = list[bytes](), hmac.digest

    def counted(key: bytes, content: bytes, name: Any) -> bytes:
        hashed.append(key)
        return digest(key, content, name)

    monkeypatch.setattr(hmac, "digest", counted)
    many = " ".join(["v1,AAAA"] * 1000)
    sent = headers(SECRET) | {"Webhook-Signature": many}
    with pytest.raises(VerificationError):
        webhooks.verify(BODY, sent, [SECRET, OLD_SECRET])
    assert len(hashed) == 2


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_a_header_that_is_missing_is_refused(name: str) -> None:
    """Each of the three is needed."""
    sent = headers(SECRET)
    del sent[name]
    with pytest.raises(VerificationError, match="missing"):
        webhooks.verify(BODY, sent, SECRET)


def test_another_body_or_secret_is_refused() -> None:
    """What is signed is the body, byte for byte."""
    for body, secret in ((BODY + b" ", SECRET), (BODY, OLD_SECRET)):
        with pytest.raises(VerificationError, match="no secret"):
            webhooks.verify(body, headers(SECRET), secret)


@pytest.mark.parametrize("off", [-301, 301])
def test_what_is_too_old_or_too_new_is_refused(off: int) -> None:
    """Somebody who has kept a post cannot send it again for ever."""
    now = 1_800_000_000.0
    sent = headers(SECRET, at=now + off)
    with pytest.raises(VerificationError, match="time"):
        webhooks.verify(BODY, sent, SECRET, now=now)
    event = webhooks.verify(BODY, sent, SECRET, now=now, tolerance_seconds=302)
    assert event.id == "evt_1"


@pytest.mark.parametrize("body", [b"{}", b"[]", b"\xff", b'{"id": 1}'])
def test_what_is_signed_and_no_event_is_refused(body: bytes) -> None:
    """A secret that is shared with something else makes no event of it."""
    sent = Signer((base64.b64decode(SECRET[6:]),))
    signed = sent.headers(body, event_id="evt_1", now=datetime.now(UTC))
    with pytest.raises(VerificationError, match="no event"):
        webhooks.verify(body, signed, SECRET)


@pytest.mark.parametrize("secrets", [[], "", "whsec_", "abcd", "whsec_???", [SECRET, "sk_1"]])
def test_secrets_that_are_none_are_the_receivers_mistake(secrets: str | list[str]) -> None:
    """An empty secret would verify what anybody signs: it is an error of another class."""
    with pytest.raises(ValueError, match="secret"):
        webhooks.verify(BODY, headers(SECRET), secrets)
