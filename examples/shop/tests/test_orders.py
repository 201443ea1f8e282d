"""What can become of an order: each test has a bank and a clock of its own."""

from collections.abc import Callable

from flask.testing import FlaskClient

from paygate_testing import Sandbox
from shop.orders import Shop


def status(browser: FlaskClient, order: str) -> str:
    """Return what a customer sees."""
    return str(browser.get(order).get_json()["status"])


def test_an_order_is_paid_when_it_is_shipped_and_can_be_refunded(
    browser: FlaskClient, order: str, shop: Shop
) -> None:
    """The parcel goes to the post once; it is paid once, and given back once."""
    assert browser.post(f"{order}/ship").get_json()["status"] == "shipped"
    assert browser.post(f"{order}/ship").status_code == 409
    assert len(shop.parcels) == 1
    assert browser.post(f"{order}/refund").get_json()["status"] == "refunded"
    assert browser.post(f"{order}/refund").status_code == 409


def test_a_declined_capture_sends_no_parcel(
    browser: FlaskClient, order: str, shop: Shop, sandbox: Sandbox
) -> None:
    """The order can be shipped later, when the bank says yes."""
    sandbox.bank.decline_next("capture")
    declined = browser.post(f"{order}/ship").get_json()
    assert (declined["status"], shop.parcels) == ("reserved", [])
    assert declined["problem"]
    assert browser.post(f"{order}/ship").get_json()["status"] == "shipped"
    assert len(shop.parcels) == 1


def test_a_lost_refund_is_given_back_once(
    browser: FlaskClient, order: str, sandbox: Sandbox, post_webhooks: Callable[[], None]
) -> None:
    """It gets lost on the way to the bank; paygate sends it again, and a webhook tells."""
    payment_id = browser.post(f"{order}/ship").get_json()["payment_id"]
    sandbox.bank.lose_next_request("refund")
    assert browser.post(f"{order}/refund").get_json()["status"] == "refunding"
    event = sandbox.wait_for_event("payment.refunded", payment_id=payment_id)
    assert event.payment
    assert str(event.payment.refunded) == "25.00 GBP"
    post_webhooks()
    assert status(browser, order) == "refunded"


def test_an_order_that_waits_too_long_expires(
    browser: FlaskClient, order: str, sandbox: Sandbox, post_webhooks: Callable[[], None]
) -> None:
    """After a week the money is the customer's again: nothing is shipped."""
    sandbox.advance(days=8)
    assert browser.post(f"{order}/ship").get_json() == {"problem": "PAYMENT_EXPIRED"}
    post_webhooks()
    assert status(browser, order) == "expired"


def test_an_outage_of_the_bank_delays_a_parcel(
    browser: FlaskClient,
    order: str,
    shop: Shop,
    sandbox: Sandbox,
    post_webhooks: Callable[[], None],
) -> None:
    """While nobody knows whether it is paid it stays here; then it goes to the post, once."""
    with sandbox.bank.outage():
        assert browser.post(f"{order}/ship").get_json()["status"] == "shipping"
        assert shop.parcels == []
    post_webhooks()
    post_webhooks()
    assert (status(browser, order), len(shop.parcels)) == ("shipped", 1)
