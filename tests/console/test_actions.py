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
