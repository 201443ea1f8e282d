"""One real PostgreSQL and one running stack for all tests, databases for whoever asks, a tracer."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import urllib3
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from xdist.scheduler import LoadScopeScheduling

from pkg.observe.spans import Recorder
from tests.database import Databases, Service, postgres_of_its_own, running
from tests.e2e.compose import new_stack
from tests.e2e.stack import Stack
from tests.standby import Pair, paired
from tools.stack.postgres import OWNER, Embedded

NewDatabase = Callable[[Service], Awaitable[str]]


# Who uses the primary with its standby, which takes long to make.
PAIRED = ("test_replication", "test_failover", "test_standby")
# Who uses the spare stack.
SPARE = (
    *("console/test_clock.py", "console/test_payments_live.py"),
    *("e2e/test_clock_features.py", "e2e/test_edge_outage.py", "e2e/test_watch_outage.py"),
    "observability/test_metrics.py",
)
# Who ends parts of a stack that has nothing else to do.
ENDED = ("chaos/test_client.py", "chaos/test_rolling.py")


class ByWhatIsShared(LoadScopeScheduling):  # type: ignore[misc]  # has no types
    """Shares the files of a parallel run (`pytest -n`) out among its processes.

    Tests of one file stay together, since they share what they have started. So do those of the
    running stack and its console, which the search for leaks looks through, of the spare one, of
    the one whose parts are ended, of the one that is asked by its document, and of a primary with
    its standby.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        name = Path(file).name
        if file.endswith(SPARE):
            return "spare"
        if file.endswith(ENDED):
            return "ended"
        if ("e2e/" in file and not name.startswith("test_edge_")) or "console/" in file:
            return "e2e"
        if "tests/openapi/" in file:
            return "openapi"
        return "pair" if name.startswith(PAIRED) else file


# What takes long comes first: nobody is then left alone with it at the end.
LONG = (
    *("console", "e2e", "chaos", "proofs", "integration", "bench"),
    *("fuzz", "openapi", "observability", "ci", "k8s", "attack"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests that start processes before those that don't; of each kind the order stays."""
    kinds = {kind: number for number, kind in enumerate(LONG)}
    root = Path(__file__).parent
    items.sort(key=lambda one: kinds.get(one.path.relative_to(root).parts[0], len(LONG)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByWhatIsShared:
    """Return what shares the tests out."""
    return ByWhatIsShared(config, log)


def pytest_configure() -> None:
    """Let the programs that tests start be interrupted, though this one runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # which they would inherit
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Close what earlier tests left connected; skip what only root can see, for others.

    A server may close a connection that was idle for long just when it is used again.
    """
    urllib3._DEFAULT_POOL.clear()  # there is no public way
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("only root can: make test-root")


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[Embedded]:
    """The server that all tests share."""
    with postgres_of_its_own() as server:
        await server.initialise()
        async with running(server):
            await server.make_databases()
            yield server


@pytest.fixture(scope="session")
async def databases(postgres: Embedded) -> AsyncIterator[Databases]:
    """What makes databases on the server of the session."""
    owner = await asyncpg.connect(postgres.url(OWNER, "postgres"))
    yield Databases(postgres, owner)
    await owner.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The real thing: PostgreSQL, bank, two workers, sweep, events, relay and Envoy."""
    with new_stack() as running:
        running.start()
        yield running
        assert running.stop() == 0, running.output
        assert running.processes() == []


@pytest.fixture(scope="session")
def spare() -> Iterator[Stack]:
    """Another, with a single worker, for who ends its processes and who turns its clock."""
    with new_stack(workers=1) as running:
        running.start()
        yield running
        assert running.stop() == 0, running.output


@pytest.fixture
async def new_database(databases: Databases) -> AsyncIterator[NewDatabase]:
    """Makes as many databases as a test wants, and removes them after it."""
    names = []

    async def new(service: Service) -> str:
        name, url = await databases.create(service)
        names.append(name)
        return url

    yield new
    for name in names:
        await databases.drop(name)


@pytest.fixture
async def payments_database_url(new_database: NewDatabase) -> str:
    """An empty database of the gateway."""
    return await new_database("payments")


@pytest.fixture
async def acquirer_database_url(new_database: NewDatabase) -> str:
    """An empty database of the bank."""
    return await new_database("acquirer")


@pytest.fixture(scope="session")
async def pair_of_all(postgres: Embedded) -> AsyncIterator[Pair]:
    """A server and its synchronous standby, besides the one that all tests share."""
    async with paired(postgres) as servers:
        yield servers


@pytest.fixture
async def pair(pair_of_all: Pair) -> AsyncIterator[Pair]:
    """The same, whole; a test may freeze and kill."""
    yield pair_of_all
    await pair_of_all.heal()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What the recorder has recorded."""
    return InMemorySpanExporter()


@pytest.fixture
def recorder(spans: InMemorySpanExporter) -> Iterator[Recorder]:
    """A tracer that keeps its spans."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield Recorder(provider.get_tracer("test"))
    provider.shutdown()
