"""Health at the edge: what the workers say of themselves, and nothing else that they show."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.e2e.edge import Edge, Page, Upstream, manager, rendered
from tests.e2e.raw import talk
from tests.e2e.stack import free_port

SEEN_SECONDS_MAX = 10.0
WELL = {"status": "SERVING", "dependencies": {"database": "UP", "acquirer": "UP"}}
WITHOUT_BANK = {"status": "DEGRADED", "dependencies": {"database": "UP", "acquirer": "DOWN"}}
WITHOUT_DATABASE = {"status": "NOT_SERVING", "dependencies": {"database": "DOWN"}}
WITHOUT_WORKER = {"status": "NOT_SERVING", "dependencies": {"payments": "DOWN"}}
WITHOUT_RELAY = {"status": "NOT_SERVING", "dependencies": {"relay": "DOWN"}}
ENDING = {"status": "NOT_SERVING", "dependencies": {}}
OK, AWAY = (200, WELL), (503, WITHOUT_DATABASE)


def health(config: dict[str, Any], name: str = "health") -> dict[str, Any]:
    """Return a cluster of the processes' own pages."""
    found: dict[str, Any]
    (found,) = [one for one in config["static_resources"]["clusters"] if one["name"] == name]
    return found


def endpoint(port: int) -> dict[str, Any]:
    """Return an endpoint of this machine, as Envoy writes it."""
    return {
        "endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
    }


@contextmanager
def running(
    upstream: Upstream, folder: Path, ports: Sequence[int], name: str = "health"
) -> Iterator[Edge]:
    """Run the edge in front of processes that show their health on these ports, and are asked."""
    config = rendered(upstream, asked=name)
    cluster = health(config, name)
    cluster["health_checks"][0]["timeout"] = "5s"  # on a busy machine
    cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": [*map(endpoint, ports)]}]
    with Edge(config, folder) as edge:
        edge.wait_for(r"^listener_manager\.workers_started$", 1)  # after the first health checks
        yield edge


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """What the one worker shows."""
    with Page() as started:
        yield started


@pytest.fixture(scope="module")
def edge(
    upstream: Upstream, page: Page, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    """The edge in front of that one."""
    with running(upstream, tmp_path_factory.mktemp("health"), [page.port]) as started:
        yield started


@contextmanager
def shown(said: tuple[int, object] | None) -> Iterator[int]:
    """Show this on a port; nothing listens there for None."""
    if said is None:
        yield free_port()
        return
    with Page() as page:
        page.said = said
        yield page.port


def ask(edge: Edge, path: str = "/health", method: str = "GET") -> urllib3.BaseHTTPResponse:
    """Return the answer to one request."""
    headers = {"authorization": "Bearer sk_nobody_needs_this"}
    return urllib3.request(method, edge.url + path, headers=headers, retries=False, timeout=5.0)


def told(edge: Edge, path: str = "/health") -> tuple[int, object]:
    """Return what the edge says of health."""
    reply = ask(edge, path)
    return reply.status, reply.json()


def soon(said: Callable[[], object], wanted: object) -> None:
    """Wait until this is said."""
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while (last := said()) != wanted:
        assert time.monotonic() < deadline, last
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("workers", "said"),
    [
        ([OK], OK),
        ([(200, WITHOUT_BANK)], (200, WITHOUT_BANK)),
        ([AWAY], AWAY),
        ([AWAY, AWAY], AWAY),
        ([AWAY, OK], OK),
        ([None, OK], OK),
        ([None, AWAY], AWAY),
        ([None], (503, WITHOUT_WORKER)),
    ],
)
def test_health_is_that_of_a_worker_that_serves(
    upstream: Upstream,
    tmp_path: Path,
    workers: Sequence[tuple[int, object] | None],
    said: tuple[int, object],
) -> None:
    """Whoever can serve answers; where none can, one says why; where none is there, the edge."""
    with ExitStack() as opened:
        ports = [opened.enter_context(shown(one)) for one in workers]
        edge = opened.enter_context(running(upstream, tmp_path, ports))
        soon(lambda: told(edge), said)
        # Of an address that has asked nothing yet, and so has as many questions.
        assert [told_to(edge, "127.0.0.2") for _ in range(20)] == [said] * 20


@pytest.mark.parametrize(
    ("relays", "said"),
    [
        ([OK], OK),
        ([AWAY, OK], OK),
        ([None, AWAY], AWAY),
        ([None], (503, WITHOUT_RELAY)),
    ],
)
def test_the_health_of_webhooks_is_the_relays(
    upstream: Upstream,
    tmp_path: Path,
    relays: Sequence[tuple[int, object] | None],
    said: tuple[int, object],
) -> None:
    """What delivers them says how it is by the same rules; of payments that says nothing."""
    with ExitStack() as opened:
        ports = [opened.enter_context(shown(one)) for one in relays]
        edge = opened.enter_context(running(upstream, tmp_path, ports, "health-webhooks"))
        soon(lambda: told(edge, "/health/webhooks"), said)
        assert told(edge) == OK


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/health", "/health/webhooks", "/health/ready", "/health/live"])
def test_every_page_is_json(edge: Edge, path: str, method: str) -> None:
    """For a load balancer that sends HEAD as well; of the worker's own server nothing is seen."""
    reply = ask(edge, path, method)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["server"] == "paygate"
    assert not [name for name in reply.headers if "envoy" in name.lower()]


