"""Each call of the sandbox's API, built of its arguments."""

from datetime import timedelta

from paygate_client import _decode as read
from paygate_client._call import Call, part
from paygate_client._requests import listing, posted
from paygate_client.enums import ListenerProblem
from paygate_client.models import Page
from paygate_client.sandbox_models import (
    Clock,
    Drained,
    Due,
    InboxMessage,
    ListenerMessage,
    TestCard,
)


def get_clock() -> Call[Clock]:
    """Look at the sandbox's clock."""
    return Call(name="get clock", method="GET", path="/sandbox/clock", read=read.clock)


def advance_clock(by: timedelta) -> Call[Clock]:
    """Turn the sandbox's clock forward."""
    return posted("advance clock", "/sandbox/clock/advance", {"by": _seconds(by)}, read.clock)


def drain(timeout: timedelta) -> Call[Drained]:
    """Wait until nothing is due."""
    return Call(
        name="drain",
        method="POST",
        path="/sandbox/drain",
        body={"timeout": _seconds(timeout)},
        read=read.drained,
        waits_seconds=timeout.total_seconds(),
    )


def reset() -> Call[int]:
    """Remove all that is the merchant's."""
    return posted("reset", "/sandbox/reset", {}, read.under("payments", int))


def list_inbox(*, token: str) -> Call[Page[InboxMessage]]:
    """One page of what came into the inbox."""
    found = read.page("messages", read.inbox_message)
    return listing("list inbox", "/sandbox/inbox", found, token=token, follow=False)


def take_webhooks(
    endpoint_id: str, listener: str, *, begin: bool, wait: timedelta
) -> Call[tuple[ListenerMessage, ...]]:
    """Wait for messages to an endpoint for listeners."""
    return Call(
        name="take webhooks",
        method="POST",
        path=f"/sandbox/listeners/{part(endpoint_id)}/take",
        body={"listener": listener, "begin": begin, "wait": _seconds(wait)},
        read=read.all_under("messages", read.listener_message),
        waits_seconds=wait.total_seconds(),
    )


def answer_webhook(
    endpoint_id: str,
    message_id: str,
    *,
    status_code: int,
    problem: ListenerProblem | None,
    reply: str,
) -> Call[bool]:
    """Tell what came of posting a message."""
    body: dict[str, object] = {"status_code": status_code, "reply": reply}
    if problem:
        body["problem"] = problem
    return Call(
        name="answer webhook",
        method="POST",
        path=f"/sandbox/listeners/{part(endpoint_id)}/messages/{part(message_id)}/answer",
        body=body,
        read=read.under("counted", bool),
    )


def list_due() -> Call[tuple[Due, ...]]:
    """List what time brings next."""
    found = read.all_under("due", read.due)
    return Call(name="list due", method="GET", path="/sandbox/due", read=found)


def list_test_cards() -> Call[tuple[TestCard, ...]]:
    """List the cards of the simulated bank."""
    found = read.all_under("cards", read.test_card)
    return Call(name="list test cards", method="GET", path="/sandbox/test-cards", read=found)


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.6f}s"
