"""What is posted to a merchant's endpoints: one webhook for each type of events."""

from datetime import timedelta
from typing import Final

from services.events.schedule import DELAYS
from tools.openapi import shown
from tools.openapi.api import Api
from tools.openapi.limits import Schema
from tools.openapi.schemas import REF, Schemas

EVENT: Final = "paygate.webhooks.v1.Event"
# Each type of events, and what became true.
EVENTS: Final = {
    "payment.authorized": "The bank has reserved the amount.",
    "payment.declined": "The bank has declined the authorization.",
    "payment.failed": "The authorization came to nothing.",
    "payment.captured": "Money was taken.",
    "payment.capture_declined": "The bank has declined a capture.",
    "payment.capture_failed": "A capture came to nothing.",
    "payment.voided": "The payment was cancelled before anything was captured.",
    "payment.remainder_voided": "What no capture has taken was released.",
    "payment.void_declined": "The bank has declined a void.",
    "payment.void_failed": "A void came to nothing.",
    "payment.refunded": "Captured money was given back.",
    "payment.refund_declined": "The bank has declined a refund.",
    "payment.refund_failed": "A refund came to nothing.",
    "payment.expired": "The authorization ran out, and what was left of it was released.",
    "webhook.test": "The merchant tries the endpoint.",
}
_HEADERS: Final = {
    "webhook-id": ("The event's id, the same for every attempt: drop repeated ones by it.", ""),
    "webhook-timestamp": ("When it was posted, in seconds since 1970.", "^[0-9]+$"),
    "webhook-signature": (
        "One signature or, while a secret rotates, several with spaces (Standard Webhooks 1.0).",
        r"^v1,[A-Za-z0-9+/]+=*( v1,[A-Za-z0-9+/]+=*)*$",
    ),
}
_ANSWERS: Final = {
    "2XX": "The event was taken. Nothing but the status is read.",
    "410": "The endpoint wants no more events, and is disabled.",
    "default": (
        f"The event is posted again later, {len(DELAYS)} times"
        f" in {sum(DELAYS, timedelta()).days} days."
    ),
}


def webhooks_of(api: Api, schemas: Schemas) -> dict[str, Schema]:
    """Return a webhook for each type of events."""
    schemas.reply(api.pool.FindMessageTypeByName(EVENT))
    return {name: {"post": _posted(name, text)} for name, text in EVENTS.items()}


def parameters() -> dict[str, Schema]:
    """Return the headers of webhooks, by name."""
    return {name: _header(name, *said) for name, said in _HEADERS.items()}


def _header(name: str, text: str, pattern: str) -> Schema:
    schema: Schema = {"type": "string"}
    if pattern:
        schema["pattern"] = pattern
    return {"name": name, "in": "header", "required": True, "description": text, "schema": schema}


def _posted(name: str, text: str) -> Schema:
    event = {
        "allOf": [
            {"$ref": f"{REF}Event"},
            {"type": "object", "properties": {"type": {"type": "string", "const": name}}},
        ]
    }
    content = {"schema": event, "examples": {name: {"value": shown.event(name)}}}
    words = name.replace(".", "_").split("_")
    return {
        "operationId": "on" + "".join(word.capitalize() for word in words),
        "tags": ["Events"],
        "summary": text.removesuffix("."),
        "security": [],
        "parameters": [{"$ref": f"#/components/parameters/{header}"} for header in _HEADERS],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {status: {"description": said} for status, said in _ANSWERS.items()},
    }
