"""Refusals as OpenAPI has them: the shape of an error, and a response for each status of HTTP."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pkg.grpc.refusals import DOMAIN
from tools.openapi.limits import Schema
from tools.openapi.reasons import EVERYWHERE, REASONS, Reason
from tools.openapi.schemas import REF

Key = tuple[int, str]

# Statuses after which the same request may go better; the header says when.
AGAIN: Final = {409, 429, 503}
_TYPE: Final = "type.googleapis.com/google.rpc."
# Statuses that an operation has reasons of its own for.
_VARIED: Final = {400, 404, 409}

_INFO: Schema = {
    "type": "object",
    "description": "Why, for programs.",
    "properties": {
        "@type": {"type": "string", "const": f"{_TYPE}ErrorInfo"},
        "reason": {
            "type": "string",
            "description": "Never changes its meaning. More may be added.",
            "enum": sorted({name for _, name in REASONS}),
        },
        "domain": {"type": "string", "const": DOMAIN},
        "metadata": {
            "type": "object",
            "description": "What the reason is about, if it says more.",
            "additionalProperties": {"type": "string"},
        },
    },
    "required": ["@type", "reason", "domain", "metadata"],
}
_VIOLATION: Schema = {
    "type": "object",
    "description": "What is wrong with one field. What was sent is never repeated.",
    "properties": {
        "field": {
            "type": "string",
            "description": "Its path in the request.",
            "examples": ["amount.minor_units"],
        },
        "description": {"type": "string", "examples": ["must be greater than 0"]},
        "reason": {"type": "string", "description": "Always empty."},
    },
    "required": ["field", "description", "reason"],
}
_BAD_REQUEST: Schema = {
    "type": "object",
    "description": "All that is wrong with the fields of the request.",
    "properties": {
        "@type": {"type": "string", "const": f"{_TYPE}BadRequest"},
        "field_violations": {"type": "array", "items": {"$ref": f"{REF}FieldViolation"}},
    },
    "required": ["@type", "field_violations"],
}
_ERROR: Schema = {
    "type": "object",
    "description": "A google.rpc.Status: why a request was refused.",
    "properties": {
        "code": {
            "type": "integer",
            "format": "int32",
            "description": "The code that gRPC has for it.",
        },
        "message": {"type": "string", "description": "Why, for people."},
        "details": {
            "type": "array",
            "description": "Always an ErrorInfo first; then, for bad input, a BadRequest.",
            "items": {"oneOf": [{"$ref": f"{REF}ErrorInfo"}, {"$ref": f"{REF}BadRequest"}]},
            "minItems": 1,
        },
    },
    "required": ["code", "message", "details"],
}
SCHEMAS: Final = {
    "Error": _ERROR,
    "ErrorInfo": _INFO,
    "BadRequest": _BAD_REQUEST,
    "FieldViolation": _VIOLATION,
}


def error_body(
    reason: Reason,
    *,
    message: str = "",
    metadata: Mapping[str, str] | None = None,
    violations: Mapping[str, str] | None = None,
) -> Schema:
    """Return the error that says so, as it is printed."""
    details: list[Schema] = [
        {
            "@type": f"{_TYPE}ErrorInfo",
            "reason": reason.name,
            "domain": DOMAIN,
            "metadata": dict(metadata or {}),
        }
    ]
    if violations:
        told = [
            {"field": field, "description": text, "reason": ""}
            for field, text in violations.items()
        ]
        details.append({"@type": f"{_TYPE}BadRequest", "field_violations": told})
    return {"code": reason.code, "message": message or reason.message, "details": details}


def example_name(key: Key) -> str:
    """Return what the general example of a reason is called."""
    status, name = key
    alone = [known for known in REASONS if known[1] == name] == [key]
    return name if alone else f"{name}.{status}"


def response_name(status: int) -> str:
    """Return what a response is called that operations have in common."""
    return f"Status{status}"


def shared_responses() -> dict[str, Schema]:
    """Return, by name, what any operation may answer with."""
    statuses = sorted({status for status, _ in EVERYWHERE} - _VARIED)
    return {
        response_name(status): error_response(
            status, [key for key in EVERYWHERE if key[0] == status]
        )
        for status in statuses
    }


def responses_of(
    reasons: Iterable[Key], examples: Mapping[Key, Mapping[str, Schema]]
) -> dict[str, Schema]:
    """Return the refusals of an operation, by status.

    Args:
        reasons: All that it gives.
        examples: Its own, by reason and name; for other reasons there are general ones.
    """
    by_status: dict[int, list[Key]] = {}
    for key in sorted(set(reasons)):
        by_status.setdefault(key[0], []).append(key)
    found: dict[str, Schema] = {}
    for status, keys in by_status.items():
        if status in _VARIED or any(key in examples for key in keys):
            found[str(status)] = error_response(status, keys, examples)
        else:
            found[str(status)] = {"$ref": f"#/components/responses/{response_name(status)}"}
    return found


def error_response(
    status: int, keys: list[Key], own: Mapping[Key, Mapping[str, Schema]] | None = None
) -> Schema:
    """Return a response with one of these reasons."""
    names = [name for _, name in keys]
    told = "\n".join(f"- `{name}`: {REASONS[status, name].message}" for name in names)
    reason = {"type": "string", "enum": names}
    info = {"type": "object", "properties": {"reason": reason}, "required": ["reason"]}
    details = {"type": "array", "contains": info}
    narrowed = {"type": "object", "properties": {"details": details}}
    headers = {"x-request-id": {"$ref": "#/components/headers/x-request-id"}}
    if status in AGAIN:
        headers["retry-after"] = {"$ref": "#/components/headers/retry-after"}
    if status == 401:
        headers["www-authenticate"] = {"$ref": "#/components/headers/www-authenticate"}
    examples: dict[str, Any] = {}
    for key in keys:
        general = {example_name(key): {"$ref": f"#/components/examples/{example_name(key)}"}}
        examples |= (own or {}).get(key) or general
    return {
        "description": told,
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {"allOf": [{"$ref": f"{REF}Error"}, narrowed]},
                "examples": examples,
            }
        },
    }
