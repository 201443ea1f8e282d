"""What a button does takes effect once, however often it is pressed and whatever reply is lost."""

import json
from collections.abc import Callable
from itertools import starmap

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.conftest import NewPage
from tests.console.merchants import Merchant

pytestmark = pytest.mark.browser

Answer = Callable[[Route], None]
_ERROR = "type.googleapis.com/google.rpc.ErrorInfo"


def lost(route: Route) -> None:
    """Carry the call out, and lose its reply."""
    route.fetch()
    route.abort("connectionreset")


def refused(status: int, reason: str) -> Answer:
    """Return what refuses a call before it gets to the gateway."""
    told = {"code": 10, "message": "Later.", "details": [{"@type": _ERROR, "reason": reason}]}

    def refuse(route: Route) -> None:
        route.fulfill(status=status, content_type="application/json", body=json.dumps(told))

    return refuse


def answering(page: Page, path: str, *answers: Answer) -> list[str]:
    """Answer the first POSTs to a path so, and later ones as the gateway does; note their keys."""
    left, keys = list(answers), list[str]()

    def answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        (left.pop(0) if left else Route.continue_)(route)

    page.route(f"**{path}", answer)
    return keys


def test_a_capture_whose_reply_was_lost_is_done_once(
    new_console: NewPage, merchant: Merchant
) -> None:
    """A refusal that comes in between says nothing of it, and makes no second one."""
    payment_id = merchant.authorize()
    page = new_console(f"#/payments/{payment_id}", key=merchant.key)
    between = ((409, "IDEMPOTENCY_IN_FLIGHT"), (429, "RATE_LIMITED"))
    keys = answering(page, "/capture", lost, *starmap(refused, between))
    page.get_by_role("button", name="Capture").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount (GBP)").fill("3.00")
    capture = dialog.get_by_role("button", name="Capture 3.00 GBP")
    for reason in ("CONNECTION_FAILED", *(reason for _, reason in between)):
        capture.click()
        expect(dialog.get_by_role("alert")).to_contain_text(reason)
    capture.click()
    expect(dialog).to_be_hidden()
    assert len(keys) == 4
    assert len(set(keys)) == 1
    payment = merchant.call("GET", f"/payment/{payment_id}")["payment"]
    assert payment["captured"]["minor_units"] == "300"


def test_enter_twice_captures_once(new_console: NewPage, merchant: Merchant) -> None:
    """Nor does a button that is pressed while it is busy."""
    payment_id = merchant.authorize()
    page = new_console(f"#/payments/{payment_id}", key=merchant.key)
    keys = answering(page, "/capture")
    page.get_by_role("button", name="Capture").click()
    amount = page.get_by_role("dialog").get_by_label("Amount (GBP)")
    amount.fill("3.00")
    amount.evaluate("(field) => { field.form.requestSubmit(); field.form.requestSubmit(); }")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert len(keys) == 1
    payment = merchant.call("GET", f"/payment/{payment_id}")["payment"]
    assert payment["captured"]["minor_units"] == "300"


def test_a_turn_of_the_clock_whose_reply_was_lost_is_done_once(
    new_console: NewPage, merchant: Merchant
) -> None:
    """The same button, pressed once more, repeats it."""
    page = new_console("#/clock", key=merchant.key)
    answers = (refused(503, "INTERNAL"), refused(503, "INTERNAL"), refused(503, "INTERNAL"))
    keys = answering(page, "/sandbox/clock/advance", *answers)
    for hours in ("1 hour", "1 hour", "1 day"):
        button = page.get_by_role("button", name=hours)
        with page.expect_response("**/sandbox/clock/advance"):
            button.click()
        expect(button).to_have_attribute("aria-disabled", "false")
    assert keys[0] == keys[1] != keys[2]


def test_one_press_is_one_payment(new_console: NewPage, merchant: Merchant) -> None:
    """A double click is one press, as is a key held down; another press is another payment."""
    page = new_console("#/test", key=merchant.key, viewport={"width": 1440, "height": 900})
    held = list[Route]()
    keys = answering(page, "/authorize", held.append)
    pay = page.get_by_role("button", name="Authorize with 4242 4242 4242 4242", exact=True)
    results = page.get_by_role("region", name="Last results").get_by_role("listitem")
    pay.dblclick()
    expect(pay).to_have_attribute("aria-disabled", "true")
    pay.press("Enter")
    held[0].continue_()
    expect(pay).to_have_attribute("aria-disabled", "false")
    # Its second click comes when the first is done with.
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    for count in (2, 2):
        page.keyboard.down("Enter")
        expect(results).to_have_count(count)
        expect(pay).to_have_attribute("aria-disabled", "false")
    page.keyboard.up("Enter")
    pay.click()
    expect(results).to_have_count(3)
    expect(pay).to_have_attribute("aria-disabled", "false")
    assert len(keys) == len(set(keys)) == 3
    assert len(merchant.call("GET", "/payments")["payments"]) == 3


def test_a_double_click_opens_a_dialog_once(new_console: NewPage, merchant: Merchant) -> None:
    """Its second click falls beside the dialog, and does not close it."""
    page = new_console(f"#/payments/{merchant.authorize()}", key=merchant.key)
    page.get_by_role("button", name="Capture").click()
    expect(page.get_by_role("dialog", name="Capture")).to_be_visible()
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    expect(page.get_by_role("dialog", name="Capture")).to_be_visible()
    page.mouse.click(5, 5)
    expect(page.get_by_role("dialog", name="Capture")).to_have_count(0)


def test_an_event_is_redelivered_once_and_a_refusal_says_why(
    new_console: NewPage, merchant: Merchant
) -> None:
    """A try after a lost reply goes under the same key."""
    merchant.endpoint("https://inbox.paygate.test/")
    page = new_console(f"#/payments/{merchant.authorize()}", key=merchant.key)
    keys = answering(page, "/redeliver", lost)
    redeliver = page.get_by_role("button", name="Redeliver")
    redeliver.dblclick()
    expect(page.get_by_role("alert")).to_contain_text("CONNECTION_FAILED")
    redeliver.click()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert len(keys) == 2
    assert len(set(keys)) == 1
