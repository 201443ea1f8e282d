"""The pages in a real browser: the printed link is all that a payment takes."""

import os
import re
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.stack import Stack

pytestmark = pytest.mark.browser

WAIT_MILLISECONDS = 20_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it, without a window."""
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    assert found, "no browser: make test-browser"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def asked(browser: Browser, stack: Stack) -> Iterator[tuple[Page, list[str]]]:
    """A tab, which asks no other host, and what went wrong in it, its page's policy included."""
    page, hosts, complaints = browser.new_page(), list[str](), list[str]()
    page.set_default_timeout(WAIT_MILLISECONDS)
    page.on("request", lambda request: hosts.append(urlsplit(request.url).netloc))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page, complaints
    assert set(hosts) == {f"127.0.0.1:{stack.port}"}
    page.close()


def test_who_follows_the_link_sends_a_payment(stack: Stack, asked: tuple[Page, list[str]]) -> None:
    """The key is filled in, Authorize is sent as it stands, and nothing is stored for later.

    Each request has an idempotency key of its own.
    """
    page, complaints = asked
    (link,) = re.findall(r"^  docs +(\S+)", stack.output, re.MULTILINE)
    page.goto(link)
    expect(page.get_by_text("Bearer Token")).to_be_visible(timeout=WAIT_MILLISECONDS)
    assert page.url == f"{stack.url}/docs"  # the code is out of it

    page.goto(stack.url)
    page.get_by_role("link", name="API reference").click()
    page.get_by_role("button", name=re.compile("Test Request.*authorize")).click()
    replies = []
    for _ in range(2):
        with page.expect_response("**/authorize") as sent:
            page.get_by_role("button", name=re.compile("^Send")).first.click()
        replies.append(sent.value)
    assert [reply.status for reply in replies] == [200, 200]
    assert len({reply.request.headers["idempotency-key"] for reply in replies}) == len(replies)
    payment = replies[-1].json()["payment"]
    assert payment["status"] == "STATUS_AUTHORIZED"
    expect(page.get_by_text("200 OK")).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.get_by_text(payment["id"]).first).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).length") == 0
    assert page.context.cookies() == []
    assert complaints == []


def test_a_link_that_was_used_says_so(stack: Stack, asked: tuple[Page, list[str]]) -> None:
    """And the reference is there all the same."""
    page, complaints = asked
    page.goto(f"{stack.url}/docs#code=used")
    expect(page.get_by_text("This link has been used")).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.locator("#notice")).not_to_contain_text("`")
    expect(page.get_by_text("Bearer Token")).to_be_visible(timeout=WAIT_MILLISECONDS)
    (said,) = complaints
    assert "404" in said
