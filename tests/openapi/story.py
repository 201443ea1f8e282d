"""Sends the examples of the document to a running stack, and compares what comes back.

The ids, tokens, secrets and times of the examples stand for those that the stack makes: the same
id is the same thing in all of them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from pkg.ids import SUFFIX_PATTERN
from tests.openapi.document import places
from tools.openapi.examples import Example
from tools.openapi.finished import EVENT_STREAM

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID = re.compile(rf"\b(?:(?:pay|act|tok|evt|we|rule|mer)_{SUFFIX_PATTERN}|{_UUID})\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
# Whatever comes there, it stands for: its form is the schema's to say.
_ANY = {"secret", "api_key", "approval_code", "duration", "key_id", "cursor"}
_TOKEN = "next_page_token"
CALL_SECONDS_MAX = 15.0


@dataclass(frozen=True, slots=True)
class Got:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Names:
    """What the examples' ids and the like stand for in a run: each for one thing."""

    actual: dict[str, str] = field(default_factory=dict)

    def bind(self, example: str, actual: str) -> bool:
        """Let one stand for the other; tell whether that fits with what was bound before."""
        if example not in self.actual and actual in self.actual.values():
            return False
        return self.actual.setdefault(example, actual) == actual

    def put_in(self, told: Any) -> Any:
        """Return a part of a request with what the stack knows."""
        if isinstance(told, dict):
            return {name: self.put_in(value) for name, value in told.items()}
        if isinstance(told, list):
            return [self.put_in(value) for value in told]
        if isinstance(told, str):
            return self.actual.get(told, told)
        return told


def differences(names: Names, expected: Any, actual: Any, place: str = "") -> list[str]:
    """Return where a reply is not what the example says, and bind what is seen first."""
    here = f"{place}: {actual!r} is not {expected!r}"
    if isinstance(expected, dict) and isinstance(actual, dict):
        if set(expected) != set(actual):
            return [f"{place}: {sorted(actual)} are not {sorted(expected)}"]
        pairs = [(f"{place}.{name}", expected[name], actual[name]) for name in expected]
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return [here]
        pairs = [
            (f"{place}[{number}]", *pair)
            for number, pair in enumerate(zip(expected, actual, strict=True))
        ]
    else:
        return [] if _fits(names, expected, actual, place) else [here]
    return [said for name, told, found in pairs for said in differences(names, told, found, name)]


def _fits(names: Names, expected: Any, actual: Any, place: str) -> bool:
    if not (isinstance(expected, str) and isinstance(actual, str)):
        return type(expected) is type(actual) and bool(expected == actual)
    name = place.rpartition(".")[2]
    if name in _ANY:
        return bool(expected) == bool(actual)
    if name == _TOKEN and expected:
        return bool(actual) and names.bind(expected, actual)
    if names.actual.get(expected) == actual:
        return True  # an address, say
    ids, found = _ID.findall(expected), _ID.findall(actual)
    if len(ids) != len(found) or not all(map(names.bind, ids, found)):
        return False
    return _blank(expected) == _blank(actual)


def _blank(text: str) -> str:
    return _TIME.sub(
        "TIME", _ID.sub(lambda found: found[0][:4] if "_" in found[0] else "UUID", text)
    )


class Sender:
    """Sends examples.

    Args:
        url: Of the stack.
        keys: Of those that examples are sent as; nobody has none.
        names: What the examples' ids stand for.
    """

    def __init__(self, url: str, keys: Mapping[str, str], names: Names) -> None:
        self._url, self._keys, self._names = url, keys, names
        self._pool = urllib3.PoolManager(maxsize=4, retries=False, timeout=CALL_SECONDS_MAX)

    def send(self, example: Example) -> Got:
        """Send one, as often as it says unless it gets earlier what it says; return the answer."""
        verb, path = places()[example.operation]
        asked = self._names.put_in(dict(example.parameters))
        for name in re.findall(r"{(\w+)}", path):
            path = path.replace(f"{{{name}}}", quote(asked.pop(name), safe=""))
        if asked:
            path += "?" + urlencode({name: _queried(value) for name, value in asked.items()})
        got, data = None, b""
        for _ in range(example.times):
            got = self._pool.request(
                verb,
                self._url + path,
                body=self._body(example),
                headers=self._headers(example),
                preload_content=False,
            )
            data = _first_message(got)
            if example.reason and got.status != 200:
                break
        assert got is not None
        headers = {name.lower(): value for name, value in got.headers.items()}
        return Got(got.status, headers, json.loads(data))

    def payments(self) -> bytes:
        """Return what is told of the merchant's payments: it changes once a request has begun."""
        headers = {"authorization": f"Bearer {self._keys['merchant']}"}
        return self._pool.request(
            "GET", f"{self._url}/payments?page_size=100", headers=headers
        ).data

    def _body(self, example: Example) -> bytes | None:
        if example.text is not None:
            return example.text.encode()
        if example.filler:
            return b"{" + b" " * (example.filler - 2) + b"}"
        if example.body is None:
            return None
        return json.dumps(self._names.put_in(example.body)).encode()

    def _headers(self, example: Example) -> dict[str, str]:
        headers = {}
        if self._body(example):
            headers["content-type"] = "application/json"
        if example.sent_as in self._keys:
            headers["authorization"] = f"Bearer {self._keys[example.sent_as]}"
        if example.key:
            headers["idempotency-key"] = example.key
        return {**headers, **example.headers}


def _first_message(got: urllib3.BaseHTTPResponse) -> bytes:
    """Return the whole body; of a stream of events the first one, and leave the rest of it."""
    if got.headers["content-type"] != EVENT_STREAM:
        return got.read()
    line = b""
    while not line.endswith(b"\n\n"):
        line += got.read(1)
    got.close()
    return line.removeprefix(b"data: ")


def _queried(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
