"""No card's number and no CVV in what the Python client prints, logs or raises."""

import logging
import pickle
import re
import traceback
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from paygate_client import Card, EndpointSecret, Expiry, Money, Paygate, PaygateError
from paygate_client import _requests as requests
from tests.client.gateway import API_KEY, DONE, URL, Answer, Script, refused, said
from tests.leaks import Search, Secrets
from tests.sentinels import AMEX, AMEX_CVV

CARD, POUND = Card(AMEX, Expiry(12, 2035), AMEX_CVV), Money(100, "GBP")
SEARCH = Search(Secrets(pans=(AMEX,)))


def assert_silent(text: str) -> None:
    """Assert that a text has neither the number nor the CVV."""
    assert SEARCH.of(text.encode()) == []
    # Alone: four digits are in many a random id, address and time.
    assert not re.search(rf"(?<![\w.-]){AMEX_CVV}(?![\w.-])", text)


def told(error: BaseException) -> str:
    """Return a traceback with the values of all variables, as error trackers collect it."""
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    chain, lines = [found], list[str]()
    while chain:
        one = chain.pop()
        lines += [*one.format_exception_only(), *(str(frame.locals) for frame in one.stack)]
        chain += [next_ for next_ in (one.__cause__, one.__context__) if next_]
    return "\n".join(lines)


def authorize(*answers: Answer, **named: Any) -> object:
    """Authorize on the card, and return what comes of it."""
    script = Script(answers)
    with Paygate(URL, API_KEY, transport=script, deadline_seconds=0.2) as paygate:
        return paygate.authorize(**{"amount": POUND, "card": CARD, **named})


def test_the_search_finds_what_it_looks_for() -> None:
    """A traceback that holds the body would be noticed."""

    def fail(_: bytes | None) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError) as raised:
        fail(requests.authorize(POUND, card=CARD, card_token=None, reference="").content())
    assert SEARCH.of(told(raised.value).encode())
    for text in (told(raised.value), f'"cvv": "{AMEX_CVV}"', f"b'{AMEX_CVV}'", f"cvv={AMEX_CVV}, "):
        with pytest.raises(AssertionError):
            assert_silent(text)


@pytest.mark.parametrize(
    "act",
    [
        lambda: authorize(httpx2.ConnectError),
        lambda: authorize(httpx2.ReadError),
        lambda: authorize(httpx2.WriteTimeout),
        lambda: authorize(refused(400, "VALIDATION_FAILED")),
        lambda: authorize(refused(503, "OVERLOADED")),
        lambda: authorize(httpx2.Response(200, text="<html>")),
        lambda: authorize(said(DONE), amount=1000),
        lambda: authorize(said(DONE), reference=b"bytes"),
        lambda: authorize(said(DONE), reference={1, 2}),
        lambda: authorize(said(DONE), card_token="tok_1"),
        lambda: authorize(said(DONE), idempotency_key="ä"),
        lambda: closed().authorize(POUND, card=CARD),
    ],
)
def test_no_error_holds_the_card(
    act: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the error, nor what it came from, nor any variable on the way, nor the log."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each kind of it
        act()
    assert_silent(told(raised.value))
    assert_silent(repr(raised.value))
    assert_silent(caplog.text)
    if isinstance(raised.value, PaygateError):
        again = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own
        assert again.problem == raised.value.problem


def test_no_log_holds_the_card(caplog: pytest.LogCaptureFixture) -> None:
    """With all that the client and what it stands on have to say."""
    caplog.set_level(logging.DEBUG)
    authorize(refused(503, "OVERLOADED"), said(DONE))
    assert "authorize: OVERLOADED, again in" in caplog.text
    assert_silent(caplog.text)


def test_what_is_on_its_way_does_not_print() -> None:
    """A call prints without its body, and a new signing secret does not print."""
    assert_silent(repr(requests.authorize(POUND, card=CARD, card_token=None, reference="r")))
    endpoint: Any = None
    assert "whsec" not in repr(EndpointSecret(endpoint=endpoint, secret="whsec_abc"))


def closed() -> Paygate:
    """Return a client that was closed."""
    paygate = Paygate(URL, API_KEY)
    paygate.close()
    return paygate
