"""What waits for a stack to be whole again."""

import time

import urllib3

from tests.e2e.stack import Stack

SECONDS_MAX = 30.0
OF_EACH = ("/health", "/payments", "/webhook-endpoints")


def settle(stack: Stack) -> None:
    """Wait until all of it answers, and until nothing of the demo merchant is under way."""
    deadline = time.monotonic() + SECONDS_MAX
    while not _is_whole(stack):
        assert time.monotonic() < deadline, stack.output
        time.sleep(0.1)


def _is_whole(stack: Stack) -> bool:
    try:
        if any(_ask(stack, "GET", path).status != 200 for path in OF_EACH):
            return False
        drained = _ask(stack, "POST", "/sandbox/drain")
        return drained.status == 200 and bool(drained.json()["drained"])
    except urllib3.exceptions.HTTPError:
        return False


def _ask(stack: Stack, method: str, path: str) -> urllib3.BaseHTTPResponse:
    headers = {"authorization": f"Bearer {stack.api_key}", "content-type": "application/json"}
    body = "{}" if method == "POST" else None
    return urllib3.request(
        method, stack.url + path, headers=headers, body=body, retries=False, timeout=15.0
    )
