"""Test payments: every card and every sequence takes one click, and says what became of it."""

import re
import subprocess
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.console.browsing import accessible, fits
from tests.console.conftest import NewPage
from tests.e2e.stack import Stack

pytestmark = pytest.mark.browser

REPLY_LOST = "4000 0000 0000 1026"
SEQUENCES = {
    "Authorize and capture": ("Captured", "1001", "0"),
    "Capture in two parts, refund one": ("Partly refunded", "1001", "501"),
    "Authorize and void": ("Voided", "0", "0"),
    "Capture part, void the rest": ("Captured", "500", "0"),
    "Reply lost, then capture": ("Captured", "1001", "0"),
}


@pytest.fixture
def trials(new_console: NewPage) -> Page:
    """The view, with room for the result beside what led to it."""
    page = new_console("#/test", viewport={"width": 1440, "height": 900})
    expect(page.get_by_role("heading", name="Lost or slow")).to_be_visible()
    return page


def result_of(page: Page) -> Locator:
    """Return what shows the result."""
    return page.get_by_role("region", name="Result", exact=True)


def press(page: Page, name: str) -> None:
    """Press a button, by the whole of its name."""
    page.get_by_role("button", name=name, exact=True).click()


def asked(page: Page, stack: Stack, path: str) -> Any:
    """Return what the gateway itself says."""
    headers = {"authorization": f"Bearer {stack.api_key}"}
    return page.request.get(f"{stack.url}{path}", headers=headers).json()


def payment_of(page: Page, stack: Stack) -> Any:
    """Return the payment that the result names."""
    link = result_of(page).get_by_role("link", name=re.compile("^pay_"))
    return asked(page, stack, f"/payment/{link.inner_text()}?include_actions=true")["payment"]


def test_every_card_is_there_with_what_it_does(trials: Page, stack: Stack) -> None:
    """In the bank's own words; a card that shows itself in a later step has a button for that."""
    cards = asked(trials, stack, "/sandbox/test-cards")["cards"]
    rows = trials.get_by_role("region", name="Test cards").get_by_role("listitem")
    expect(rows).to_have_count(len(cards))
    shown = [row.replace(" ", "").lower() for row in rows.all_inner_texts()]
    for card in cards:
        (row,) = [row for row in shown if card["pan"] in row]
        assert card["description"].replace(" ", "").lower() in row
        assert "authorize" in row
    later = trials.get_by_role("button", name=re.compile(r"^Authorize and \w+ with"))
    expect(later).to_have_count(8)


def test_one_click_pays_and_a_decline_says_why(trials: Page, stack: Stack) -> None:
    """The result names the payment, and both are among the last ones, with links to them."""
    trials.get_by_label("Reference", exact=True).fill("order-7")
    press(trials, "Authorize with 5555 5555 5555 4444")
    expect(result_of(trials)).to_contain_text("Authorized")
    payment = payment_of(trials, stack)
    assert payment["authorized"] == {"minor_units": "1000", "currency": "GBP"}
    assert (payment["card"]["last4"], payment["reference"]) == ("4444", "order-7")

    press(trials, "Authorize with 4000 0000 0000 9995")
    expect(result_of(trials)).to_contain_text("INSUFFICIENT_FUNDS: The account")
    assert payment_of(trials, stack)["status"] == "STATUS_DECLINED"
    last = trials.get_by_role("region", name="Last results")
    expect(last.get_by_role("listitem")).to_have_count(2)
    last.get_by_role("button").nth(1).click()
    expect(result_of(trials)).to_contain_text(payment["id"])
    last.get_by_role("link").nth(1).click()
    assert trials.url == f"{stack.url}/console#/payments/{payment['id']}"
    trials.go_back()
    expect(last.get_by_role("listitem")).to_have_count(2)  # they stay


def test_a_card_shows_how_its_last_payment_stands(trials: Page) -> None:
    """However it was tried; a sequence of the same name shows its own."""
    row = trials.get_by_role("listitem").filter(has_text="4000 0000 0000 0259")
    row.get_by_role("button", name="Authorize and capture").click()
    expect(row.get_by_role("link", name="Authorized")).to_be_visible()
    sequence = trials.get_by_role("listitem").filter(
        has_text="Authorizes, then captures all of it."
    )
    expect(sequence.get_by_role("button")).to_have_count(1)
    expect(sequence.get_by_role("link")).to_have_count(0)


def test_a_lost_reply_is_shown_as_pending_and_settles(trials: Page, stack: Stack) -> None:
    """Nothing is pressed meanwhile."""
    press(trials, f"Authorize with {REPLY_LOST}")
    result = result_of(trials)
    expect(result).to_contain_text("Pending")
    expect(result).to_contain_text("No answer from the bank yet")
    expect(result).to_contain_text("settled after")
    assert payment_of(trials, stack)["status"] == "STATUS_AUTHORIZED"


