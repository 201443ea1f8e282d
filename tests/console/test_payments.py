"""The list of payments: filters, search, opening, for everybody."""

import re
import time

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from paygate.admin.v1 import admin_service_pb2 as admin
from tests.console.browsing import WAIT_MILLISECONDS, accessible, fits
from tests.console.conftest import NewPage
from tests.console.merchants import DECLINED, Merchant
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack

pytestmark = pytest.mark.browser

WIDE = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=360, height=740)


@pytest.fixture
def payments(new_console: NewPage, merchant: Merchant) -> Page:
    """The list, of somebody who has no payment."""
    return new_console("#/payments", key=merchant.key, viewport=WIDE)


def rows_of(page: Page) -> Locator:
    """Return the rows of the list."""
    return page.get_by_role("table", name="Payments").locator("tbody tr")


def search(page: Page, text: str) -> None:
    """Look for it, from the keyboard."""
    page.locator("main").focus()
    page.keyboard.press("/")
    page.get_by_role("searchbox").fill(text)
    page.keyboard.press("Enter")


def is_open(page: Page, payment_id: str) -> None:
    """Wait until that payment is shown."""
    expect(page.locator(".detail-head")).to_contain_text(payment_id)
    assert f"#/payments/{payment_id}" in page.url


def until_listed(page: Page, merchant: Merchant, event_id: str) -> None:
    """Wait until an event is among all: while somebody's older write is under way, it is not."""
    deadline = time.monotonic() + WAIT_MILLISECONDS / 1_000
    while event_id not in {one["id"] for one in merchant.call("GET", "/events")["events"]}:
        assert time.monotonic() < deadline, event_id
        page.wait_for_timeout(50)


def test_filters_stand_in_the_address(payments: Page, merchant: Merchant) -> None:
    """An empty list says what to do next; what is filtered stays so with a reload."""
    expect(payments.get_by_text("No payments yet")).to_be_visible()
    payments.get_by_role("button", name="Make a test payment").click()
    assert payments.url.endswith("#/test")
    payments.go_back()
    merchant.authorize(reference="one")
    merchant.authorize(reference="two", pan=DECLINED)
    expect(rows_of(payments)).to_have_count(2)
    expect(rows_of(payments).first).to_contain_text(
        re.compile(r"10\.00.*GBP.*Declined.*Visa •••• 0002.*two.*pay_.*\d\d:\d\d:\d\d", re.DOTALL)
    )
    payments.get_by_label("Status").select_option("Declined")
    expect(rows_of(payments)).to_have_count(1)
    payments.get_by_label("Time").select_option("Last hour")
    assert payments.url.endswith("#/payments?status=STATUS_DECLINED&since=1h")
    payments.reload()
    expect(rows_of(payments)).to_have_count(1)
    payments.get_by_label("Status").select_option("Captured")
    payments.get_by_role("button", name="Clear the filters").click()
    expect(rows_of(payments)).to_have_count(2)


def test_a_search_finds_whatever_is_known(payments: Page, merchant: Merchant) -> None:
    """Ids of a payment, an event and an action, last four digits, a reference; else it says why."""
    first, second = merchant.authorize(reference="order-7"), merchant.authorize(pan=DECLINED)
    (event,) = merchant.call("GET", f"/events?payment_id={first}")["events"]
    until_listed(payments, merchant, event["id"])  # an action is looked for among all events
    found = {first: first, event["id"]: first, event["data"]["action"]["id"]: first, second: second}
    for typed, payment_id in found.items():
        search(payments, f" {typed} ")
        is_open(payments, payment_id)
        payments.keyboard.press("Escape")
    for typed, payment_id in {"order-7": first, "0002": second}.items():
        search(payments, typed)
        expect(rows_of(payments)).to_have_count(1)
        expect(rows_of(payments)).to_contain_text(payment_id)
    search(payments, "1234")
    payments.get_by_role("button", name="Look for the reference 1234").click()
    expect(payments.get_by_text("No matching payments")).to_be_visible()
    search(payments, "pay_00000000000000000000000000")
    expect(payments.get_by_role("alert")).to_contain_text("PAYMENT_NOT_FOUND")
    expect(payments.get_by_role("alert")).to_contain_text(re.compile("request [0-9a-f-]{36}"))


