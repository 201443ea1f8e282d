"""The habits of HTTP with the services behind: HEAD with and without a key, and cookies."""

import pytest
import urllib3

from tests.e2e.edge_replies import COOKIES
from tests.e2e.stack import Stack


def ask(stack: Stack, method: str, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
    """Send a request with 20 kB of a browser's cookies."""
    return urllib3.request(
        method,
        stack.url + path,
        headers={"cookie": COOKIES, **headers},
        retries=False,
        timeout=10.0,
    )


@pytest.mark.parametrize("path", ["/payments", "/v1/payments?page_size=1", "/webhook-endpoints"])
def test_head_needs_the_key_that_get_needs(stack: Stack, path: str) -> None:
    """With it the answer is GET's without the body, without it 401."""
    key = f"Bearer {stack.api_key}"
    for method in ("GET", "HEAD"):
        read, refused = ask(stack, method, path, authorization=key), ask(stack, method, path)
        assert (read.status, refused.status) == (200, 401)
        assert refused.headers["www-authenticate"] == "Bearer"
        assert {bool(read.data), bool(refused.data)} == {method == "GET"}


@pytest.mark.parametrize("path", ["/payments/{}", "/v1/payments/{}", "/payments/{}/actions"])
def test_what_is_not_there_is_404_under_both_names(stack: Stack, path: str) -> None:
    """`/payment/{id}` and `/payments/{id}` are one thing."""
    reply = ask(stack, "GET", path.format("pay_unknown"), authorization=f"Bearer {stack.api_key}")
    assert reply.status == 404
    assert reply.json()["details"][0]["reason"] == "PAYMENT_NOT_FOUND"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "There is no API key: send it as `authorization: Bearer sk_…`."),
        (
            {"authorization": f"Bearer sk_{'0' * 16}_{'0' * 64}"},
            "The API key is not valid: it is sent as `authorization: Bearer sk_…`.",
        ),
    ],
    ids=["none", "a wrong one"],
)
def test_who_shows_no_key_is_told_apart(stack: Stack, headers: dict[str, str], said: str) -> None:
    """By the text alone; the reason is one."""
    reply = ask(stack, "GET", "/payments", **headers)
    assert (reply.status, reply.json()["message"]) == (401, said)
    assert reply.json()["details"][0]["reason"] == "INVALID_API_KEY"
