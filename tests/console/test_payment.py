"""One payment: its amounts, what can be done and why not, how it came about."""

import re
import subprocess
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import NewPage
from tests.console.merchants import DECLINED, REPLY_LOST, Merchant

pytestmark = pytest.mark.browser

WIDE = {"width": 1440, "height": 900}
VERBS = {"Capture": "capture", "Refund": "refund", "Void": "void"}
INBOX = "https://inbox.paygate.test/"


@pytest.fixture
def console(new_console: NewPage, merchant: Merchant) -> Page:
    """The list, of somebody who has no payment."""
    return new_console("#/payments", key=merchant.key, viewport=WIDE)


def show(page: Page, payment_id: str) -> None:
    """Go to a payment, as a link in the page does."""
    page.evaluate("(id) => { location.hash = `#/payments/${id}`; }", payment_id)
    expect(page.locator(".detail-head")).to_contain_text(payment_id)


def verb(page: Page, name: str) -> Locator:
    """Return the button of a verb."""
    return page.locator(".detail-actions").get_by_role("button", name=name)


def status(page: Page) -> Locator:
    """Return what shows the status of the open payment."""
    return page.locator(".detail-head .status")


def sums(page: Page) -> list[str]:
    """Return what the amounts say in words and figures."""
    shown = page.locator(".sums")
    names = shown.locator("dt").all_inner_texts()
    return [
        f"{name} {amount}".replace("\N{NO-BREAK SPACE}", " ")
        for name, amount in zip(names, shown.locator("dd").all_inner_texts(), strict=True)
    ]


def moment(page: Page, text: str) -> Locator:
    """Return a moment of the timeline."""
    return page.locator(".moment", has_text=text)


def as_the_console(name: str, state: str) -> dict[str, Any]:
    """Return what it would send besides: an amount, or that what no capture has taken is voided."""
    if name != "Void":
        return {"minor_units": 100}
    return {"remainder": True} if state in {"captured", "refunded"} else {}


def actions_of(merchant: Merchant, payment_id: str) -> list[Any]:
    """Return what was done to a payment, as the API tells it."""
    path = f"/payment/{payment_id}?include_actions=true"
    actions: list[Any] = merchant.call("GET", path)["payment"]["actions"]
    return actions


def test_it_is_captured_in_parts_and_refunded(console: Page, merchant: Merchant) -> None:
    """What is left stands there already, and more than that is refused where it is typed."""
    show(console, merchant.authorize())
    expect(status(console)).to_have_text("Authorized")
    assert sums(console) == ["Left to capture 10.00 GBP"]
    console.keyboard.press("c")
    dialog = console.get_by_role("dialog", name="Capture")
    amount = dialog.get_by_label("Amount (GBP)")
    expect(amount).to_be_focused()
    expect(amount).to_have_value("10.00")
    amount.fill("4")
    dialog.get_by_label("Reference").fill("first parcel")
    dialog.get_by_role("button", name="Capture 4.00 GBP").click()
    expect(dialog).to_have_count(0)
    expect(console.get_by_role("status").filter(has_text="Capture of 4.00 GBP")).to_be_visible()
    expect(status(console)).to_have_text("Partly captured")
    assert sums(console) == ["Captured 4.00 GBP", "Left to capture 6.00 GBP"]
    expect(moment(console, "“first parcel”")).to_be_visible()

    verb(console, "Capture").click()
    expect(amount).to_have_value("6.00")
    amount.fill("6.01")
    too_much = "The amount is more than can still be captured: 6.00 GBP."
    expect(dialog.get_by_role("alert")).to_have_text(too_much)
    amount.press("Enter")
    expect(dialog).to_be_visible()
    amount.fill("6")
    amount.press("Enter")
    expect(status(console)).to_have_text("Captured")

    console.keyboard.press("r")
    dialog = console.get_by_role("dialog", name="Refund")
    expect(dialog.get_by_label("Amount (GBP)")).to_have_value("10.00")
    dialog.get_by_label("Amount (GBP)").fill("3")
    dialog.get_by_role("button", name="Refund 3.00 GBP").click()
    expect(status(console)).to_have_text("Partly refunded")
    expect(console.locator(".table .status").first).to_have_text("Partly refunded")
    told = ["Captured 10.00", "Refunded 3.00", "Left to refund 7.00"]
    assert sums(console) == [f"{one} GBP" for one in told]


def test_it_is_voided_whole_or_what_is_left(console: Page, merchant: Merchant) -> None:
    """The dialog says which of the two it will be."""
    show(console, merchant.authorize())
    console.keyboard.press("v")
    dialog = console.get_by_role("dialog", name="Void")
    expect(dialog).to_contain_text("Cancels the payment without billing.")
    dialog.get_by_role("button", name="Void 10.00 GBP").click()
    expect(status(console)).to_have_text("Voided")
    assert sums(console) == ["Voided 10.00 GBP"]

    payment_id = merchant.authorize()
    merchant.capture(payment_id, 400, idempotency_key=f"part-{payment_id}")
    show(console, payment_id)
    expect(status(console)).to_have_text("Partly captured")
    console.keyboard.press("v")
    expect(dialog).to_contain_text("Releases the remaining 6.00 GBP.")
    dialog.get_by_role("button", name="Void 6.00 GBP").click()
    expect(status(console)).to_have_text("Captured")
    assert sums(console) == ["Captured 4.00 GBP", "Released 6.00 GBP"]


