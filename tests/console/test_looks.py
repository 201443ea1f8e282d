"""What is the browser's own looks like the rest, and nothing lies over what one wants to press."""

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.console.browsing import accessible
from tests.console.conftest import NewPage
from tests.console.merchants import Merchant

pytestmark = pytest.mark.browser

_GROUND = "getComputedStyle(document.body).backgroundColor"


def test_a_choice_looks_like_the_rest_and_keeps_its_keys(
    new_console: NewPage, merchant: Merchant
) -> None:
    """It is the browser's own: letters go to its options, and to no shortcut of the page."""
    page = new_console("#/payments", key=merchant.key)
    status = page.get_by_role("combobox", name="Status")
    expect(status).to_have_css("appearance", "base-select")
    status.focus()
    page.keyboard.press("Enter")
    assert status.evaluate("(one) => one.matches(':open')")
    accessible(page)
    for key in ("n", "g"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    assert not status.evaluate("(one) => one.matches(':open')")
    assert page.url.endswith("#/payments")
    status.select_option("Voided")
    assert page.url.endswith("status=STATUS_VOIDED")


def test_the_theme_is_said_and_can_be_chosen_either_way(
    new_console: NewPage, merchant: Merchant
) -> None:
    """Also that of the system again, as it is then."""
    page = new_console("#/payments", key=merchant.key, color_scheme="dark")
    theme = page.get_by_role("combobox", name="Theme")
    expect(theme).to_have_value("system")
    dark = page.evaluate(_GROUND)
    theme.select_option("Light")
    light = page.evaluate(_GROUND)
    assert light != dark
    page.reload()
    expect(theme).to_have_value("light")
    assert page.evaluate(_GROUND) == light
    theme.select_option("Dark")
    assert page.evaluate(_GROUND) == dark
    theme.select_option("System")
    assert page.evaluate(_GROUND) == dark
    page.emulate_media(color_scheme="light")
    assert page.evaluate(_GROUND) == light


@pytest.mark.parametrize("width", [1440, 900, 360])
def test_what_is_said_lies_over_nothing(
    new_console: NewPage, merchant: Merchant, width: int
) -> None:
    """Neither over the timeline nor over buttons: it stands where the navigation is."""
    merchant.endpoint("https://inbox.paygate.test/")
    payment_id = merchant.authorize()
    size = ViewportSize(width=width, height=740)
    page = new_console(f"#/payments/{payment_id}", key=merchant.key, viewport=size)
    page.get_by_role("button", name="Redeliver").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text(re.compile("The event is on its way"))
    toast.evaluate("(one) => Promise.all(one.getAnimations().map((each) => each.finished))")
    assert is_inside(page, ".toast", ".side")


def is_inside(page: Page, inner: str, outer: str) -> bool:
    """Return whether one box is within another, to the pixel."""
    return bool(
        page.evaluate(
            """(names) => {
                const box = (one) => document.querySelector(one).getBoundingClientRect();
                const [a, b] = names.map(box);
                const across = a.left >= b.left && a.right <= b.right;
                return across && a.top >= b.top && a.bottom <= b.bottom;
            }""",
            [inner, outer],
        )
    )
