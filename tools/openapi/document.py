"""The whole document, put together."""

import json
from pathlib import Path
from typing import Any, Final

from tools.openapi import errors, operations, shown, webhooks
from tools.openapi.api import PREFIX, Api
from tools.openapi.limits import Schema
from tools.openapi.schemas import Schemas

ABOUT: Final = Path(__file__).with_name("about.md")

_HEADERS: Final[dict[str, Schema]] = {
    "x-request-id": {
        "description": "Names the request: say it when you report a problem.",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
    "idempotent-replayed": {
        "description": "There if this is the stored reply of an earlier request.",
        "schema": {"type": "string", "const": "true"},
    },
    "retry-after": {
        "description": "After how many seconds the same request may go better.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "www-authenticate": {
        "description": "How to show who you are.",
        "required": True,
        "schema": {"type": "string", "const": "Bearer"},
    },
}
_KEY: Final[Schema] = {
    "name": "idempotency-key",
    "in": "header",
    "required": False,
    "description": (
        "Makes it safe to repeat a request: the same key with the same request gets the stored"
        " reply for 24 hours. A fresh one, such as a UUID, for each thing that you want done."
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


def document_of(api: Api) -> dict[str, Any]:
    """Return the API as OpenAPI 3.1."""
    schemas = Schemas(api)
    paths = operations.paths_of(api, schemas)
    posted = webhooks.webhooks_of(api, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "paygate",
            "version": "v1",
            "summary": "A payments gateway.",
            "description": ABOUT.read_text("utf-8").strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": "/", "description": "Where this document is."},
            {"url": PREFIX, "description": "The same, by the API's version."},
        ],
        "security": [{"key": []}],
        "tags": _tags(api),
        "paths": paths,
        "webhooks": posted,
        "components": _components(schemas),
    }


def printed(document: dict[str, Any]) -> str:
    """Return a document as it is written into a file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _tags(api: Api) -> list[Schema]:
    services = {operation.method.containing_service.full_name for operation in api.operations}
    names = sorted(services, key=list(api.comments).index)
    return [
        *(
            {
                "name": operations.tag_of(name.rpartition(".")[2]),
                "description": api.comments[name],
            }
            for name in names
        ),
        {"name": "Events", "description": "What is posted to your webhook endpoints."},
    ]


def _components(schemas: Schemas) -> Schema:
    return {
        "securitySchemes": {
            "key": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key, such as `sk_…`. `make run` prints one.",
            }
        },
        "parameters": {"idempotency-key": _KEY, **webhooks.parameters()},
        "headers": _HEADERS,
        "responses": errors.shared_responses(),
        "examples": shown.general(),
        "schemas": {**schemas.made, **errors.SCHEMAS},
    }
