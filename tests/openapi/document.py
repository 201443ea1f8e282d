"""build/openapi.json, and what it says a reply has to be."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from tools.openapi import finished
from tools.stack.settings import REPOSITORY

FILE = REPOSITORY / "build" / "openapi.json"


@cache
def document() -> dict[str, Any]:
    """Return the committed file."""
    return dict(json.loads(FILE.read_text()))


@cache
def operations() -> dict[str, dict[str, Any]]:
    """Return what is said of each operation, by id."""
    return {told["operationId"]: told for _verb, _path, told in finished.operations(document())}


@cache
def places() -> dict[str, tuple[str, str]]:
    """Return the verb and the path of each operation, by id."""
    found = finished.operations(document())
    return {told["operationId"]: (verb, path) for verb, path, told in found}


def resolved(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands somewhere, or what it refers to."""
    return finished.resolved(document(), told)


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Return what tells whether something is as a schema of the document says."""
    return Draft202012Validator(
        {**schema, "components": document()["components"]}, format_checker=FormatChecker()
    )


@cache
def reply_validator(operation: str, status: int) -> Draft202012Validator:
    """Return the same for the body of a reply; the status has to be documented."""
    response = resolved(operations()[operation]["responses"][str(status)])
    return validator(finished.json_schema(response))


def complaints(operation: str, status: int, headers: Mapping[str, str], body: Any) -> list[str]:
    """Return what is wrong with a reply by the document."""
    responses = operations()[operation]["responses"]
    if str(status) not in responses:
        return [f"{operation}: {status} is not documented"]
    wrong = [
        f"{operation} {status}: {error.json_path}: {error.message}"
        for error in reply_validator(operation, status).iter_errors(body)
    ]
    for name, told in resolved(responses[str(status)])["headers"].items():
        header = resolved(told)
        if name not in headers:
            if header.get("required"):
                wrong.append(f"{operation} {status}: no header {name}")
        else:
            sent: object = headers[name]
            if header["schema"]["type"] == "integer":
                sent = int(headers[name])
            wrong += [
                f"{name}: {one.message}" for one in validator(header["schema"]).iter_errors(sent)
            ]
    return wrong
