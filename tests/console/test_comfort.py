"""Small things that make a page easy: where the focus goes, what is long, what a key would do."""

import re

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.console.browsing import fits
from tests.console.conftest import NewPage
from tests.console.merchants import Merchant
from tests.e2e.stack import Stack

pytestmark = pytest.mark.browser

WIDE = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=360, height=740)
LONG = "r" * 255


def test_the_focus_goes_on_where_one_was(
    new_console: NewPage, new_page: NewPage, merchant: Merchant, stack: Stack
) -> None:
    """After the key to the view, and after a payment to its row."""
    tab = new_page(viewport=WIDE)
    tab.goto(f"{stack.url}/console")
    tab.get_by_label("API key").fill(merchant.key)
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Payments", exact=True)).to_be_focused()

    older, newer = merchant.authorize(), merchant.authorize()
    page = new_console(f"#/payments/{older}", key=merchant.key, viewport=PHONE)
    expect(page.locator(".detail-head")).to_contain_text(older)
    page.get_by_role("button", name="Void").focus()
    page.keyboard.press("Escape")
    row = page.get_by_role("table", name="Payments").locator("tbody tr")
    expect(row.last).to_be_focused()
    expect(row.last.get_by_role("link")).to_have_attribute("href", re.compile(older))
    expect(row.first.get_by_role("link")).to_have_attribute("href", re.compile(newer))


def width_of(what: Locator) -> int:
    """Return how wide it is, in pixels."""
    return int(what.evaluate("(one) => Math.round(one.getBoundingClientRect().width)"))


def fits_inside(page: Page, selector: str) -> bool:
    """Return whether nothing in it is wider than it is."""
    return bool(
        page.locator(selector).first.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    )


def test_long_references_stretch_nothing(new_console: NewPage, merchant: Merchant) -> None:
    """In the filter, the list, the payment and the result of a test payment."""
    payment_id = merchant.authorize(reference=LONG)
    page = new_console(f"#/payments?reference={LONG}", key=merchant.key, viewport=WIDE)
    chip = page.get_by_role("button", name=f"reference: {LONG}")
    expect(chip).to_be_visible()
    assert width_of(chip) < 260
    page.set_viewport_size(PHONE)
    fits(page)
    assert fits_inside(page, ".filters")
    page.set_viewport_size(WIDE)
    page.get_by_role("table", name="Payments").locator("tbody tr").click()
    expect(page.locator(".detail-head")).to_contain_text(payment_id)
    assert fits_inside(page, ".facts")
    fact = page.locator(".facts > div", has_text=LONG)
    assert width_of(fact) == width_of(page.locator(".facts"))
    page.set_viewport_size(PHONE)
    fits(page)

    page.set_viewport_size(WIDE)
    page.evaluate("() => { location.hash = '#/test'; }")
    page.get_by_label("Reference", exact=True).fill(LONG)
    page.get_by_role("button", name="Authorize with 4242 4242 4242 4242", exact=True).click()
    result = page.get_by_role("region", name="Result", exact=True)
    expect(result).to_contain_text(LONG)
    assert fits_inside(page, "#result .panel-body")
    page.set_viewport_size(PHONE)
    fits(page)


def test_on_a_phone_a_card_far_below_leads_to_its_payment(
    new_console: NewPage, merchant: Merchant
) -> None:
    """The badge in its row does; with room for the result beside, it shows that."""
    page = new_console("#/test", key=merchant.key, viewport=PHONE)
    row = page.get_by_role("listitem").filter(has_text="4000 0000 0000 0002")
    row.get_by_role("button", name="Authorize").click()
    badge = row.get_by_role("link", name="Declined")
    badge.click()
    expect(page.locator(".detail-head")).to_contain_text("Declined")
    page.go_back()
    page.set_viewport_size(WIDE)
    badge.click()
    expect(page.get_by_role("region", name="Result", exact=True)).to_contain_text("CARD_DECLINED")
    assert page.url.endswith("#/test")


@pytest.mark.parametrize("place", ["payments", "requests"])
def test_a_search_says_how_it_begins(new_console: NewPage, merchant: Merchant, place: str) -> None:
    """While something is typed."""
    page = new_console(f"#/{place}", key=merchant.key, viewport=WIDE)
    hint = page.get_by_role("search").get_by_text("Press Enter")
    expect(page.get_by_role("searchbox")).to_be_visible()
    expect(hint).to_have_count(0)
    page.get_by_role("searchbox").fill("order")
    expect(hint).to_be_visible()


def test_the_end_of_an_authorization_is_a_time(new_console: NewPage, merchant: Merchant) -> None:
    """And there is none once nothing is left to capture."""
    payment_id = merchant.authorize()
    page = new_console(f"#/payments/{payment_id}", key=merchant.key, viewport=WIDE)
    ends = page.locator(".facts > div", has_text="Authorization ends").locator("dd")
    expect(ends).to_have_text(re.compile(r"\d\d:\d\d:\d\d$"))
    merchant.act("void", payment_id)
    expect(ends).to_have_text("\N{EN DASH}")
