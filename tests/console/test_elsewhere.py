"""What happens elsewhere: in another tab, by the API, or while a call of this tab is under way."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import NewPage
from tests.console.merchants import Merchant

pytestmark = pytest.mark.browser

WIDE = {"width": 1440, "height": 900}
SLOW = "4000000000001075"


def reset(merchant: Merchant) -> None:
    """Remove all that a merchant has, as another tab would, and put the clock back."""
    removed = merchant.call("POST", "/sandbox/reset", {})
    assert "payments" in removed


def show(page: Page, place: str) -> None:
    """Go to a place, as a link in the page does."""
    page.evaluate("(place) => { location.hash = place; }", place)


def test_what_a_reset_removes_goes(new_console: NewPage, merchant: Merchant) -> None:
    """From the list, from the payment that is open, and from the results of test payments."""
    page = new_console("#/test", key=merchant.key, viewport=WIDE)
    page.get_by_role("button", name="Authorize with 4242 4242 4242 4242", exact=True).click()
    result = page.get_by_role("region", name="Result", exact=True)
    expect(result).to_contain_text("Authorized")
    removed = result.get_by_role("link", name=re.compile("^pay_")).inner_text()
    show(page, f"#/payments/{removed}")
    expect(page.locator(".detail-head")).to_contain_text(removed)
    reset(merchant)
    left = merchant.authorize(reference="after")
    rows = page.get_by_role("table", name="Payments").locator("tbody tr")
    expect(rows).to_have_text([re.compile("after")])
    expect(page.get_by_role("alert")).to_contain_text("PAYMENT_NOT_FOUND")
    show(page, "#/test")
    expect(page.get_by_role("heading", name="Result", exact=True)).to_be_visible()
    expect(result).not_to_contain_text("Authorized")
    show(page, f"#/payments/{left}")
    reset(merchant)
    expect(page.get_by_text("No payments yet")).to_be_visible()


def test_a_result_says_what_its_payment_is_now(new_console: NewPage, merchant: Merchant) -> None:
    """Though it changed while another view was shown."""
    page = new_console("#/test", key=merchant.key, viewport=WIDE)
    page.get_by_role("button", name="Authorize with 4242 4242 4242 4242", exact=True).click()
    result = page.get_by_role("region", name="Result", exact=True)
    expect(result).to_contain_text("Authorized")
    payment_id = result.get_by_role("link", name=re.compile("^pay_")).inner_text()
    show(page, "#/health")
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    merchant.act("void", payment_id)
    show(page, "#/test")
    expect(result.locator(".status").first).to_have_text("Voided")


def test_a_call_that_is_under_way_is_told(new_console: NewPage, merchant: Merchant) -> None:
    """On the button; and on the payment, when the dialog is closed meanwhile."""
    payment_id = merchant.authorize(pan=SLOW)
    page = new_console(f"#/payments/{payment_id}", key=merchant.key, viewport=WIDE)
    page.get_by_role("button", name="Capture").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Capture 10.00 GBP").click()
    busy = dialog.get_by_role("button", name="Capturing…")
    expect(busy).to_have_attribute("aria-busy", "true")
    expect(busy).to_have_css("user-select", "none")
    dialog.get_by_role("button", name="Cancel").click()
    story = page.get_by_role("region", name="Timeline")
    expect(story).to_contain_text("Pending")
    expect(page.locator(".detail-head .status")).to_have_text("Captured")


def test_real_time_is_called_so_while_the_clock_is_ahead(
    new_console: NewPage, merchant: Merchant
) -> None:
    """Requests have it; what they made has the sandbox's."""
    merchant.call("POST", "/sandbox/clock/advance", {"by": "259200s"})
    try:
        merchant.authorize()
        page = new_console("#/requests", key=merchant.key, viewport=WIDE)
        head = page.get_by_role("columnheader", name="Real time")
        expect(head).to_be_visible()
        page.get_by_role("link", name="Authorize", exact=True).click()
        expect(page.locator(".facts")).to_contain_text("Real time")
        expect(page.locator(".facts")).to_contain_text("By the sandbox's clock")
    finally:
        reset(merchant)
