"""The clock and the health of the spare stack: stopping is for everybody."""

import re
import signal
from typing import Any

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.browsing import accessible, fits
from tests.console.conftest import NewPage
from tests.e2e.stack import Stack

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
CARD = {"pan": "4242424242424242", "expiry": {"month": 12, "year": 2040}, "cvv": "123"}


@pytest.fixture(scope="module")
def stack(spare: Stack) -> Stack:
    """The one whose clock may be turned."""
    return spare


@pytest.fixture
def clock(new_console: NewPage) -> Page:
    """The view of the clock."""
    return new_console("#/clock")


def call(page: Page, stack: Stack, path: str, body: Any = None) -> Any:
    """Call the gateway beside the page."""
    headers = {"authorization": f"Bearer {stack.api_key}"}
    how = {"method": "GET"} if body is None else {"method": "POST", "data": body}
    return page.request.fetch(f"{stack.url}{path}", headers=headers, **how).json()


def authorize(page: Page, stack: Stack) -> str:
    """Make a payment that will expire; return its id."""
    body = {"card_details": CARD, "amount": {"minor_units": 1000, "currency": "GBP"}}
    made = call(page, stack, "/authorize", body)["payment"]
    return str(made["id"])


def ahead_of(page: Page, stack: Stack) -> int:
    """Return how many seconds the sandbox's clock is ahead."""
    return int(call(page, stack, "/sandbox/clock")["offset"].removesuffix("s"))


def part(page: Page, name: str) -> Locator:
    """Return the row of a part."""
    has = page.locator("dt", has_text=re.compile(f"^{name}$"))
    return page.locator(".part", has=has).first


def test_turned_past_its_expiry_a_payment_expires(clock: Page, stack: Stack) -> None:
    """And the drain that follows says that nothing is left."""
    before = ahead_of(clock, stack)
    payment_id = authorize(clock, stack)
    clock.get_by_role("button", name="7 days and 1 s: past expiry").click()
    expect(clock.get_by_role("region", name="Drain")).to_contain_text("Nothing is overdue")
    assert ahead_of(clock, stack) == before + 604_801
    expect(clock.get_by_role("region", name="The sandbox's time")).to_contain_text("7 d")
    found = call(clock, stack, f"/payment/{payment_id}")["payment"]
    assert found["status"] == "STATUS_EXPIRED"
    # All times of the console are by that clock: what was made a week before is so.
    clock.goto(f"{stack.url}/console#/payments/{payment_id}")
    expect(clock.get_by_role("link", name=re.compile("ahead$"))).to_be_visible()


def test_it_is_turned_by_what_one_types(clock: Page, stack: Stack) -> None:
    """And not by what makes no sense."""
    before = ahead_of(clock, stack)
    by = clock.get_by_label("By", exact=True)
    by.fill("401")
    clock.get_by_label("Unit").select_option("days")
    expect(clock.get_by_role("alert")).to_have_text("At most 400 days at a time.")
    clock.get_by_role("button", name="1 hour", exact=True).click()
    expect(clock.get_by_role("alert")).to_have_count(0)
    expect(clock.get_by_role("region", name="Drain")).to_contain_text("Nothing is overdue")
    before += 3_600
    by.fill("1.5")
    clock.get_by_label("Unit").select_option("hours")
    by.press("Enter")
    expect(clock.get_by_role("region", name="Drain")).to_contain_text("Nothing is overdue")
    assert ahead_of(clock, stack) == before + 5_400


def test_what_is_due_next_is_listed_and_turned_to(clock: Page, stack: Stack) -> None:
    """One click brings the clock just past it."""
    payment_id = authorize(clock, stack)
    due = clock.get_by_role("region", name="Due next").get_by_role("listitem")
    row = due.filter(has_text=payment_id)
    expect(row).to_contain_text("Payment expires")
    expect(row).to_contain_text("in 6 d")
    row.get_by_role("button", name=re.compile("^Go to this time")).click()
    expect(clock.get_by_role("region", name="Drain")).to_contain_text("Nothing is overdue")
    expect(row).to_have_count(0)
    found = call(clock, stack, f"/payment/{payment_id}")["payment"]
    assert found["status"] == "STATUS_EXPIRED"


