"""Webhooks in the console: endpoints are made, tried and changed, and deliveries watched."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.browsing import accessible, fits
from tests.console.conftest import NewPage
from tests.console.merchants import Merchant

pytestmark = pytest.mark.browser

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
INBOX = "https://inbox.paygate.test/"
FAILING, GONE = f"{INBOX}503", f"{INBOX}410"


@pytest.fixture
def webhooks(new_console: NewPage, merchant: Merchant) -> Page:
    """The view, of somebody who has no endpoint."""
    return new_console("#/webhooks", key=merchant.key, viewport=WIDE)


def press(page: Page, name: str) -> None:
    """Press a button, by the whole of its name."""
    page.get_by_role("button", name=name, exact=True).first.click()


def deliveries(page: Page) -> Locator:
    """Return the rows of an endpoint's deliveries."""
    return page.get_by_role("table", name="Deliveries").locator("tr[data-link=true]")


def endpoint_at(page: Page, merchant: Merchant, url: str, **more: object) -> str:
    """Make an endpoint beside the page, and open it."""
    endpoint_id = merchant.endpoint(url, **more)
    page.evaluate("place => { location.hash = place }", f"#/webhooks/{endpoint_id}")
    expect(page.get_by_role("heading", name=url)).to_be_visible()
    return endpoint_id


def test_an_endpoint_is_made_and_its_secret_told_once(webhooks: Page, merchant: Merchant) -> None:
    """The inbox takes one click; what is wrong is said at the field; the secret is gone later."""
    expect(webhooks.get_by_text("No endpoints yet")).to_be_visible()
    accessible(webhooks)
    press(webhooks, "New endpoint")
    dialog = webhooks.get_by_role("dialog")
    dialog.get_by_label("URL").fill("http://example.com/")
    press(webhooks, "Create endpoint")
    expect(dialog.locator(".field-error")).to_be_visible()
    expect(dialog.get_by_role("alert").last).to_contain_text("VALIDATION_FAILED")

    dialog.get_by_role("button", name="Use the built-in inbox").click()
    expect(dialog.get_by_label("URL")).to_have_value(INBOX)
    dialog.get_by_label("Selected events").check()
    make = webhooks.get_by_role("button", name="Create endpoint")
    expect(make).to_have_attribute("title", "Select at least one event.")
    dialog.get_by_label("payment.captured").check()
    dialog.get_by_label("Description").fill("for a test")
    accessible(webhooks)
    make.click()

    expect(dialog).to_contain_text("it won't be shown again")
    accessible(webhooks)
    secret = dialog.locator("pre").inner_text()
    assert secret.startswith("whsec_")
    webhooks.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(webhooks, "Copy the secret")
    assert webhooks.evaluate("navigator.clipboard.readText()") == secret
    press(webhooks, "I have copied it")
    expect(webhooks.get_by_role("heading", name=INBOX)).to_be_visible()
    expect(webhooks.locator("tbody tr").first).to_contain_text("payment.captured")
    assert secret not in webhooks.content()
    (made,) = merchant.call("GET", "/webhook-endpoints")["endpoints"]
    assert (made["url"], made["event_types"], made["description"]) == (
        INBOX,
        ["payment.captured"],
        "for a test",
    )
    accessible(webhooks)


def test_an_endpoint_is_changed_turned_off_and_deleted(webhooks: Page, merchant: Merchant) -> None:
    """What a disabled one can't do says why; deleting is asked about first."""
    endpoint_id = endpoint_at(webhooks, merchant, INBOX, event_types=["payment.voided"])

    def told() -> dict[str, object]:
        return dict(merchant.call("GET", f"/webhook-endpoints/{endpoint_id}")["endpoint"])

    press(webhooks, "Edit")
    webhooks.get_by_label("All events, including future ones").check()
    webhooks.get_by_label("Description").fill("for all")
    press(webhooks, "Save")
    expect(webhooks.get_by_text("The endpoint was changed.")).to_be_visible()
    assert (told()["event_types"], told()["description"]) == ([], "for all")

    press(webhooks, "Disable")
    test = webhooks.get_by_role("button", name="Send a test")
    expect(test).to_have_attribute("title", re.compile("WEBHOOK_ENDPOINT_DISABLED"))
    assert told()["status"] == "STATUS_DISABLED"
    press(webhooks, "Enable")
    expect(test).to_have_attribute("aria-disabled", "false")

    press(webhooks, "Rotate secret")
    webhooks.get_by_label("Overlap").select_option("An hour")
    press(webhooks, "Create new secret")
    expect(webhooks.get_by_role("dialog")).to_contain_text("whsec_")
    press(webhooks, "I have copied it")

    press(webhooks, "Delete")
    press(webhooks, "Cancel")
    press(webhooks, "Delete")
    accessible(webhooks)
    press(webhooks, "Delete it")
    expect(webhooks.get_by_text("No endpoints yet")).to_be_visible()
    assert merchant.call("GET", "/webhook-endpoints")["endpoints"] == []