def test_a_worker_gets_no_key(edge: Edge, page: Page) -> None:
    """Who asks for health with a key sends it to the edge only."""
    assert ask(edge).status == 200
    seen = {name.lower() for name in page.headers}
    assert "x-request-id" in seen  # it is this request that was seen, and no health check
    assert "authorization" not in seen


ELSEWHERE = [
    ("GET", "/metrics"),
    ("GET", "/health/metrics"),
    ("GET", "/health/webhooks/metrics"),
    ("GET", "/health/webhooks/../../metrics"),
    ("GET", "/health/webhooks?x=1"),
    ("POST", "/health/webhooks"),
    ("GET", "/health/../metrics"),
    ("GET", "/health/%2e%2e/metrics"),
    ("GET", "/health%2f..%2fmetrics"),
    ("GET", "/health/"),
    ("GET", "/health?x=1"),
    ("GET", "/health/live?x=1"),
    ("GET", "/v1/health"),
    ("POST", "/health"),
    ("DELETE", "/health"),
]


def test_nothing_else_of_a_worker_is_shown(edge: Edge, page: Page) -> None:
    """The worker's metrics are beside its health: no other path or method leads there."""

    def answered(request: tuple[str, str]) -> set[int]:
        method, path = request
        text = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        return set(talk(edge.port, text.encode(), wait=5.0).statuses)

    # Together, for Envoy closes a connection a second after it has answered.
    with ThreadPoolExecutor(len(ELSEWHERE)) as threads:
        found = dict(zip(ELSEWHERE, threads.map(answered, ELSEWHERE), strict=True))
    shown = {request: said for request, said in found.items() if not said or said - {400, 404, 405}}
    assert not shown
    assert page.asked == {"/health"}


def test_an_edge_that_ends_says_so(upstream: Upstream, tmp_path: Path) -> None:
    """Once it is told that it ends it is not ready, whatever the workers say; but it lives."""
    with Page() as page, running(upstream, tmp_path, [page.port]) as edge:
        soon(lambda: told(edge), OK)
        edge.ask_admin("/healthcheck/fail", method="POST")
        soon(lambda: told(edge), (503, ENDING))
        assert told(edge, "/health/webhooks") == (503, ENDING)
        ready, live = ask(edge, "/health/ready"), ask(edge, "/health/live")
        assert (ready.status, ready.json()) == (503, {"status": "NOT_SERVING"})
        assert (live.status, live.json()) == (200, {"status": "ALIVE"})


def test_few_may_ask_a_worker_at_once(upstream: Upstream, tmp_path: Path) -> None:
    """However many addresses ask: of a hundred requests a few wait, and the rest are refused."""
    addresses = [f"127.0.2.{number}" for number in range(1, 101)]
    with Page() as page, running(upstream, tmp_path, [page.port]) as edge:
        soon(lambda: told(edge), OK)
        page.answers.clear()
        try:
            with ThreadPoolExecutor(100) as clients:
                replies = list(clients.map(lambda source: told_to(edge, source), addresses))
        finally:
            page.answers.set()
        assert {status for status, _ in replies} == {503}
        # 16 connections, and 64 that wait for one.
        refused = [said for _, said in replies if said != WITHOUT_WORKER]
        assert 1 <= len(refused) <= 100 - 16
        assert all("OVERLOADED" in str(said) for said in refused)
        soon(lambda: told(edge), OK)


def told_to(edge: Edge, source: str) -> tuple[int, object]:
    """Return what the edge says of health to an address of this machine."""
    with urllib3.HTTPConnectionPool(
        "127.0.0.1", edge.port, source_address=(source, 0), retries=False, timeout=5.0
    ) as pool:
        reply = pool.request("GET", "/health")
        return reply.status, reply.json()


def test_who_asks_too_often_is_refused_alone(upstream: Upstream, tmp_path: Path) -> None:
    """An address has 20 questions, and ten more each second; another's are answered meanwhile."""
    with Page() as page, running(upstream, tmp_path, [page.port]) as edge:
        with ThreadPoolExecutor(8) as clients:
            flood = [clients.submit(told_to, edge, "127.0.0.2") for _ in range(200)]
            others = [told_to(edge, "127.0.0.3") for _ in range(10)]
        said = [one.result() for one in flood]
        assert others == [OK] * 10
        assert {status for status, _ in said} == {200, 429}
        assert "RATE_LIMITED" in str(next(body for status, body in said if status == 429))


def test_a_network_of_ipv6_is_one_address(upstream: Upstream, tmp_path: Path) -> None:
    """Who has a /64 can take as many addresses as they like: all of them have 20 questions."""
    pool = urllib3.PoolManager(maxsize=8, retries=False, timeout=5.0)
    config = rendered(upstream)
    manager(config)["xff_num_trusted_hops"] = 1  # so that one machine can be many
    with Edge(config, tmp_path) as edge:

        def told_as(address: str) -> int:
            headers = {"x-forwarded-for": address}
            return pool.request("GET", f"{edge.url}/health", headers=headers).status

        soon(lambda: told_as("192.0.2.1"), 200)
        with ThreadPoolExecutor(8) as clients:
            flood = list(clients.map(told_as, (f"2001:db8::{n:x}" for n in range(400))))
        assert set(flood) == {200, 429}
        assert told_as("2001:db8:0:1::1") == 200