@pytest.mark.parametrize("title", SEQUENCES)
def test_a_sequence_is_one_click(title: str, trials: Page, stack: Stack) -> None:
    """Each step is shown, all succeed, and the money is where the sequence says."""
    status, captured, refunded = SEQUENCES[title]
    trials.get_by_label("Amount", exact=True).fill("10.01")
    press(trials, f"Run {title}")
    result = result_of(trials)
    expect(result.get_by_text(status, exact=True).first).to_be_visible()
    payment = payment_of(trials, stack)
    expect(result.get_by_text("Succeeded", exact=True)).to_have_count(len(payment["actions"]))
    sums = (payment["captured"]["minor_units"], payment["refunded"]["minor_units"])
    assert sums == (captured, refunded)


def test_a_failure_stops_it_and_it_goes_on_without_doing_anything_twice(
    trials: Page, stack: Stack
) -> None:
    """The capture is carried out, but its reply never comes back to the page."""

    def cut(route: Route) -> None:
        route.fetch()
        route.abort()

    trials.route("**/capture", cut, times=1)
    press(trials, "Run Authorize and capture")
    result = result_of(trials)
    expect(result.get_by_role("alert")).to_contain_text("CONNECTION_FAILED")
    result.get_by_role("button", name="Try again").click()
    expect(result.get_by_text("Captured", exact=True).first).to_be_visible()
    expect(result.get_by_role("alert")).to_have_count(0)
    types = [action["type"] for action in payment_of(trials, stack)["actions"]]
    assert sorted(types) == ["TYPE_AUTHORIZE", "TYPE_CAPTURE"]


def test_a_step_that_is_declined_ends_the_sequence(trials: Page) -> None:
    """The refund after a capture that is declined is not asked for."""
    press(trials, "Authorize and refund with 4000 0000 0000 3238")
    result = result_of(trials)
    expect(result).to_contain_text("REFUND_REJECTED")
    press(trials, "Authorize and capture with 4000 0000 0000 0259")
    expect(result).to_contain_text("CAPTURE_REJECTED")


def test_a_call_as_curl_is_the_call(trials: Page, stack: Stack) -> None:
    """Run in a shell it is answered with the first reply once more, since its key is the same."""
    press(trials, "Authorize with 4242 4242 4242 4242")
    result = result_of(trials)
    expect(result).to_contain_text("Authorized")
    result.get_by_role("button", name="Call of Authorize").click()
    code = result.get_by_role("tabpanel").locator("pre").inner_text()
    assert stack.api_key not in code
    environment = {"PAYGATE_API_KEY": stack.api_key, "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        ["bash", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert payment_of(trials, stack)["id"] in ran.stdout
    result.get_by_role("tab", name="curl").press("ArrowRight")
    expect(result.get_by_role("tabpanel")).to_contain_text("import httpx2")


def test_an_amount_is_of_its_currency(trials: Page, stack: Stack) -> None:
    """What is none is refused where it is typed, and nothing can be pressed."""
    amount = trials.get_by_label("Amount", exact=True)
    authorize = trials.get_by_role("button", name="Authorize with 4242 4242 4242 4242")
    amount.fill("10.005")
    expect(trials.get_by_role("alert")).to_have_text("GBP has 2 decimals.")
    expect(authorize).to_have_attribute("aria-disabled", "true")
    trials.get_by_label("Currency").select_option("Other…")
    trials.get_by_label("Currency code").fill("clf")
    amount.fill("1.2345")
    authorize.click()
    expect(result_of(trials)).to_contain_text("1.2345 CLF")
    expect(result_of(trials)).to_contain_text("Authorized")
    assert payment_of(trials, stack)["authorized"]["minor_units"] == "12345"

    trials.get_by_label("Currency code").fill("ZZZ")
    amount.fill("1")
    authorize.click()
    expect(result_of(trials).get_by_role("alert")).to_contain_text("amount.currency")


@pytest.mark.parametrize("how", ["light", "dark"])
def test_it_is_for_everybody(new_console: NewPage, how: str) -> None:
    """With a screen reader, and on a phone, where the result is above."""
    page = new_console("#/test", color_scheme=how, viewport={"width": 360, "height": 740})
    press(page, "Run Capture in two parts, refund one")
    expect(result_of(page).get_by_text("Succeeded", exact=True)).to_have_count(4)
    result_of(page).get_by_role("button", name="Call of Refund").click()
    press(page, "Authorize with 4000 0000 0000 0002")
    expect(result_of(page)).to_contain_text("CARD_DECLINED")
    fits(page)
    accessible(page)
