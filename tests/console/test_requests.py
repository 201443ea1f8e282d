"""The request log in the console: calls appear by themselves, are found, shown, and repeated."""

import re
import subprocess

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.browsing import accessible, fits
from tests.console.conftest import NewPage
from tests.console.merchants import Merchant

pytestmark = pytest.mark.browser

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
TOO_MUCH = 5_000


@pytest.fixture
def requests(new_console: NewPage, merchant: Merchant) -> Page:
    """The view, of somebody who has made no call."""
    return new_console("#/requests", key=merchant.key, viewport=WIDE)


def rows_of(page: Page) -> Locator:
    """Return the rows of the log."""
    return page.get_by_role("table", name="Requests").locator("tbody tr")


def opened(page: Page, method: str) -> None:
    """Open the newest call of a method."""
    rows_of(page).get_by_role("link", name=method, exact=True).first.click()
    expect(page.get_by_role("heading", name=method)).to_be_visible()


def test_calls_appear_by_themselves_and_wait_under_the_pointer(
    requests: Page, merchant: Merchant
) -> None:
    """Who has none is told what is never in it; what the console only looks at is not, either."""
    expect(requests.get_by_text("No requests yet")).to_be_visible()
    expect(requests.get_by_text("Calls that the edge refuses itself are not here")).to_be_visible()
    accessible(requests)
    payment_id = merchant.authorize(idempotency_key="first")
    expect(rows_of(requests)).to_have_count(1)
    expect(rows_of(requests)).to_contain_text(re.compile("Authorize.*200.*first.*ms"))

    rows_of(requests).first.hover()
    merchant.capture(payment_id, TOO_MUCH, idempotency_key="too-much")
    more = requests.get_by_role("button", name="1 new request: show")
    expect(more).to_be_visible()
    expect(rows_of(requests)).to_have_count(1)
    more.click()
    expect(rows_of(requests)).to_have_count(2)
    expect(rows_of(requests).first).to_contain_text("AMOUNT_EXCEEDS_CAPTURABLE")

    merchant.call("GET", f"/payment/{payment_id}")
    requests.mouse.move(0, 0)
    expect(rows_of(requests)).to_have_count(3)
    expect(rows_of(requests).filter(has_text="GetPayment")).to_have_count(1)


def test_filters_stand_in_the_address(requests: Page, merchant: Merchant) -> None:
    """So that a search can be sent to somebody else."""
    first, second = merchant.authorize(idempotency_key="one"), merchant.authorize()
    merchant.capture(first, 100, idempotency_key="two")
    merchant.capture(second, TOO_MUCH, idempotency_key="three")
    expect(rows_of(requests)).to_have_count(4)

    requests.get_by_label("Failed only").check()
    expect(rows_of(requests)).to_have_count(1)
    assert requests.url.endswith("#/requests?failed=1")
    requests.reload()
    expect(rows_of(requests)).to_have_count(1)
    requests.get_by_label("Failed only").uncheck()

    requests.get_by_label("Method").select_option("Capture")
    expect(rows_of(requests)).to_have_count(2)
    search = requests.get_by_role("searchbox")
    search.fill(first)
    search.press("Enter")
    expect(rows_of(requests)).to_have_count(1)
    assert requests.url.endswith(f"#/requests?method=Capture&payment_id={first}")
    requests.get_by_role("button", name="payment:").click()
    search.fill("nobody has it")
    search.press("Enter")
    expect(requests.get_by_text("No matching requests")).to_be_visible()
    requests.get_by_role("button", name="Clear the filters").click()
    expect(rows_of(requests)).to_have_count(4)


def test_a_call_is_shown_and_repeated_with_its_key(requests: Page, merchant: Merchant) -> None:
    """The gateway answers a repeat with the first reply, and captures nothing twice."""
    payment_id = merchant.authorize()
    merchant.capture(payment_id, 300, idempotency_key="once-only")
    opened(requests, "Capture")
    panel = requests.get_by_role("tabpanel")
    expect(panel).to_contain_text(f'"authorization_id": "{payment_id}"')
    requests.get_by_role("tab", name="Reply").click()
    expect(panel).to_contain_text('"TYPE_CAPTURE"')
    for language, word in {
        "curl": "-H 'idempotency-key: once-only'",
        "Python": "httpx2.request",
    }.items():
        requests.get_by_role("tab", name=language).click()
        expect(panel).to_contain_text(word)
    requests.get_by_role("tab", name="Python").press("ArrowRight")
    expect(panel).to_contain_text("await fetch(")
    accessible(requests)

    requests.get_by_role("button", name="Repeat with the same key").click()
    expect(requests.get_by_text("Nothing ran twice")).to_be_visible()
    expect(rows_of(requests)).to_have_count(3)
    captured = merchant.call("GET", f"/payment/{payment_id}")["payment"]["captured"]
    assert captured["minor_units"] == "300"
    requests.keyboard.press("Escape")
    expect(rows_of(requests).filter(has_text="replayed")).to_have_count(1)