def test_who_turns_it_elsewhere_is_followed(clock: Page, stack: Stack) -> None:
    """A page that is loaded knows how far it is ahead, whoever has turned it."""
    call(clock, stack, "/sandbox/clock/advance", {"by": "864000s"})
    clock.reload()
    expect(clock.get_by_role("link", name=re.compile("[0-9] d ahead$"))).to_be_visible()


def test_what_a_drain_leaves_is_said(clock: Page, stack: Stack) -> None:
    """The bank is away, so that an answer stays open."""
    bank = psutil.Process(stack.pids()["acquirer"])
    lost = {**CARD, "pan": "4000000000001026"}
    body = {"card_details": lost, "amount": {"minor_units": 1000, "currency": "GBP"}}
    call(clock, stack, "/authorize", body)
    bank.suspend()
    try:
        clock.get_by_role("button", name="Drain").click()
        drain = clock.get_by_role("region", name="Drain")
        expect(drain).to_contain_text("Not finished")
        expect(drain).to_contain_text("1 action without the bank's answer")
    finally:
        bank.resume()
    clock.get_by_role("button", name="Drain").click()
    expect(drain).to_contain_text("Nothing is overdue")


def test_a_reset_says_what_goes_before_it_goes(clock: Page, stack: Stack) -> None:
    """Who thinks better of it keeps everything."""
    payment_id = authorize(clock, stack)
    clock.get_by_role("button", name="Reset…").click()
    dialog = clock.get_by_role("dialog")
    for word in ("payments", "events", "webhook endpoints", "inbox", "Other merchants"):
        expect(dialog).to_contain_text(word)
    accessible(clock)
    dialog.get_by_role("button", name="Cancel").click()
    assert call(clock, stack, f"/payment/{payment_id}")["payment"]["id"] == payment_id

    clock.get_by_role("button", name="Reset…").click()
    dialog.get_by_role("button", name="Reset sandbox").click()
    expect(dialog).to_have_count(0)
    expect(clock.get_by_text("payments removed")).to_be_visible()
    assert call(clock, stack, "/payments")["payments"] == []
    assert ahead_of(clock, stack) == 0
    expect(clock.get_by_role("region", name="The sandbox's time")).to_contain_text("The real time")
    expect(clock.get_by_role("region", name="Due next")).to_contain_text("Nothing is due")


def test_health_names_what_is_down_and_what_to_do(new_console: NewPage, stack: Stack) -> None:
    """It changes by itself: down while the bank is away, up when it is back."""
    page = new_console("#/health")
    summary = page.get_by_text("All is well")
    expect(summary).to_be_visible()
    expect(part(page, "Live stream")).to_contain_text("as it happens")
    for name in ("Gateway", "Database", "Bank", "Card vault", "Relay", "Envoy"):
        expect(part(page, name)).to_be_visible()
    bank = psutil.Process(stack.pids()["acquirer"])
    bank.send_signal(signal.SIGSTOP)
    try:
        expect(part(page, "Bank")).to_contain_text("Down")
        expect(part(page, "Bank")).to_contain_text("No new payments or actions")
        expect(part(page, "Bank")).to_contain_text("acquirer.log")
        expect(part(page, "Gateway")).to_contain_text("Degraded")
        expect(page.get_by_text("Something is down")).to_be_visible()
        accessible(page)
    finally:
        bank.send_signal(signal.SIGCONT)
    expect(summary).to_be_visible()
    assert page.request.get(f"{stack.url}/openapi.json").ok
    expect(page.get_by_role("link", name="openapi.json")).to_be_visible()


@pytest.mark.parametrize("how", ["light", "dark"])
@pytest.mark.parametrize("view", ["clock", "health"])
def test_they_are_for_everybody(new_console: NewPage, stack: Stack, view: str, how: str) -> None:
    """With a screen reader, and on a phone."""
    page = new_console(f"#/{view}", color_scheme=how, viewport=PHONE)
    authorize(page, stack)
    expect(
        page.get_by_text({"clock": "Payment expires", "health": "All is well"}[view]).first
    ).to_be_visible()
    fits(page)
    accessible(page)