def test_deliveries_appear_by_themselves_with_each_attempt(
    webhooks: Page, merchant: Merchant
) -> None:
    """A test event, and those of a payment; opened, a delivery tells its attempts and its event."""
    endpoint_at(webhooks, merchant, INBOX)
    expect(webhooks.get_by_text("No deliveries yet")).to_be_visible()
    press(webhooks, "Send a test")
    expect(deliveries(webhooks)).to_contain_text(re.compile("Delivered.*webhook.test.*200"))
    payment_id = merchant.authorize()
    expect(deliveries(webhooks)).to_have_count(2)
    newest = deliveries(webhooks).first
    expect(newest).to_contain_text(re.compile("Delivered.*payment.authorized"))
    expect(newest.get_by_role("link")).to_have_attribute("href", f"#/payments/{payment_id}")

    newest.get_by_role("cell").first.click()
    expect(webhooks.get_by_text("Attempt 1")).to_be_visible()
    accessible(webhooks)
    press(webhooks, "Redeliver")
    expect(webhooks.get_by_text("Attempt 2")).to_be_visible()
    expect(newest).to_contain_text("Delivered")
    webhooks.get_by_role("tab", name="Event").click()
    expect(webhooks.get_by_role("tabpanel")).to_contain_text(f'"id": "{payment_id}"')

    webhooks.evaluate("location.hash += '?failed=1'")  # a link leads to it, whatever is listed
    expect(webhooks.get_by_text("No failed deliveries")).to_be_visible()
    expect(webhooks.get_by_text("Attempt 2")).to_be_visible()
    webhooks.keyboard.press("Escape")
    expect(webhooks.get_by_role("tabpanel")).not_to_be_visible()
    webhooks.keyboard.press("Escape")
    assert webhooks.url.endswith("#/webhooks")


def test_what_fails_is_seen_with_its_next_attempt(webhooks: Page, merchant: Merchant) -> None:
    """Each attempt of a receiver that is down, and when it is tried again."""
    endpoint_at(webhooks, merchant, FAILING)
    merchant.authorize()
    row = deliveries(webhooks).first
    expect(row).to_contain_text(re.compile("Pending.*503"))
    row.get_by_role("cell").first.click()
    expect(webhooks.get_by_text("http 503").first).to_be_visible()
    expect(webhooks.get_by_text(re.compile("The next attempt is"))).to_be_visible()
    webhooks.get_by_label("Failed only").check()
    expect(webhooks.get_by_text("No failed deliveries")).to_be_visible()
    assert webhooks.url.endswith("?failed=1")
    press(webhooks, "Show all deliveries")
    expect(row).to_contain_text("503")


def test_all_that_failed_is_sent_again(webhooks: Page, merchant: Merchant) -> None:
    """A receiver that has gone disables its endpoint; moved and enabled, it gets what it missed."""
    endpoint_at(webhooks, merchant, GONE)
    merchant.authorize()
    expect(webhooks.get_by_role("button", name="Enable", exact=True)).to_be_visible()
    webhooks.get_by_label("Failed only").check()
    expect(deliveries(webhooks)).to_contain_text(re.compile("Failed.*410"))

    press(webhooks, "Edit")
    webhooks.get_by_label("URL").fill(INBOX)
    press(webhooks, "Save")
    press(webhooks, "Enable")
    press(webhooks, "Redeliver failed…")
    accessible(webhooks)
    webhooks.get_by_label("Since").select_option("The last hour")
    press(webhooks, "Redeliver")
    expect(webhooks.get_by_text("1 failed delivery is being sent again.")).to_be_visible()
    expect(webhooks.get_by_text("No failed deliveries")).to_be_visible()
    press(webhooks, "Show all deliveries")
    expect(deliveries(webhooks)).to_contain_text(re.compile("Delivered.*200"))


def test_the_inbox_takes_one_click_and_shows_what_was_sent(
    new_console: NewPage, merchant: Merchant
) -> None:
    """Headers, signature, body and payment of each message, as it arrives."""
    page = new_console("#/webhooks/inbox", key=merchant.key, viewport=WIDE)
    accessible(page)
    press(page, "Create an inbox endpoint")
    press(page, "I have copied it")
    expect(page.get_by_text("Nothing has arrived yet")).to_be_visible()
    press(page, "Send a test")
    rows = page.get_by_role("table", name="Inbox").locator("tbody tr")
    expect(rows).to_contain_text("webhook.test")
    payment_id = merchant.authorize()
    expect(rows).to_have_count(2)
    rows.get_by_role("link", name="payment.authorized").click()
    expect(page.get_by_role("region", name="Body")).to_contain_text(f'"id": "{payment_id}"')
    headers = page.get_by_role("region", name="Headers")
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        expect(headers).to_contain_text(name)
    check = page.get_by_role("region", name="Signature")
    expect(check).to_contain_text("verify(body, headers")
    check.get_by_role("tab", name="TypeScript").click()
    expect(check).to_contain_text("new Webhook(")
    accessible(page)
    page.get_by_role("link", name=payment_id).click()
    assert page.url.endswith(f"#/payments/{payment_id}")


def test_on_a_phone(new_console: NewPage, merchant: Merchant) -> None:
    """Lists, an endpoint, a delivery, a message and each dialog are as wide as the window."""
    endpoint_id = merchant.endpoint(FAILING, description="d" * 200)
    merchant.authorize()
    page = new_console(f"#/webhooks/{endpoint_id}", key=merchant.key, viewport=PHONE)
    deliveries(page).first.get_by_role("cell").first.click()
    expect(page.get_by_text("Attempt 1")).to_be_visible()
    fits(page)
    accessible(page)
    press(page, "New endpoint")
    page.get_by_label("Selected events").check()
    fits(page)
    press(page, "Cancel")
    page.get_by_role("link", name="Inbox", exact=True).click()
    fits(page)
    page.get_by_role("link", name="payment.authorized").first.click()
    expect(page.get_by_role("region", name="Signature")).to_be_visible()
    fits(page)
    accessible(page)
    page.get_by_role("link", name="Endpoints").click()
    expect(page.get_by_role("table", name="Webhook endpoints")).to_be_visible()
    fits(page)
    accessible(page)
