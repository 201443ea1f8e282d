"""The pages that the edge serves, and the links that bring the demo key."""

import asyncio
import gzip
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urldefrag

import pytest
import urllib3
import yaml

from tests.e2e.edge import Edge, Upstream, manager, rendered
from tests.e2e.edge_replies import details, http
from tools.edge import __main__ as command
from tools.edge import page_routes, pages
from tools.edge.pages import Page
from tools.stack import envoy
from tools.stack.errors import StackError
from tools.stack.link import CODES_MAX, SOCKET, Link, fresh_link

API_KEY = f"sk_{secrets.token_hex(8)}_{secrets.token_hex(32)}"
MADE = pages.pages()
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of pages are, and the socket."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
async def link(folder: Path) -> AsyncIterator[Link]:
    """What gives the key."""
    made = Link("http://127.0.0.1", API_KEY)
    server = await made.serve(folder / SOCKET, None)
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture(scope="module")
def shown(
    folder: Path, link: Link, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    """The edge with pages."""
    assert link.console
    pages.write(MADE, folder)
    config = rendered(upstream)
    page_routes.serve(manager(config), MADE, folder)
    page_routes.give_key(config, manager(config), folder / SOCKET)
    with Edge(config, tmp_path_factory.mktemp("shown")) as running:
        yield running


def get(edge: Edge, page: Page, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
    """Ask for a page as it comes, without decoding it."""
    told = {"accept": page.accept} if page.accept else {}
    told |= {name.replace("_", "-"): text for name, text in headers.items()}
    url = edge.url + page.path
    return http.request(method, url, headers=told, decode_content=False)


@pytest.mark.parametrize("page", MADE, ids=lambda page: page.file)
def test_a_page_is_its_file(shown: Edge, page: Page) -> None:
    """With its type, compressed for those who read that, and kept while it is the same."""
    plain, zipped = get(shown, page), get(shown, page, accept_encoding="br, gzip")
    for reply in (plain, zipped):
        assert reply.status == 200
        assert reply.headers["content-type"] == page.content_type
        assert reply.headers["cache-control"] == "no-cache"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["etag"] == f'W/"{page.tag}"'
        assert int(reply.headers["content-length"]) == len(reply.data)
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == page.body
    if page.is_plain:
        assert plain.data == page.body
        assert get(shown, page, accept_encoding="gzip;q=0").data == page.body


@pytest.mark.parametrize("page", MADE, ids=lambda page: page.file)
def test_a_page_that_is_the_same_is_not_sent_again(shown: Edge, page: Page) -> None:
    """304 by its tag, whoever has it; a tag of another file gets the page."""
    tag = get(shown, page, "HEAD").headers["etag"]
    for tags in (tag, f'"other", {tag}', tag.removeprefix("W/")):
        reply = get(shown, page, if_none_match=tags)
        assert (reply.status, reply.data, reply.headers["etag"]) == (304, b"", tag)
        assert "location" not in reply.headers
    assert get(shown, page, if_none_match='W/"0123"').status == 200


@pytest.mark.parametrize("page", MADE, ids=lambda page: page.file)
def test_a_page_is_only_read(shown: Edge, page: Page) -> None:
    """HEAD has no body, and another method is told so."""
    head, other = get(shown, page, "HEAD"), get(shown, page, "POST")
    assert (head.status, head.data) == (200, b"")
    assert (other.status, other.headers["allow"]) == (405, "GET, HEAD")
    assert details(other) == ("METHOD_NOT_ALLOWED", [])


def test_the_first_page_is_for_browsers_and_for_programs(shown: Edge) -> None:
    """Both get the same links, and each leads somewhere."""
    url = f"{shown.url}/"
    for accept in ("*/*", "application/json", ""):
        reply = http.request("GET", url, headers={"accept": accept} if accept else {})
        assert reply.json()["links"] == pages.LINKS
        assert "accept" in reply.headers["vary"]
    html = http.request("GET", url, headers={"accept": BROWSER}).data.decode()
    for path in pages.LINKS.values():
        assert f'href="{path}"' in html
        assert http.request("GET", shown.url + path).status == 200


@pytest.mark.parametrize("page", [one for one in MADE if "html" in one.content_type])
def test_a_page_may_load_nothing_from_elsewhere(shown: Edge, page: Page) -> None:
    """Its policy says so, and it has no script of its own."""
    reply = get(shown, page)
    policy = dict(one.strip().split(" ", 1) for one in policy_of(reply).split(";"))
    assert policy["default-src"] == ("'self'" if page.path == "/console" else "'none'")
    assert policy.get("script-src", policy["default-src"]) == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy_of(reply).replace("style-src 'self' 'unsafe-inline'", "")
    assert not {"http:", "https:", "*"} & set(policy_of(reply).split())
    assert b"<script>" not in reply.data
    assert b"//" not in reply.data


@pytest.mark.parametrize(("path", "page"), [*page_routes.LEADS.items()])
def test_another_path_leads_to_its_page(shown: Edge, path: str, page: str) -> None:
    """And is only read, as the page is."""
    reply = http.request("GET", shown.url + path, redirect=False)
    assert (reply.status, reply.headers["location"]) == (308, shown.url + page)
    assert http.request("POST", shown.url + path).status == 405


def test_nothing_stands_in_the_console_itself(shown: Edge) -> None:
    """No script and no style: its policy would refuse them."""
    (page,) = [one for one in MADE if one.path == "/console"]
    assert "unsafe" not in policy_of(get(shown, page))
    for inline in (rb"<style", rb"\sstyle=", rb"\son\w+=", rb"<script(?![^>]*\ssrc=)"):
        assert not re.search(inline, page.body), inline


def policy_of(reply: urllib3.BaseHTTPResponse) -> str:
    """Return what its page may do."""
    return reply.headers["content-security-policy"]


def test_the_api_is_where_it_was(shown: Edge, upstream: Upstream) -> None:
    """No page stands before a path of it."""
    assert http.request("GET", f"{shown.url}/payments").status == 200
    assert upstream.calls[-1].method.endswith("/ListPayments")
    assert http.request("GET", f"{shown.url}/docs/nope").status == 404


def test_who_asks_for_pages_too_often_is_refused(
    upstream: Upstream, folder: Path, tmp_path: Path
) -> None:
    """Where no key is asked for, an address has so many requests."""
    config = rendered(upstream)
    pages.write(MADE, folder)
    page_routes.serve(manager(config), MADE, folder)
    with Edge(config, tmp_path) as edge, ThreadPoolExecutor(8) as clients:
        said = list(clients.map(lambda _: get(edge, MADE[0]).status, range(100)))
    assert set(said) == {200, 429}


def test_many_addresses_together_do_not_fill_the_memory(shown: Edge) -> None:
    """None of them asks too often, but a file is sent to so many only; others are as before."""
    large = max(MADE, key=lambda page: len(page.body))

    def ask(number: int) -> int:
        source = (f"127.0.3.{1 + number % 100}", 0)
        with urllib3.HTTPConnectionPool(
            "127.0.0.1", shown.port, source_address=source, retries=False, timeout=5.0
        ) as client:
            return client.request("HEAD", large.path).status

    with ThreadPoolExecutor(8) as clients:
        said = list(clients.map(ask, range(200)))
    assert set(said) == {200, 429}
    assert get(shown, MADE[2]).status == 200
    assert http.request("GET", f"{shown.url}/payments").status == 200


def test_pages_that_nobody_takes_leave_memory_to_the_api(upstream: Upstream, folder: Path) -> None:
    """All files as often as they are sent to all addresses, until what is not taken is given up."""
    config = rendered(upstream, whole=True)
    page_routes.serve(manager(config), MADE, folder)
    (flushed,) = re.findall(r"(\d+)s", manager(config)["stream_flush_timeout"])
    waiting, chains = 0, len(config["static_resources"]["listeners"][0]["filter_chains"])
    for route in manager(config)["route_config"]["virtual_hosts"][0]["routes"]:
        if route["name"] == "page" and "body" in route["direct_response"]:
            limit = route["typed_per_filter_config"]["envoy.filters.http.local_ratelimit"]
            bucket = limit["token_bucket"]
            assert (limit["always_consume_default_token_bucket"], bucket["fill_interval"]) == (
                True,
                "1s",
            )
            times = bucket["max_tokens"] + int(flushed) * bucket["tokens_per_fill"]
            size = Path(route["direct_response"]["body"]["filename"]).stat().st_size
            waiting += chains * times * size
    (heap,) = config["overload_manager"]["resource_monitors"][:1]
    assert 0 < waiting < 0.7 * heap["typed_config"]["max_heap_size_bytes"]


async def ask(edge: Edge, code: str, method: str = "POST") -> urllib3.BaseHTTPResponse:
    """Ask for the key."""
    headers = {"authorization": f"Bearer {code}"}
    return await asyncio.to_thread(
        http.request, method, edge.url + page_routes.KEY, headers=headers
    )


@pytest.mark.parametrize("page", ["console", "docs"])
async def test_a_link_gives_the_key_once(shown: Edge, link: Link, page: str) -> None:
    """To who shows its code; neither a wrong one nor that of another link uses it up."""
    url: str = getattr(link, page)
    address, fragment = urldefrag(url)
    assert address.endswith(f"/{page}")
    code = fragment.removeprefix("code=")
    assert len(code) >= 22  # 128 bits
    assert API_KEY not in url
    for wrong in ("", code[:-1], f"{code}x", "x" * 30_000):
        refused = await ask(shown, wrong)
        assert (refused.status, details(refused)) == (404, ("LINK_USED", []))
    for method in ("GET", "PUT", "OPTIONS"):
        other = await ask(shown, code, method)
        assert (other.status, other.headers["allow"]) == (405, "POST")
    given = await ask(shown, code)
    assert (given.status, given.json()) == (200, {"api_key": API_KEY})
    assert given.headers["cache-control"] == "no-store"
    again = await ask(shown, code)
    assert again.status == 404
    assert API_KEY not in again.data.decode()


async def test_who_has_the_key_gets_more_links(shown: Edge, folder: Path, link: Link) -> None:
    """At the socket, and not through the edge; of those that nobody uses the oldest end."""
    asked = (folder / SOCKET, shown.url, API_KEY, "console")
    oldest, *between, newest = [await fresh_link(*asked) for _ in range(CODES_MAX + 1)]
    assert len({oldest, newest, *between, link.docs}) == CODES_MAX + 2
    for given, status in ((oldest, 404), (newest, 200), (newest, 404), (between[0], 200)):
        assert (await ask(shown, given.partition("#code=")[2])).status == status
    for wrong in ("", API_KEY[:-1], newest.partition("=")[2]):
        with pytest.raises(OSError, match="no link"):
            await fresh_link(folder / SOCKET, shown.url, wrong, "console")
    assert (await ask(shown, API_KEY)).status == 404


def test_another_reference_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """The script is the one that was looked at, or there is none."""
    monkeypatch.setattr(pages, "SCALAR_INTEGRITY", pages.integrity(b""))
    with pytest.raises(StackError, match="is not the file"):
        pages.pages()


def test_production_has_pages_only_if_they_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself none; else they are its own domains' alone."""
    text = envoy.PRODUCTION.read_text()
    assert "/docs" not in text
    assert "/console" not in text
    made, files = tmp_path / "envoy.yaml", tmp_path / "pages"
    told = ["edge", "production", "--pages", str(files), "--output", str(made)]
    monkeypatch.setattr("sys.argv", told)
    assert command.main() == 0
    own, elsewhere = manager(yaml.safe_load(made.read_text()))["route_config"]["virtual_hosts"]
    served = [one for one in own["routes"] if one["name"] == "page"]
    assert {one["match"]["path"] for one in served} == {page.path for page in MADE}
    bodies = [one["direct_response"].get("body") for one in served]
    named = {Path(body["filename"]) for body in bodies if body}
    assert {path.parent for path in named} == {command.PAGES}
    assert {path.name for path in named} == {path.name for path in files.iterdir()}
    assert "/docs" not in json.dumps(elsewhere)
    assert "/console" not in json.dumps(elsewhere)
