"""The shop's webhook handler gets what paygate has signed, byte for byte."""

import pytest
from flask.testing import FlaskClient

from paygate_testing import Sandbox


def test_what_is_signed_is_taken(browser: FlaskClient, order: str, sandbox: Sandbox) -> None:
    """Each time that it comes."""
    webhook = sandbox.inbox.wait_for("payment.authorized")
    for _ in range(2):
        reply = browser.post("/webhooks", data=webhook.body, headers={**webhook.headers})
        assert reply.status_code == 204
    assert browser.get(order).get_json()["status"] == "reserved"


@pytest.mark.parametrize("left_out", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_what_is_not_signed_is_refused(
    browser: FlaskClient, order: str, sandbox: Sandbox, left_out: str
) -> None:
    """Without one of its headers, or with another body."""
    webhook = sandbox.inbox.wait_for("payment.authorized")
    headers = {name: text for name, text in webhook.headers.items() if name != left_out}
    assert browser.post("/webhooks", data=webhook.body, headers=headers).status_code == 400
    other = webhook.body.replace(b"GBP", b"JPY")
    assert browser.post("/webhooks", data=other, headers={**webhook.headers}).status_code == 400


def test_what_is_wrong_is_said(browser: FlaskClient, order: str) -> None:
    """An order that does not exist, and one that is none."""
    assert browser.get("/orders/none").status_code == 404
    assert browser.post("/orders", json={"price": "a lot"}).status_code == 400
