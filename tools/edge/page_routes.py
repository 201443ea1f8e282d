"""The routes of the edge that answer with pages, and the one that gives them the demo key."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tools.edge.pages import Page, zipped

KEY: Final = "/docs/key"
# What people type, to what is meant.
LEADS: Final = {"/console/": "/console"}
BODY_BYTES_MAX: Final = 4 << 20
# How much of one file is sent at once to all addresses of a chain of filters, of which there are
# 16, and again in 2 seconds: for so long a copy may wait to be taken. Each address has a limit of
# its own, too, but there are more addresses than memory.
AT_ONCE_BYTES: Final = 3 << 20
# How often at once: the least and the most.
AT_ONCE: Final = (5, 20)

_FILTERS: Final = "envoy.filters.http."
_MUTATION: Final = "envoy.extensions.filters.http.header_mutation"
_GZIP: Final[list[dict[str, Any]]] = [
    {"name": "accept-encoding", "string_match": {"contains": "gzip"}},
    {"name": "accept-encoding", "string_match": {"contains": "gzip;q=0"}, "invert_match": True},
]


def serve(http: dict[str, Any], made: Sequence[Page], folder: Path) -> None:
    """Have an edge answer with pages.

    Args:
        http: Its connection manager.
        made: The pages.
        folder: Where Envoy finds their files.
    """
    routes = http["route_config"]
    routes["max_direct_response_body_size_bytes"] = BODY_BYTES_MAX
    host = routes["virtual_hosts"][0]
    names = [route["name"] for route in host["routes"]]
    filters = _filters(host["routes"])
    after = names.index("live") + 1
    served = [route for page in made for route in _routes(page, folder, filters)]
    only_read = _only_read(made, host["routes"][names.index("not-asked")])
    host["routes"][after:after] = [only_read, *served, *_leading(filters)]


def give_key(config: dict[str, Any], http: dict[str, Any], socket: Path) -> None:
    """Let pages ask for the demo key at a socket; see tools/stack/link.py."""
    routes = http["route_config"]["virtual_hosts"][0]["routes"]
    names = [route["name"] for route in routes]
    asking = {
        "name": "link",
        "match": {"path": KEY, "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]},
        "route": {"cluster": "link", "timeout": "5s"},
        "typed_per_filter_config": _filters(routes),
    }
    not_written = routes[names.index("not-written")]
    not_asked = {**not_written, "name": "link-not-asked", "match": {"path": KEY}}
    not_asked["response_headers_to_add"] = _headers({"allow": "POST"})
    routes[names.index("not-written") : names.index("not-written")] = [asking, not_asked]
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(socket)}}}}
    assigned = {"cluster_name": "link", "endpoints": [{"lb_endpoints": [endpoint]}]}
    cluster = {
        "name": "link",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": assigned,
    }
    config["static_resources"]["clusters"].append(cluster)


def _filters(routes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is done where no key is asked for: an address has so many requests."""
    (asked,) = [one["typed_per_filter_config"] for one in routes if one["name"] == "payments"]
    return {name: told for name, told in asked.items() if "health_check" not in name}


def _routes(page: Page, folder: Path, filters: dict[str, Any]) -> list[dict[str, Any]]:
    """Return: it has not changed; compressed; as it is.

    Every request of the API passes by them, so they ask for as little as can be: other methods than
    GET and HEAD have gone by then.
    """
    wanted: list[dict[str, Any]] = []
    if page.accept:
        wanted = [{"name": "accept", "string_match": {"contains": page.accept}}]
    headers = {
        "content-type": page.content_type,
        "etag": f'W/"{page.tag}"',
        "vary": "accept, accept-encoding",
    }
    if page.content_type.startswith("text/html"):
        headers |= {"content-security-policy": page.policy, "referrer-policy": "no-referrer"}
    same = [{"name": "if-none-match", "string_match": {"contains": page.tag}}]
    names = (f"{page.file}.gz", page.file)
    compressed, plain = ({"filename": str(folder / name)} for name in names)
    bytes_compressed = len(zipped(page.body))
    answers: list[tuple[list[dict[str, Any]], dict[str, Any], dict[str, str], int]] = [
        (same, {"status": 304}, {}, 0),
        (
            list(_GZIP) if page.is_plain else [],
            {"status": 200, "body": compressed},
            {"content-encoding": "gzip"},
            bytes_compressed,
        ),
    ]
    if page.is_plain:
        answers.append(([], {"status": 200, "body": plain}, {}, len(page.body)))
    return [
        {
            "name": "page",
            "match": {"path": page.path, "headers": [*wanted, *more]},
            "direct_response": response,
            "response_headers_to_add": _headers({**headers, **encoding}),
            "typed_per_filter_config": {**filters, **_kept(), **_so_many(filters, size)},
        }
        for more, response, encoding, size in answers
    ]


def _leading(filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what sends to pages whoever asks for them by another path."""
    for path, page in LEADS.items():
        yield {
            "name": "leads",
            "match": {"path": path},
            "redirect": {"path_redirect": page, "response_code": "PERMANENT_REDIRECT"},
            "typed_per_filter_config": filters,
        }


def _so_many(filters: dict[str, Any], size: int) -> dict[str, Any]:
    """Return how often a file of so many bytes is sent, to one address and to all together."""
    name = f"{_FILTERS}local_ratelimit"
    least, most = AT_ONCE
    at_once = max(least, min(most, AT_ONCE_BYTES // max(1, size)))
    bucket = {"max_tokens": at_once, "tokens_per_fill": at_once // 2, "fill_interval": "1s"}
    together = {"token_bucket": bucket, "always_consume_default_token_bucket": True}
    return {name: {**filters[name], **together}}


def _headers(headers: dict[str, str]) -> list[dict[str, Any]]:
    action = "OVERWRITE_IF_EXISTS_OR_ADD"
    return [
        {"header": {"key": key, "value": value}, "append_action": action}
        for key, value in headers.items()
    ]


def _kept() -> dict[str, Any]:
    """Return what lets a browser keep a page, and ask each time whether it has changed."""
    (no_cache,) = _headers({"cache-control": "no-cache"})
    kind = f"type.googleapis.com/{_MUTATION}.v3.HeaderMutationPerRoute"
    # Envoy says where to for every 3xx.
    mutations = {"response_mutations": [{"append": no_cache}, {"remove": "location"}]}
    return {f"{_FILTERS}header_mutation": {"@type": kind, "mutations": mutations}}


def _only_read(made: Sequence[Page], not_asked: dict[str, Any]) -> dict[str, Any]:
    """Return what tells other methods that pages are read only."""
    paths = "|".join(sorted({*(re.escape(page.path) for page in made), *map(re.escape, LEADS)}))
    headers = not_asked["match"]["headers"]
    match = {"safe_regex": {"regex": f"({paths})"}, "headers": headers}
    return {**not_asked, "name": "not-written", "match": match}
