"""The reference in a real browser: the printed link is all that a payment takes."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack

pytestmark = pytest.mark.browser


def test_who_follows_the_link_sends_a_payment(stack: Stack, page: Page) -> None:
    """The key is filled in, Authorize is sent as it stands, and nothing is stored for later.

    Each request has an idempotency key of its own.
    """
    (link,) = re.findall(r"^  docs +(\S+)", stack.output, re.MULTILINE)
    page.goto(link)
    expect(page.get_by_text("Bearer Token")).to_be_visible()
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
    expect(page.get_by_text("200 OK")).to_be_visible()
    expect(page.get_by_text(payment["id"]).first).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).length") == 0
    assert page.context.cookies() == []


def test_a_link_that_was_used_says_so(stack: Stack, page: Page) -> None:
    """And the reference is there all the same."""
    page.goto(f"{stack.url}/docs#code=used")
    expect(page.get_by_text("This link has been used")).to_be_visible()
    expect(page.locator("#notice")).not_to_contain_text("`")
    expect(page.get_by_text("Bearer Token")).to_be_visible()
