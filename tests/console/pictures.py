"""`python -m tests.console.pictures`: takes the pictures of the console that the documents show.

It wants a running `make run` and its `demo.env` (PAYGATE_URL, PAYGATE_API_KEY); it removes the demo
merchant's payments first, and makes those that are to be seen.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from paygate_client import Card, Expiry, Money, Paygate
from tests.console.browsing import launched, sign_in
from tools.stack.settings import REPOSITORY

IMAGES: Final = REPOSITORY / "docs" / "images"
INBOX: Final = "https://inbox.paygate.test/"
# Number, minor units, currency.
CUSTOMERS: Final = (
    ("4242424242424242", 4_250, "GBP"),
    ("5555555555554444", 12_990, "EUR"),
    ("378282246310005", 98_000, "JPY"),
    ("4000000000009995", 7_500, "GBP"),
    ("6011111111111117", 249_900, "USD"),
    ("3566002020360505", 12_500, "KWD"),
    ("4000000000000002", 1_999, "GBP"),
    ("4242424242424242", 8_999, "GBP"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture: its name, where the console is, and how wide and of which theme it is."""

    name: str
    fragment: str
    width: int = 1_280
    height: int = 800
    theme: str = "light"
    scale: int = 1


def main() -> None:
    """Take all of them."""
    url, key = os.environ["PAYGATE_URL"], os.environ["PAYGATE_API_KEY"]
    with Paygate(url, key) as client:
        shown = arranged(client)
    with launched() as browser:
        for picture in pictures(*shown):
            taken(browser, picture, url, key)


def arranged(client: Paygate) -> tuple[str, str]:
    """Make what is to be seen; return the ids of the payment and the endpoint that are opened."""
    client.sandbox.reset()
    endpoint = client.endpoints.create(INBOX, description="What the shop would receive").endpoint
    for number, (pan, minor_units, currency) in enumerate(CUSTOMERS * 2):
        outcome = client.authorize(
            Money(minor_units, currency), card=card(pan), reference=f"order-{1001 + number}"
        )
        if outcome.payment.capturable.minor_units and number % 3 == 0:
            client.capture(outcome.payment, outcome.payment.capturable)
    payment = client.authorize(
        Money(1_000, "GBP"), card=card("4000000000001026"), reference="order-1017"
    ).payment
    payment = client.wait_until_final(payment)
    client.capture(payment, Money(400, "GBP"), reference="first parcel")
    client.capture(payment, Money(600, "GBP"), reference="second parcel")
    client.refund(payment, Money(300, "GBP"), reference="returned")
    client.sandbox.drain()
    return payment.id, endpoint.id


def card(pan: str) -> Card:
    """Return a card of that number."""
    cvv = "1234" if pan.startswith("37") else "123"
    return Card(pan, Expiry(12, datetime.now(UTC).year + 4), cvv)


def pictures(payment: str, endpoint: str) -> tuple[Picture, ...]:
    """Return those that are to be taken."""
    return (
        Picture(name="payments", fragment="#/payments"),
        Picture(name="payment", fragment=f"#/payments/{payment}"),
        Picture(name="payment-dark", fragment=f"#/payments/{payment}", theme="dark"),
        Picture(name="test", fragment="#/test"),
        Picture(name="webhooks", fragment=f"#/webhooks/{endpoint}"),
        Picture(
            name="payment-phone", fragment=f"#/payments/{payment}", width=390, height=844, scale=2
        ),
    )


def taken(browser: Browser, picture: Picture, url: str, key: str) -> Path:
    """Take one, when nothing moves any more."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=picture.scale,
        color_scheme="dark" if picture.theme == "dark" else "light",
        reduced_motion="reduce",
    )
    sign_in(context, key)
    page = context.new_page()
    page.goto(f"{url}/console{picture.fragment}")
    page.get_by_text("Connected", exact=True).wait_for(state="attached")
    page.wait_for_timeout(1_000)
    file = IMAGES / f"console-{picture.name}.png"
    page.screenshot(path=file)
    context.close()
    return file


if __name__ == "__main__":
    main()
