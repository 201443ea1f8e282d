"""What these tests stand on notices mistakes: each kind is made once, on purpose."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.console.browsing import Watch, accessible
from tests.e2e.stack import Stack

pytestmark = pytest.mark.browser


@pytest.fixture
def watched(browser: Browser, stack: Stack) -> Iterator[tuple[Page, Watch]]:
    """The console in a tab where something may go wrong."""
    context = browser.new_context()
    watch = Watch(context)
    page = context.new_page()
    page.goto(f"{stack.url}/console")
    page.get_by_label("API key").wait_for()
    yield page, watch
    context.close()


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("console.error('oops')", "oops"),
        ("setTimeout(() => { throw new Error('oops') })", "oops"),
        ("Promise.reject(new Error('oops')) && 1", "oops"),
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        (
            "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
            "scr",
        ),
        ("fetch('http://127.0.0.1:1/').catch(() => 1)", "connect-src"),
        ("fetch('/console/missing.js')", "404"),
    ],
)
def test_what_goes_wrong_is_noticed(
    watched: tuple[Page, Watch], stack: Stack, mistake: str, said: str
) -> None:
    """By the name that the browser has for it."""
    page, watch = watched
    watch.check(f"127.0.0.1:{stack.port}")
    with page.context.expect_event(
        "weberror" if "Error" in mistake else "console", lambda _: bool(watch.complaints)
    ):
        page.evaluate(f"() => {{ {mistake} }}")
    assert any(said in complaint for complaint in watch.complaints), watch.complaints


def test_an_answer_that_is_an_error_is_no_mistake(
    watched: tuple[Page, Watch], stack: Stack
) -> None:
    """A view shows it, and its test looks there."""
    page, watch = watched
    assert page.evaluate("fetch('/payments').then((reply) => reply.status)") == 401
    watch.check(f"127.0.0.1:{stack.port}")


def test_another_host_is_noticed(watched: tuple[Page, Watch]) -> None:
    """Though nobody stops a tab from going there."""
    _, watch = watched
    with pytest.raises(AssertionError, match="127"):
        watch.check("127.0.0.1:1")


def test_what_keeps_people_out_is_noticed(watched: tuple[Page, Watch]) -> None:
    """A button without a name is nothing to who can't see it."""
    page, _ = watched
    page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")
    with pytest.raises(AssertionError, match="critical"):
        accessible(page)
