"""How a key comes into the console and goes: by a link, once, or typed; it is in no address."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.console.browsing import KEY_PLACE, accessible
from tests.e2e.stack import Stack

pytestmark = pytest.mark.browser

KEPT = f"sessionStorage.getItem('{KEY_PLACE}')"


def is_signed_in(page: Page) -> None:
    """Wait for it."""
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def is_signed_out(page: Page, word: str = "") -> None:
    """Wait for it, and for what is said."""
    expect(page.get_by_label("API key")).to_be_visible()
    expect(page.locator("body")).to_contain_text(word)
    assert page.evaluate(KEPT) is None


def test_the_printed_link_signs_in_once(stack: Stack, page: Page) -> None:
    """The code leaves the address, and the place in it stays; nothing is stored but for this tab.

    With a second tab it says that it was used, and a reload needs none.
    """
    (link,) = re.findall(r"^  console +(\S+)", stack.output, re.MULTILINE)
    url, code = link.split("#")
    page.goto(f"{url}#/payments?{code}")
    is_signed_in(page)
    assert page.url == f"{stack.url}/console#/payments"
    assert page.evaluate(KEPT) == stack.api_key
    assert page.evaluate("Object.keys(localStorage)") == []
    assert page.context.cookies() == []
    page.reload()
    is_signed_in(page)

    other = page.context.new_page()
    other.goto(link)
    is_signed_out(other, "This link has been used")
    assert other.url == f"{stack.url}/console"


def test_a_link_opened_in_a_tab_that_has_the_console_is_taken_too(stack: Stack, page: Page) -> None:
    """Then only the fragment changes, and no page is loaded."""
    page.goto(f"{stack.url}/console")
    is_signed_out(page)
    page.evaluate("location.hash = '#code=used'")
    is_signed_out(page, "This link has been used")
    assert "code" not in page.url
    expect(page.get_by_role("alert")).not_to_contain_text("`")


def test_the_code_of_a_link_is_no_page(stack: Stack, console: Page) -> None:
    """Who comes by the link sees payments, and the navigation says so."""
    console.evaluate("location.hash = '#code=used'")
    here = console.get_by_role("link", name="Payments", exact=True)
    expect(here).to_have_attribute("aria-current", "page")
    expect(console.get_by_role("heading", name="Payments", exact=True)).to_be_visible()
    assert console.url == f"{stack.url}/console"


def test_a_key_is_typed_and_forgotten(stack: Stack, page: Page) -> None:
    """What is no key is refused with a clear word, and signing out leaves nothing behind."""
    page.goto(f"{stack.url}/console")
    for wrong, word in {"pk_1": "begins with", stack.api_key[:-1] + "x": "is not valid"}.items():
        page.get_by_label("API key").fill(wrong)
        page.get_by_role("button", name="Sign in").click()
        is_signed_out(page, word)
    page.get_by_label("API key").fill(f" {stack.api_key}\n")
    page.get_by_role("button", name="Sign in").click()
    is_signed_in(page)
    page.get_by_role("button", name="Sign out").click()
    is_signed_out(page)
    page.reload()
    is_signed_out(page)


def test_who_is_not_signed_in_can_use_the_page(stack: Stack, page: Page) -> None:
    """With a keyboard and a screen reader."""
    page.goto(f"{stack.url}/console")
    is_signed_out(page)
    accessible(page)


def test_signing_out_is_for_good(console: Page) -> None:
    """The tab has no key any more, whatever is loaded in it."""
    console.get_by_role("button", name="Sign out").click()
    is_signed_out(console)
    console.reload()
    is_signed_out(console)
