"""What tests in a browser share: one browser, one running stack, and tabs that notice mistakes."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.browsing import WAIT_MILLISECONDS, Watch, launched, sign_in
from tests.console.merchants import Merchant, new_merchant
from tests.e2e.stack import Stack

NewPage = Callable[..., Page]


# Not of the session: while it is open no event loop can run beside it, and others want one.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium."""
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with launched() as opened:
        yield opened


@pytest.fixture
def new_page(browser: Browser, stack: Stack) -> Iterator[NewPage]:
    """Opens tabs of their own, which share nothing; playwright says what `new_context` takes.

    The test fails if anything goes wrong in one of them, or if one asks another host.
    """
    opened = []

    def new(**how: Any) -> Page:
        context = browser.new_context(**how)
        opened.append((context, Watch(context)))
        page = context.new_page()
        page.set_default_timeout(WAIT_MILLISECONDS)
        return page

    yield new
    for context, watch in opened:
        context.close()
        watch.check(urlsplit(stack.url).netloc)


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A tab without a key."""
    return new_page()


@pytest.fixture
def new_console(new_page: NewPage, stack: Stack) -> NewPage:
    """Opens the console in tabs of their own: as the demo merchant, or with a key."""

    def new(fragment: str = "", *, key: str = "", **how: Any) -> Page:
        page = new_page(**how)
        sign_in(page.context, key or stack.api_key)
        page.goto(f"{stack.url}/console{fragment}")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        return page

    return new


@pytest.fixture
def merchant(stack: Stack) -> Merchant:
    """Somebody who has nothing yet."""
    return new_merchant(stack)


@pytest.fixture
def console(new_console: NewPage) -> Page:
    """The console, signed in."""
    return new_console()
