"""`python -m tools.openapi.breaking OLD NEW`: what clients relied on and would no longer find."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Final

from tools.openapi.finished import Json as Schema
from tools.openapi.finished import json_schema, operations, resolved

# Each limit, and whether a lower number allows less.
_LIMITS: Final = {
    "maximum": True,
    "maxLength": True,
    "maxItems": True,
    "minimum": False,
    "minLength": False,
    "minItems": False,
}


def breaking(old: Schema, new: Schema) -> list[str]:
    """Return what is no longer as it was, a line each, of two documents.

    What requests may hold must not become less, and what replies always have must not either. More
    of both is no break: clients are told that values may be added.
    """
    return sorted({*_reached(old, new), *_paths(old, new), *_webhooks(old, new)})


def _reached(old: Schema, new: Schema) -> Iterator[str]:
    servers = [one["url"] for one in new.get("servers", ())]
    for server in old.get("servers", ()):
        if server["url"] not in servers:
            yield f"there is no server {server['url']} any more"
    for name, was in old["components"].get("securitySchemes", {}).items():
        now = new["components"].get("securitySchemes", {}).get(name, {})
        if any(was.get(part) != now.get(part) for part in ("type", "scheme", "in", "name")):
            yield f"{name} is shown in another way"


def _paths(old: Schema, new: Schema) -> Iterator[str]:
    after = dict(_by_place(new))
    for place, was in _by_place(old):
        now = after.get(place)
        name = was["operationId"]
        if now is None:
            yield f"{place} is gone ({name})"
            continue
        if now["operationId"] != name:
            yield f"{place} was called {name} and is called {now['operationId']}"
        yield from _asked(_Pair(old, new, name, "request"), was, now)
        for status in was["responses"]:
            what = "reply" if status == "200" else f"reply {status}"
            yield from _told(_Pair(old, new, name, what), status, was, now)
        yield from _refused(_Pair(old, new, name, "reply"), was, now)


def _by_place(document: Schema) -> Iterator[tuple[str, Schema]]:
    for verb, path, described in operations(document):
        yield f"{verb} {path}", described


def _webhooks(old: Schema, new: Schema) -> Iterator[str]:
    for name, was in old.get("webhooks", {}).items():
        now = new.get("webhooks", {}).get(name)
        if now is None:
            yield f"no event {name} is posted any more"
        else:
            pair = _Pair(old, new, name, "reply")
            headers, headers_now = _parameters(old, was["post"]), _parameters(new, now["post"])
            yield from (f"{name}: header {key[1]} is gone" for key in headers.keys() - headers_now)
            before, after = (json_schema(one["post"]["requestBody"]) for one in (was, now))
            yield from pair.compare(before, after, "")


def _asked(pair: "_Pair", was: Schema, now: Schema) -> Iterator[str]:
    before, after = _parameters(pair.old, was), _parameters(pair.new, now)
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"{pair.name}: parameter {key[1]} is required"
    for key, parameter in before.items():
        if key not in after:
            yield f"{pair.name}: parameter {key[1]} is gone"
        else:
            yield from pair.compare(parameter["schema"], after[key]["schema"], key[1])
    body, body_now = was.get("requestBody", {}), now.get("requestBody", {})
    if body_now.get("required") and not body.get("required"):
        yield f"{pair.name}: a body is required"
    if body and not body_now:
        yield f"{pair.name}: no body is taken any more"
    if body and body_now:
        yield from pair.compare(json_schema(body), json_schema(body_now), "")


def _told(pair: "_Pair", status: str, was: Schema, now: Schema) -> Iterator[str]:
    if status not in now["responses"]:
        if status == "200":  # who is never refused any more has no reason to complain
            yield f"{pair.name}: there is no reply 200"
        return
    before = resolved(pair.old, was["responses"][status])
    after = resolved(pair.new, now["responses"][status])
    for kind in before.get("content", {}):
        if kind not in after.get("content", {}):
            yield f"{pair.name}: {pair.what} is no {kind} any more"
    for header in before.get("headers", {}):
        if header not in after.get("headers", {}):
            yield f"{pair.name}: {pair.what} header {header} is gone"
    yield from pair.compare(json_schema(before), json_schema(after), "")


def _refused(pair: "_Pair", was: Schema, now: Schema) -> Iterator[str]:
    after = _reasons(pair.new, now)
    for reason, statuses in _reasons(pair.old, was).items():
        lost, more = statuses - after[reason], after[reason] - statuses
        if lost and more:
            yield f"{pair.name}: {reason} is {_either(more)} and was {_either(lost)}"


def _reasons(document: Schema, operation: Schema) -> defaultdict[str, set[str]]:
    """Return the statuses of each reason for which an operation refuses."""
    found = defaultdict[str, set[str]](set)
    for status, reply in operation["responses"].items():
        for part in json_schema(resolved(document, reply)).get("allOf", ()):
            details = part.get("properties", {}).get("details", {})
            told = details.get("contains", {}).get("properties", {}).get("reason", {})
            for reason in _values(told):
                found[reason].add(status)
    return found


class _Pair:
    """Compares schemas of two documents, of the request or the reply of an operation."""

    def __init__(self, old: Schema, new: Schema, name: str, what: str) -> None:
        self.old, self.new, self.name, self.what = old, new, name, what
        self._is_request = what == "request"

    def compare(self, was: Schema, now: Schema, place: str) -> Iterator[str]:
        """Return what clients would stumble over at a place, and below it."""
        was, now = resolved(self.old, was), resolved(self.new, now)
        at = f"{self.name}: {self.what}{f' {place}' if place else ''}"
        yield from (f"{at}{said}" for said in self._differences(was, now))
        before, after = was.get("properties", {}), now.get("properties", {})
        for name, schema in before.items():
            inner = f"{place}.{name}" if place else name
            if name not in after:
                yield f"{self.name}: {self.what} {inner} is gone"
            else:
                yield from self.compare(schema, after[name], inner)
        if "items" in was and "items" in now:
            yield from self.compare(was["items"], now["items"], f"{place}[]")
        for kind in ("allOf",) if self._is_request else ("allOf", "oneOf"):
            for one, other in zip(was.get(kind, ()), now.get(kind, ()), strict=False):
                yield from self.compare(one, other, place)

    def _differences(self, was: Schema, now: Schema) -> Iterator[str]:
        types, types_now = _types(was), _types(now)
        lost = types - types_now if self._is_request else types_now - types
        if types and types_now and lost:
            yield f" is {_either(types_now)} and was {_either(types)}"
        values, values_now = _values(was), _values(now)
        if values_now and (gone := values - values_now):
            yield f" has no {', '.join(sorted(gone))} any more"
        required, required_now = set(was.get("required", ())), set(now.get("required", ()))
        if self._is_request:
            yield from (f" needs {name}" for name in sorted(required_now - required))
            yield from _narrowed(was, now)
        else:
            yield from (f" may lack {name}" for name in sorted(required - required_now))


def _narrowed(was: Schema, now: Schema) -> Iterator[str]:
    choices, choices_now = _choices(was), _choices(now)
    if choices_now:
        yield from (f" cannot be made with {one} any more" for one in choices - choices_now)
        if not choices:
            yield f" needs one of {', '.join(sorted(choices_now))}"
    if "enum" in now and "enum" not in was:
        yield " has only certain values"
    for limit, less_is_narrower in _LIMITS.items():
        before, after = was.get(limit), now.get(limit)
        if after is None or before == after:
            continue
        if before is None or (after < before) == less_is_narrower:
            yield f" has {limit} {after} and had {'none' if before is None else before}"
    if "pattern" in now and now["pattern"] != was.get("pattern"):
        yield " has another pattern"
    if now.get("uniqueItems") and not was.get("uniqueItems"):
        yield " may hold nothing twice"
    if now.get("additionalProperties") is False and was.get("additionalProperties") is not False:
        yield " takes no other fields"


def _parameters(document: Schema, operation: Schema) -> dict[tuple[str, str], Schema]:
    found = [resolved(document, one) for one in operation.get("parameters", ())]
    return {(one["in"], one["name"]): one for one in found}


def _values(schema: Schema) -> set[str]:
    return {*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())}


def _choices(schema: Schema) -> set[str]:
    """Return the fields of which a request has exactly one."""
    return {" and ".join(one.get("required", ())) for one in schema.get("oneOf", ())}


def _either(names: Set[str]) -> str:
    return "/".join(sorted(names))


def _types(schema: Schema) -> set[str]:
    told = schema.get("type", [])
    return {told} if isinstance(told, str) else set(told)


def main(old: str, new: str) -> int:
    """Print what breaks clients; return the exit code."""
    said = breaking(*(json.loads(Path(one).read_text("utf-8")) for one in (old, new)))
    print(*said, sep="\n", end="\n" if said else "", file=sys.stderr)
    return int(bool(said))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