def test_a_row_is_opened_by_pointer_and_by_keys(payments: Page, merchant: Merchant) -> None:
    """`j` and `k` move, Enter opens, Escape closes; the filters stay."""
    older, newer = merchant.authorize(), merchant.authorize()
    expect(rows_of(payments)).to_have_count(2)
    payments.get_by_label("Status").select_option("Authorized")
    rows_of(payments).last.click(position={"x": 400, "y": 20})
    is_open(payments, older)
    expect(rows_of(payments).last).to_have_attribute("aria-selected", "true")
    assert payments.url.endswith("?status=STATUS_AUTHORIZED")
    payments.keyboard.press("k")
    payments.keyboard.press("Enter")
    is_open(payments, newer)
    payments.keyboard.press("j")
    expect(rows_of(payments).last).to_be_focused()
    payments.keyboard.press("Escape")
    expect(payments.locator(".detail-head")).to_have_count(0)
    assert payments.url.endswith("#/payments?status=STATUS_AUTHORIZED")
    payments.go_back()
    is_open(payments, newer)


def test_the_keys_are_told(payments: Page) -> None:
    """`?` shows them, and Escape closes that."""
    payments.keyboard.press("?")
    keys = payments.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Capture the open payment")
    payments.keyboard.press("Escape")
    expect(keys).to_have_count(0)


@pytest.mark.parametrize("how", ["light", "dark"])
def test_it_is_for_everybody(new_console: NewPage, merchant: Merchant, how: str) -> None:
    """The list, a payment with its story opened, and a dialog, on a phone and on a wide screen."""
    payment_id = merchant.authorize(reference="a long reference " * 8)
    merchant.authorize(pan=DECLINED)
    merchant.capture(payment_id, 400, idempotency_key=f"everybody-{how}-{'0' * 40}")
    page = new_console("#/payments", key=merchant.key, color_scheme=how, viewport=PHONE)
    expect(rows_of(page)).to_have_count(2)
    fits(page)
    accessible(page)
    rows_of(page).last.click()
    page.get_by_role("button", name="More about the request Capture").click()
    expect(page.get_by_role("tab", name="curl")).to_be_visible()
    fits(page)
    accessible(page)
    page.set_viewport_size(WIDE)
    expect(rows_of(page)).to_have_count(2)
    page.get_by_role("button", name="Capture", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    accessible(page)
    page.set_viewport_size(PHONE)
    fits(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Capture", exact=True)).to_be_focused()
    page.get_by_role("link", name="Back to the list").click()
    expect(rows_of(page).last).to_be_visible()


def test_a_key_that_is_revoked_ends_the_session(
    payments: Page, merchant: Merchant, stack: Stack
) -> None:
    """With a clear word, at the next look."""
    expect(payments.get_by_text("No payments yet")).to_be_visible()
    Operator(stack).ask(admin.RevokeApiKeyRequest(id=merchant.key.split("_")[1]))
    payments.get_by_label("Status").select_option("Captured")
    expect(payments.get_by_role("alert")).to_contain_text("no longer accepts this key")
    expect(payments.get_by_label("API key")).to_be_visible()


def test_what_does_not_exist_leads_back(payments: Page) -> None:
    """A page or payment that is none says so; to try it again would not help."""
    payments.evaluate("location.hash = '#/nonsense'")
    expect(payments.get_by_text("There is no such page")).to_be_visible()
    payments.get_by_role("link", name="Go to payments").click()
    expect(payments.get_by_text("No payments yet")).to_be_visible()

    payments.evaluate("location.hash = '#/payments/pay_00000000000000000000000000'")
    expect(payments.get_by_role("alert")).to_contain_text("PAYMENT_NOT_FOUND")
    expect(payments.get_by_role("button", name="Try again")).to_have_count(0)
    payments.get_by_role("link", name="Back to the list").click()
    expect(payments.get_by_role("alert")).to_have_count(0)
