"""The examples as a collection for Postman, Bruno and newman: one request after the other."""

import json
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from pkg.ids import SUFFIX_PATTERN
from tools.openapi.api import Api, Operation
from tools.openapi.examples import Example, story
from tools.openapi.operations import tag_of

FORM: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
ABOUT: Final = (
    "The examples of the API in order, as they go one after the other. It ends by turning the"
    " sandbox's clock and emptying it: what else the merchant of the key has made is then gone."
    " `make run` writes the address and a key into a file, whose path `make ready` prints."
)
_ADDRESS: Final = "PAYGATE_URL"
_KEY: Final = "PAYGATE_API_KEY"
_NAMES: Final = {"pay": "payment", "tok": "card", "evt": "event", "we": "endpoint"}
_ID: Final = re.compile(rf"({'|'.join(_NAMES)})_{SUFFIX_PATTERN}")

Part = dict[str, Any]


def collection_of(api: Api) -> Part:
    """Return all examples that are carried out, in chapters: those of a service on end."""
    operations = {operation.id: operation for operation in api.operations}
    told = [
        one
        for one in story()
        # What streams does not end, and would hold up those behind it.
        if one.reply is not None and not one.replayed and not operations[one.operation].streams
    ]
    names = _Names(told)
    chapters = groupby(told, key=lambda one: _tag(operations[one.operation]))
    return {
        "info": {"name": "paygate", "description": ABOUT, "schema": FORM},
        "auth": {"type": "bearer", "bearer": [_pair("token", f"{{{{{_KEY}}}}}")]},
        "item": [
            {
                "name": f"{number}. {tag}",
                "item": [names.request(operations[one.operation], one) for one in examples],
            }
            for number, (tag, examples) in enumerate(chapters, start=1)
        ],
    }


def environment() -> Part:
    """Return what the collection is told from outside, named as in demo.env."""
    return {
        "name": "paygate",
        "values": [
            {"key": _ADDRESS, "value": "http://127.0.0.1:8080", "type": "default", "enabled": True},
            {"key": _KEY, "value": "", "type": "secret", "enabled": True},
        ],
    }


class _Names:
    """What examples know of each other, as variables: what is told is asked for later."""

    def __init__(self, examples: list[Example]) -> None:
        self._known: dict[str, str] = {}
        self._asked = {
            value for one in examples for value, _ in _texts([one.parameters, one.body], "")
        }

    def request(self, operation: Operation, example: Example) -> Part:
        """Return an example as a request, with a script that looks at its reply."""
        verb, url = operation.verb.upper(), self._url(operation, example)
        headers = []
        if example.key:
            headers.append(_pair("idempotency-key", "{{$guid}}"))
        request: Part = {"method": verb, "header": headers, "url": url}
        if operation.has_body:
            headers.append(_pair("content-type", "application/json"))
            text = json.dumps(self._put_in(example.body or {}), indent=2, ensure_ascii=False)
            request["body"] = {"mode": "raw", "raw": text}
        return {
            "name": f"{operation.id}: {example.says}",
            "request": request,
            "event": [{"listen": "test", "script": {"exec": list(self._script(example))}}],
        }

    def _url(self, operation: Operation, example: Example) -> Part:
        asked = self._put_in(dict(example.parameters))
        path = [asked.pop(part[1:-1]) if part[:1] == "{" else part for part in _parts(operation)]
        query = [_pair(name, _queried(value)) for name, value in asked.items()]
        raw = "/".join([f"{{{{{_ADDRESS}}}}}", *path])
        if query:
            raw += "?" + "&".join(f"{one['key']}={one['value']}" for one in query)
        return {"raw": raw, "host": [f"{{{{{_ADDRESS}}}}}"], "path": path, "query": query}

    def _script(self, example: Example) -> Iterator[str]:
        yield 'pm.test("it is carried out", () => pm.response.to.have.status(200));'
        reply = example.reply
        if "action" in reply:
            status = reply["action"]["status"]
            told = "pm.response.json().action.status"
            yield f'pm.test("{status}", () => pm.expect({told}).to.eql("{status}"));'
        for value, place in _texts(reply, "pm.response.json()"):
            if value in self._asked and value not in self._known and (kind := _kind(value, place)):
                number = 1 + sum(one.startswith(kind) for one in self._known.values())
                self._known[value] = f"{kind}_{number}"
                yield f'pm.collectionVariables.set("{kind}_{number}", {place});'

    def _put_in(self, told: Any) -> Any:
        if isinstance(told, dict):
            return {name: self._put_in(value) for name, value in told.items()}
        if isinstance(told, list):
            return [self._put_in(value) for value in told]
        return f"{{{{{self._known[told]}}}}}" if told in self._known else told


def _kind(value: str, place: str) -> str:
    """Return what a value is called that later requests ask for; empty for what is no name."""
    if found := _ID.fullmatch(value):
        return _NAMES[found[1]]
    return "page" if place.endswith(".next_page_token") else ""


def _texts(told: Any, place: str) -> Iterator[tuple[str, str]]:
    """Return all texts with where they are, as JavaScript has it."""
    if isinstance(told, str):
        yield told, place
    elif isinstance(told, list):
        for number, one in enumerate(told):
            yield from _texts(one, f"{place}[{number}]")
    elif hasattr(told, "items"):
        for name, one in told.items():
            yield from _texts(one, f"{place}.{name}")


def _parts(operation: Operation) -> list[str]:
    return operation.path.removeprefix("/").split("/")


def _queried(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pair(key: str, value: str) -> Part:
    return {"key": key, "value": value, "type": "string"}


def _tag(operation: Operation) -> str:
    return tag_of(operation.method.containing_service.name)
