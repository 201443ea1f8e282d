"""Examples as the document shows them: beside requests, replies, refusals and webhooks."""

from typing import Any, Final

from services.events.event_messages import TEST_TYPE
from tools.openapi import examples
from tools.openapi.errors import Key, error_body, example_name
from tools.openapi.examples import Example
from tools.openapi.limits import Schema
from tools.openapi.reasons import REASONS, with_name

Examples = dict[str, Schema]

_FAILED: Final = {
    "payment.void_failed": "payment.void_declined",
    "payment.refund_failed": "payment.refund_declined",
}
# Of what no example is told.
_SAYS_MORE: Final = {"INTERNAL": {"request_id": "5f3a0e8c-2b77-4d1a-9c55-0a6e8f1d2b34"}}
_EVENT_ID: Final = "evt_01kb5va2e9q4n7c1x8m3w6t0hd"
_TEST_TIME: Final = "2026-11-28T12:00:00.039Z"


def bodies(operation: str) -> Examples:
    """Return the bodies of requests that are carried out."""
    return {
        one.name: {"summary": one.says, "value": one.body}
        for one in examples.examples_of(operation)
        if one.body is not None and one.reply is not None
    }


def values(operation: str, parameter: str) -> Examples:
    """Return what a parameter is in requests that are carried out."""
    return {
        one.name: {"summary": one.says, "value": one.parameters[parameter]}
        for one in examples.examples_of(operation)
        if parameter in one.parameters and one.reply is not None
    }


def replies(operation: str) -> Examples:
    """Return what such requests get."""
    return {
        one.name: {"summary": one.says, "value": one.reply}
        for one in examples.examples_of(operation)
        if one.reply is not None
    }


def refusals(operation: str) -> dict[Key, Examples]:
    """Return what requests get that are refused."""
    found: dict[Key, Examples] = {}
    for one in examples.examples_of(operation):
        if one.reason:
            key = with_name(one.reason, one.status).key
            found.setdefault(key, {})[one.name] = {"summary": one.says, "value": refused(one)}
    return found


def refused(one: Example) -> Schema:
    """Return the error that an example gets."""
    return error_body(
        with_name(one.reason, one.status),
        message=one.message,
        metadata=one.metadata,
        violations=one.violations,
    )


def general() -> Examples:
    """Return an example of every reason: the first that is told, or what is always the same."""
    told: dict[Key, Schema] = {}
    for one in examples.story():
        if one.reason:
            told.setdefault(with_name(one.reason, one.status).key, refused(one))
    return {
        example_name(key): {
            "summary": reason.message,
            "value": told.get(key) or error_body(reason, metadata=_SAYS_MORE.get(reason.name)),
        }
        for key, reason in sorted(REASONS.items())
    }


def event(kind: str) -> Schema:
    """Return an event of a type: with the payment and the action of the example that made it.

    A test is about none.
    """
    if kind == TEST_TYPE:
        return {"id": _EVENT_ID, "type": kind, "sequence": "1", "create_time": _TEST_TIME}
    source = examples.events().get(_FAILED.get(kind, kind), "")
    reply: dict[str, Any] = examples.by_id(source).reply
    payment = {**reply["payment"], "actions": []}
    action = dict(reply.get("action") or reply["payment"]["actions"][-1])
    if kind in _FAILED:
        action["status"] = "STATUS_FAILED"
        del action["decline"]
    return {
        "id": _EVENT_ID,
        "type": kind,
        "data": {"payment": payment, "action": action},
        "sequence": str(2 * int(action["sequence"])),
        "create_time": action["update_time"],
    }
