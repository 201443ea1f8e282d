"""Paths: each operation with its parameters, its body, and all that it answers."""

from typing import Any, Final

from pkg.grpc.scopes import allowed
from tools.edge.tables import is_required
from tools.openapi import shown
from tools.openapi.api import Api, Operation, UnsupportedError
from tools.openapi.comments import in_words
from tools.openapi.errors import Key, responses_of
from tools.openapi.finished import EVENT_STREAM, JSON
from tools.openapi.limits import Schema
from tools.openapi.links import LINKS
from tools.openapi.reasons import EVERYWHERE, KEYED, NOWHERE, OWN, REASONS, WITH_BODY, WITH_KEY
from tools.openapi.schemas import Schemas

SANDBOX: Final = "SandboxService"
_KEY: Final = {"$ref": "#/components/parameters/idempotency-key"}


def paths_of(api: Api, schemas: Schemas) -> dict[str, Schema]:
    """Return all operations by path and verb, in the order of the protos."""
    paths: dict[str, Schema] = {}
    for operation in api.operations:
        paths.setdefault(operation.path, {})[operation.verb] = _described(api, schemas, operation)
    return paths


def reasons_of(operation: Operation) -> set[Key]:
    """Return all reasons for which an operation may be refused.

    Raises:
        UnsupportedError: Nobody has said which.
    """
    if operation.id not in OWN:
        raise UnsupportedError(f"{operation.id}: tools/openapi/reasons.py names no reasons for it")
    names = set(OWN[operation.id])
    found = {key for key in REASONS if key[1] in names}
    found |= set(EVERYWHERE)
    if operation.has_body:
        found |= set(WITH_BODY)
    if operation.id in KEYED:
        found |= set(WITH_KEY)
    if operation.in_path or operation.method.containing_service.name == SANDBOX:
        found |= set(NOWHERE)
    return found


def tag_of(service: str) -> str:
    """Return what the operations of a service are listed under."""
    name = service.removesuffix("Service")
    return name if name == "Sandbox" else f"{name}s"


def _described(api: Api, schemas: Schemas, operation: Operation) -> Schema:
    service = operation.method.containing_service
    comment = api.comments[operation.method.full_name]
    told: Schema = {
        "operationId": operation.id,
        "tags": [tag_of(service.name)],
        "summary": in_words(operation.method.name),
        "description": "\n\n".join([comment, *_more(operation)]),
    }
    if parameters := _parameters(schemas, operation):
        told["parameters"] = parameters
    if operation.has_body:
        told["requestBody"] = _body(schemas, operation)
    told["responses"] = {
        "200": _done(api, schemas, operation),
        **responses_of(reasons_of(operation), shown.refusals(operation.id)),
    }
    return told


def _more(operation: Operation) -> list[str]:
    """Return what the comment does not say, as paragraphs."""
    method = operation.method
    scopes = sorted(allowed(f"/{method.containing_service.full_name}/{method.name}"))
    said = [f"For keys with the scope {' or '.join(f'`{scope}`' for scope in scopes)}."]
    if operation.elsewhere:
        also = " and ".join(f"`{request}`" for request in operation.elsewhere)
        said.append(f"Also answers at {also}.")
    return said


def _parameters(schemas: Schemas, operation: Operation) -> list[Schema]:
    found: list[Schema] = []
    for field in operation.request.fields:
        in_path = field.name in operation.in_path
        if operation.has_body and not in_path:
            continue
        schema = schemas.field(field, "request")
        parameter: dict[str, Any] = {"name": field.name, "in": "path" if in_path else "query"}
        if text := schema.pop("description", ""):
            parameter["description"] = text
        parameter["required"] = in_path or is_required(field)
        parameter["schema"] = schema
        if examples := shown.values(operation.id, field.name):
            parameter["examples"] = examples
        found.append(parameter)
    return [*found, _KEY] if operation.id in KEYED else found


def _body(schemas: Schemas, operation: Operation) -> Schema:
    needed = [
        field
        for field in operation.request.fields
        if is_required(field) and field.name not in operation.in_path
    ]
    schema = schemas.body(operation.request, operation.in_path)
    content: Schema = {"schema": schema}
    if examples := shown.bodies(operation.id):
        content["examples"] = examples
    return {"required": bool(needed), "content": {"application/json": content}}


def _done(api: Api, schemas: Schemas, operation: Operation) -> Schema:
    headers = {"x-request-id": {"$ref": "#/components/headers/x-request-id"}}
    if operation.id in KEYED:
        name = "idempotent-replayed"
        headers[name] = {"$ref": f"#/components/headers/{name}"}
    told: Schema = {
        "description": api.comments[operation.response.full_name],
        "headers": headers,
        "content": {
            # Of a stream it is the schema of what stands behind each `data: `.
            (EVENT_STREAM if operation.streams else JSON): {
                "schema": schemas.reply(operation.response),
                "examples": shown.replies(operation.id),
            }
        },
    }
    if links := LINKS.get(operation.id):
        told["links"] = links
    return told