def test_a_repeat_that_fails_says_why(requests: Page, merchant: Merchant) -> None:
    """With reason and request id; and a key that is no longer valid leads to the way in."""
    payment_id = merchant.authorize()
    merchant.capture(payment_id, TOO_MUCH, idempotency_key="too-much")
    opened(requests, "Capture")
    expect(requests.get_by_text("A field that is 0, false or empty")).to_be_visible()
    repeat = requests.get_by_role("button", name="Repeat with the same key")
    repeat.click()
    failure = requests.get_by_role("tabpanel").locator("xpath=../..").get_by_role("alert")
    expect(failure).to_contain_text("AMOUNT_EXCEEDS_CAPTURABLE")
    expect(failure).to_contain_text("request")
    requests.route("**/capture", lambda route: route.fulfill(status=401, body="{}"))
    repeat.click()
    expect(requests.get_by_label("API key")).to_be_visible()


def test_keys_go_through_the_list(requests: Page, merchant: Merchant) -> None:
    """And open what they stand on, and close it again."""
    merchant.authorize()
    merchant.authorize()
    expect(rows_of(requests)).to_have_count(2)
    for key, row in (("j", 0), ("j", 1), ("k", 0)):
        requests.keyboard.press(key)
        expect(rows_of(requests).nth(row)).to_be_focused()
    requests.keyboard.press("Enter")
    expect(requests.get_by_role("heading", name="Authorize")).to_be_visible()
    requests.keyboard.press("Escape")
    assert requests.url.endswith("#/requests")
    requests.keyboard.press("/")
    expect(requests.get_by_role("searchbox")).to_be_focused()


def test_what_is_not_kept_is_not_repeated(requests: Page, merchant: Merchant) -> None:
    """No card stands anywhere on the page, and the button says why it does nothing."""
    sent = "5555555555554444"
    merchant.authorize(pan=sent, idempotency_key="of-the-first-card")
    opened(requests, "Authorize")
    expect(requests.get_by_role("tabpanel")).to_contain_text("••••4444")
    repeat = requests.get_by_role("button", name="Repeat with the same key")
    expect(repeat).to_have_attribute("aria-disabled", "true")
    expect(repeat).to_have_attribute("title", re.compile("does not keep all"))
    requests.get_by_role("tab", name="curl").click()
    panel = requests.get_by_role("tabpanel")
    expect(panel).to_contain_text('source "$(make ready)"')
    expect(panel).to_contain_text("The card that was sent is not kept")
    ran = subprocess.run(
        ["bash", "-c", panel.locator("pre").inner_text()],
        env={"PAYGATE_API_KEY": merchant.key, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"STATUS_AUTHORIZED"' in ran.stdout.replace(" ", "")
    assert sent not in requests.content()


def test_an_error_is_shown_in_the_words_of_the_contract(requests: Page, merchant: Merchant) -> None:
    """With the field, the reason and the request id; a link alone brings it back."""
    payment_id = merchant.authorize()
    wrong = merchant.capture(payment_id, 0, idempotency_key="nothing")
    (violation,) = wrong["details"][1]["field_violations"]
    opened(requests, "Capture")
    said = requests.get_by_role("alert")
    for word in (
        wrong["message"],
        violation["field"],
        violation["description"],
        "VALIDATION_FAILED",
    ):
        expect(said).to_contain_text(word)
    address = requests.url
    expect(said).to_contain_text(address.rsplit("/", 1)[1])
    requests.goto("about:blank")
    requests.goto(address)
    expect(said).to_contain_text("VALIDATION_FAILED")


def test_on_a_phone(new_console: NewPage, merchant: Merchant) -> None:
    """Nothing is cut off, and the list makes room for the call that is open."""
    payment_id = merchant.authorize(idempotency_key="q" * 200)
    merchant.capture(payment_id, 1, idempotency_key="k" * 200)
    page = new_console("#/requests", key=merchant.key, viewport=PHONE)
    expect(rows_of(page)).to_have_count(2)
    fits(page)
    accessible(page)
    opened(page, "Capture")
    fits(page)
    accessible(page)
    expect(rows_of(page)).to_have_count(0)  # that can be seen
    page.get_by_role("link", name="Back to the list").click()
    expect(rows_of(page)).to_have_count(2)
