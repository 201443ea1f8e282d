"""The shop, in a sandbox of each test's own."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from paygate_testing import Sandbox, cards
from shop.app import create_app
from shop.orders import Shop


@pytest.fixture
def shop(sandbox: Sandbox) -> Shop:
    """The shop behind the pages."""
    return Shop(sandbox.client)


@pytest.fixture
def browser(shop: Shop, sandbox: Sandbox) -> FlaskClient:
    """Whoever asks the shop for something."""
    return create_app(shop, sandbox.inbox.secret).test_client()


@pytest.fixture
def order(browser: FlaskClient) -> str:
    """The path of an order of £25.00, which a card that is good has reserved."""
    card = cards.VISA
    month, year = card.expiry.month, card.expiry.year
    sent = {"number": card.number, "month": month, "year": year, "cvv": card.cvv}
    reply = browser.post("/orders", json={"price": "25.00 GBP", "card": sent})
    assert (reply.status_code, reply.get_json()["status"]) == (201, "reserved")
    return f"/orders/{reply.get_json()['id']}"


@pytest.fixture
def post_webhooks(browser: FlaskClient, sandbox: Sandbox) -> Callable[[], None]:
    """Posts the webhooks that have come so far to the shop, byte for byte: again and again, too."""

    def post() -> None:
        sandbox.drain()
        for webhook in sandbox.inbox.webhooks():
            reply = browser.post("/webhooks", data=webhook.body, headers={**webhook.headers})
            assert reply.status_code == 204

    return post