def test_what_is_impossible_says_why_as_the_api_does(console: Page, merchant: Merchant) -> None:
    """Word for word, in each state of a payment; what is possible is offered."""
    states = {name: merchant.authorize() for name in ("open", "voided", "captured", "refunded")}
    states["declined"] = merchant.authorize(pan=DECLINED)
    did = [
        merchant.act("void", states["voided"]),
        merchant.capture(states["captured"], 1000, idempotency_key=f"all-{states['captured']}"),
        merchant.capture(states["refunded"], 900, idempotency_key=f"most-{states['refunded']}"),
        merchant.act("refund", states["refunded"], 900),
    ]
    assert [one["action"]["status"] for one in did] == ["STATUS_SUCCEEDED"] * len(did)
    refused = 0
    for state, payment_id in states.items():
        show(console, payment_id)
        for name, path in VERBS.items():
            button = verb(console, name)
            if button.get_attribute("aria-disabled") == "true":
                answer = merchant.act(path, payment_id, **as_the_console(name, state))
                reason = answer["details"][0]["reason"]
                why = f"{answer['message']} ({reason})"
                expect(button).to_have_attribute("title", why)
                expect(button).to_have_accessible_description(why)
                button.click(force=True)  # it can still be reached
                expect(console.get_by_role("dialog")).to_have_count(0)
                refused += 1
    assert refused == 12  # of 15; the open one can be captured and voided, the captured refunded


def test_a_reply_that_is_lost_settles_before_the_eye(console: Page, merchant: Merchant) -> None:
    """It is shown as pending, nothing can be done meanwhile, and nothing is pressed."""
    show(console, merchant.authorize(pan=REPLY_LOST))
    expect(status(console)).to_have_text("Pending")
    expect(verb(console, "Capture")).to_have_attribute("title", re.compile("ACTION_PENDING"))
    expect(console.get_by_text("No answer from the bank yet")).to_be_visible()
    expect(status(console)).to_have_text("Authorized")
    expect(verb(console, "Capture")).to_have_attribute("aria-disabled", "false")
    expect(console.locator(".table .status").first).to_have_text("Authorized")


def test_a_capture_whose_reply_is_lost_is_not_done_twice(console: Page, merchant: Merchant) -> None:
    """It was carried out, but the page does not know: the next try has the same key."""
    payment_id = merchant.authorize()
    show(console, payment_id)
    console.route("**/capture", lambda route: (route.fetch(), route.abort()), times=1)
    console.keyboard.press("c")
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Amount (GBP)").fill("2.50")
    dialog.get_by_role("button", name="Capture 2.50 GBP").click()
    expect(dialog.get_by_role("alert")).to_contain_text("CONNECTION_FAILED")
    dialog.get_by_role("button", name="Capture 2.50 GBP").click()
    expect(dialog).to_have_count(0)
    amounts = [action["amount"]["minor_units"] for action in actions_of(merchant, payment_id)]
    assert amounts == ["1000", "250"]


def test_its_story_has_requests_events_and_webhooks(console: Page, merchant: Merchant) -> None:
    """Each with what belongs to it; a call is repeated and copied, and nothing is done twice."""
    merchant.endpoint(INBOX)
    payment_id = merchant.authorize(idempotency_key=f"first-{merchant.key[3:11]}")
    key = f"part-{payment_id}"
    merchant.capture(payment_id, 400, idempotency_key=key)
    merchant.capture(payment_id, 5_000, idempotency_key=f"{key}-too-much")
    show(console, payment_id)
    titles = console.locator(".moment-title")
    expect(moment(console, "sent to we_")).to_have_count(2)
    # Requests, actions, events, webhooks: each worker logs its requests in its own time.
    expect(titles).to_have_count(9)
    # When its webhooks went is not said: a slow capture comes after the first.
    told = [title for title in titles.all_inner_texts() if "sent to we_" not in title]
    said = [re.split(r"\n| \d+ ms", title)[0] for title in told]
    assert said[:4] == ["Authorize", "Authorize 10.00 GBP", "payment.authorized", "Capture"]
    expect(moment(console, "AMOUNT_EXCEEDS_CAPTURABLE")).to_have_count(1)
    expect(moment(console, key).first).to_be_visible()

    captured = moment(console, key).filter(has_not_text="too-much")
    captured.get_by_role("button", name="More about the request Capture").click()
    captured.get_by_role("button", name="Repeat with the same key").click()
    expect(console.get_by_role("status").filter(has_text="Nothing ran twice")).to_be_visible()
    expect(moment(console, "The original reply, replayed")).to_have_count(1)
    captured = captured.filter(has_not_text="The original reply, replayed")
    captured.get_by_role("tab", name="curl").click()
    code = captured.locator("pre").inner_text()
    assert merchant.key not in code
    ran = subprocess.run(
        ["bash", "-c", code],
        env={"PAYGATE_API_KEY": merchant.key, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert payment_id in ran.stdout
    assert len(actions_of(merchant, payment_id)) == 2

    for event in ("payment.authorized", "payment.captured"):
        expect(moment(console, f"{event} sent to we_")).to_have_count(1)
    moment(console, "payment.captured").get_by_role("button", name="Redeliver").click()
    expect(moment(console, "sent to we_")).to_have_count(3)
    expect(moment(console, "redelivered")).to_contain_text("payment.captured sent to we_")
    expect(moment(console, "redelivered")).to_contain_text("attempt 2")
