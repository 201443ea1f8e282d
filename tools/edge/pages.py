"""The pages that the edge serves: what the API is, for people and for programs.

Each is a file and has routes of its own, which answer with it. Envoy's filter for files is not
used: its makers do not promise that it holds against attackers, and it follows links.
"""

import base64
import functools
import gzip
import hashlib
import importlib.util
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.stack.errors import StackError

HERE: Final = Path(__file__).parent / "pages"
OPENAPI: Final = Path(__file__).parents[2] / "build" / "openapi.json"
# The package brings this file of @scalar/api-reference 1.76.0, byte for byte, which is all we use.
SCALAR: Final = ("flask_openapi_scalar", "templates/scalar/js/scalar.standalone.js")
# As npm and browsers write it.
SCALAR_INTEGRITY: Final = "sha384-oH1C0RwqcwbVXkC+r8A+4qRoyEUQdtxAzOwumkxZtQBBcsy61FOoPt7B50OVJYYQ"
# Of which sheets of style alone may stand in the page itself, for the reference makes its own.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
LINKS: Final = {
    "docs": "/docs",
    "openapi": "/openapi.json",
    "llms": "/llms.txt",
    "health": "/health",
}
KEY: Final = "/docs/key"
# Files beyond this are sent compressed only: each copy that waits to be taken is in Envoy's memory.
PLAIN_BYTES_MAX: Final = 1 << 20
BODY_BYTES_MAX: Final = 4 << 20
# How much of one file is sent at once to all addresses of a chain of filters, of which there are
# 16, and again in 2 seconds: for so long a copy may wait to be taken. Each address has a limit of
# its own, too, but there are more addresses than memory.
AT_ONCE_BYTES: Final = 3 << 20
# How often at once: the least and the most.
AT_ONCE: Final = (5, 40)

_FILTERS: Final = "envoy.filters.http."
_MUTATION: Final = "envoy.extensions.filters.http.header_mutation"
_GZIP: Final[list[dict[str, Any]]] = [
    {"name": "accept-encoding", "string_match": {"contains": "gzip"}},
    {"name": "accept-encoding", "string_match": {"contains": "gzip;q=0"}, "invert_match": True},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One file that is served.

    Attributes:
        path: Where, exactly.
        file: Its name among the files of all pages.
        accept: Whose `accept` has this in it gets it; everybody where it is empty.
    """

    path: str
    file: str
    content_type: str
    body: bytes
    accept: str = ""

    @property
    def tag(self) -> str:
        """What changes with the body."""
        return hashlib.sha256(self.body).hexdigest()[:32]

    @property
    def is_plain(self) -> bool:
        """Whether it is served as it is to those who want it so."""
        return len(self.body) <= PLAIN_BYTES_MAX


def pages() -> tuple[Page, ...]:
    """Return them, in the order in which their routes are asked.

    Raises:
        StackError: The reference is not the one that was looked at.
    """
    html, script, text = (f"text/{kind}; charset=utf-8" for kind in ("html", "javascript", "plain"))
    about = json.dumps({"name": "paygate", "links": LINKS}).encode()
    own = {
        file: (HERE / file).read_bytes()
        for file in ("index.html", "docs.html", "page.js", "llms.txt")
    }
    as_json = "application/json"
    return (
        Page(
            path="/",
            file="index.html",
            content_type=html,
            body=own["index.html"],
            accept="text/html",
        ),
        Page(path="/", file="index.json", content_type=as_json, body=about),
        Page(path="/docs", file="docs.html", content_type=html, body=own["docs.html"]),
        Page(path="/docs/page.js", file="page.js", content_type=script, body=own["page.js"]),
        Page(path="/docs/scalar.js", file="scalar.js", content_type=script, body=_scalar()),
        Page(path="/llms.txt", file="llms.txt", content_type=text, body=own["llms.txt"]),
        Page(
            path="/openapi.json",
            file="openapi.json",
            content_type=as_json,
            body=OPENAPI.read_bytes(),
        ),
    )


def write(made: Sequence[Page], folder: Path) -> list[Path]:
    """Write the files of pages into a folder that is there, and return them."""
    written = []
    for page in made:
        files = {f"{page.file}.gz": _zipped(page.body)}
        if page.is_plain:
            files[page.file] = page.body
        for name, body in files.items():
            (folder / name).write_bytes(body)
            written.append(folder / name)
    return written


@functools.cache
def _zipped(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


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
    host["routes"][after:after] = [only_read, *served]


def give_key(config: dict[str, Any], http: dict[str, Any], socket: Path) -> None:
    """Let the page of the reference ask for the demo key at a socket; see tools/stack/link.py."""
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
        headers |= {"content-security-policy": POLICY, "referrer-policy": "no-referrer"}
    same = [{"name": "if-none-match", "string_match": {"contains": page.tag}}]
    zipped, plain = ({"filename": str(folder / name)} for name in (f"{page.file}.gz", page.file))
    bytes_zipped = len(_zipped(page.body))
    answers: list[tuple[list[dict[str, Any]], dict[str, Any], dict[str, str], int]] = [
        (same, {"status": 304}, {}, 0),
        (
            list(_GZIP) if page.is_plain else [],
            {"status": 200, "body": zipped},
            {"content-encoding": "gzip"},
            bytes_zipped,
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
    paths = "|".join(sorted({re.escape(page.path) for page in made}))
    headers = not_asked["match"]["headers"]
    match = {"safe_regex": {"regex": f"({paths})"}, "headers": headers}
    return {**not_asked, "name": "not-written", "match": match}


def integrity(body: bytes) -> str:
    """Return by what a file is known (Subresource Integrity)."""
    return f"sha384-{base64.b64encode(hashlib.sha384(body).digest()).decode()}"


def _scalar() -> bytes:
    package, file = SCALAR
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise StackError(
            "The API reference is not installed in the virtual environment: `make run`."
        )
    body = Path(found.submodule_search_locations[0], file).read_bytes()
    if integrity(body) != SCALAR_INTEGRITY:
        raise StackError("The API reference is not the file that tools/edge/pages.py names.")
    return body
