"""The scenes: systems that are up together, and the cases that take turns on them."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.bulk import load
from bench.loads import Drive
from bench.measure import Case, LoadCase
from bench.pgbench import GroupCase, Statement, recorded
from bench.seed import deep_pages, fill_pools
from bench.server import Server
from bench.systems import SQL, System, paygate, peer, whole
from bench.workloads import WORKLOADS

MANY = 128
# One call after the other; a quarter of the most; the most.
CONNECTIONS = (1, 32, MANY)
# Of the peak: where a service that is well sized is at its busiest.
STEADY = 0.7
# Of each run that fills the large database further.
WRITE_SECONDS = 30
EVERYTHING = ("authorize", "capture", "refund", "read", "mix", "hot", "replay")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a scene is told.

    Attributes:
        pool: How many payments captures, refunds and reads work on.
        payments: How many the large database has.
        writes: How many authorizations are committed to it besides, as the gateway commits them,
            before anything is measured.
        facts: What the report says besides figures.
    """

    server: Server
    folder: Path
    pool: int
    payments: int
    writes: int
    facts: dict[str, object]


Scene = Callable[[Plan], AbstractAsyncContextManager[Sequence[Case]]]


def cases(
    plan: Plan,
    system: System,
    *workloads: str,
    door: str = "grpc",
    connections: Iterable[int] = (MANY,),
) -> list[LoadCase]:
    """Return a case for each workload and number of connections."""
    return [
        LoadCase(
            drive=Drive(
                system=system,
                workload=WORKLOADS[workload],
                door=door,
                connections=count,
                folder=plan.folder,
            )
        )
        for workload in workloads
        for count in connections
    ]


@asynccontextmanager
async def against_peers(plan: Plan) -> AsyncIterator[Sequence[Case]]:
    """Authorize, by everyone; and what the database could do if nothing else cost anything."""
    async with AsyncExitStack() as stack:
        up, server = stack.enter_async_context, plan.server
        ours = await up(paygate(server, name="paygate, 2 workers", workers=2, edge=True))
        straight = await up(peer(server, name="grpc.aio, BEGIN…COMMIT", module="grpc_aio"))
        thin = await up(peer(server, name="FastAPI + asyncpg", module="fastapi_asyncpg"))
        orm = await up(peer(server, name="FastAPI + SQLAlchemy", module="fastapi_orm"))
        statements = await recorded(ours)
        yield [
            *cases(plan, ours, "authorize"),
            *cases(plan, ours, "authorize", door="rest"),
            *cases(plan, straight, "authorize"),
            *cases(plan, thin, "authorize", door="rest"),
            *cases(plan, orm, "authorize", door="rest"),
            _grouped(plan, ours, statements, size=1, connections=32),
            _grouped(plan, ours, statements),
        ]


@asynccontextmanager
async def everything(plan: Plan) -> AsyncIterator[Sequence[Case]]:
    """All workloads over gRPC."""
    async with paygate(plan.server, name="2 workers", workers=2) as ours:
        await fill_pools(ours, plan.folder, size=plan.pool)
        # Pages are read by a merchant one at a time, and who waits for too long is refused.
        yield [*cases(plan, ours, *EVERYTHING), *cases(plan, ours, "first page", connections=(32,))]


@asynccontextmanager
async def by_workers(plan: Plan) -> AsyncIterator[Sequence[Case]]:
    """One worker and two, idle and busy."""
    async with (
        paygate(plan.server, name="1 worker", workers=1) as one,
        paygate(plan.server, name="2 workers", workers=2) as two,
    ):
        for system in (one, two):
            await fill_pools(system, plan.folder, size=plan.pool)
        yield [
            case
            for workload in ("authorize", "read")
            for system in (one, two)
            for case in cases(plan, system, workload, connections=CONNECTIONS)
        ] + [replace(case, share=STEADY) for case in cases(plan, two, "authorize")]


@asynccontextmanager
async def through_envoy(plan: Plan) -> AsyncIterator[Sequence[Case]]:
    """What the edge costs: REST, gRPC through it, and gRPC without it."""
    async with paygate(plan.server, name="2 workers", workers=2, edge=True) as ours:
        await fill_pools(ours, plan.folder, size=plan.pool)
        yield [
            *cases(plan, ours, "authorize"),
            *cases(plan, ours, "authorize", door="edge"),
            *cases(plan, ours, "authorize", door="rest", connections=CONNECTIONS),
            *cases(plan, ours, "capture", "refund", "read", door="rest"),
        ]


@asynccontextmanager
async def with_the_bank(plan: Plan) -> AsyncIterator[Sequence[Case]]:
    """The bank in the workers, and as a process of its own; and all of `make run`."""
    async with (
        paygate(plan.server, name="bank inside", workers=2) as inside,
        paygate(plan.server, name="bank beside", workers=2, bank=True) as beside,
        whole(name="make run", workers=2) as run,
    ):
        for system in (inside, beside, run):
            await fill_pools(system, plan.folder, size=plan.pool)
        yield [
            *cases(plan, inside, "authorize", "capture"),
            *cases(plan, beside, "authorize", "capture"),
            *cases(plan, run, "authorize", door="edge"),
            *cases(plan, run, "authorize", door="rest"),
        ]


@asynccontextmanager
async def growth(plan: Plan) -> AsyncIterator[Sequence[Case]]:
    """An empty database, and one that is full."""
    async with (
        paygate(plan.server, name="empty", workers=2) as empty,
        paygate(plan.server, name=f"{plan.payments:,} payments", workers=2) as full,
    ):
        for system in (empty, full):
            await fill_pools(system, plan.folder, size=plan.pool)
        seconds = await load(full, payments=plan.payments)
        full.pools["deep"] = await deep_pages(full)
        plan.facts["load"] = f"{plan.payments:,} payments were loaded in {seconds:,.0f} s"
        if plan.writes:
            case = _grouped(plan, full, await recorded(full))
            plan.facts["writes"] = await _written(case, plan)
        yield [
            case
            for workload in ("authorize", "capture", "refund", "read", "mix")
            for system in (empty, full)
            for case in cases(plan, system, workload)
        ] + cases(plan, full, "first page", "page 10,000")


def _grouped(
    plan: Plan,
    system: System,
    statements: list[Statement],
    *,
    size: int = 32,
    connections: int = 2,
) -> GroupCase:
    return GroupCase(
        server=plan.server,
        system=system,
        statements=statements,
        folder=plan.folder,
        size=size,
        connections=connections,
    )


async def _written(case: GroupCase, plan: Plan, *, seconds: int = WRITE_SECONDS) -> str:
    """Commit as many authorizations as are wanted, and say how long that took."""
    rates: list[float] = []
    while sum(rates) * seconds < plan.writes:
        rates.append((await case.run(seconds)).rate)
    (vacuums,) = await case.system.fetch(SQL["autovacuums"])
    return (
        f"{sum(rates) * seconds:,.0f} authorizations were committed in"
        f" {len(rates) * seconds} s, {rates[0]:,.0f}/s at first and {rates[-1]:,.0f}/s"
        f" at last; autovacuum ran {vacuums['count']} times"
    )


@asynccontextmanager
async def quick(plan: Plan) -> AsyncIterator[Sequence[Case]]:
    """One of each tool, on few processes: shows that all of this runs."""
    async with AsyncExitStack() as stack:
        up = stack.enter_async_context
        ours = await up(paygate(plan.server, name="1 worker", workers=1, edge=True))
        await fill_pools(ours, plan.folder, size=plan.pool)
        await load(ours, payments=plan.payments)
        ours.pools["deep"] = await deep_pages(ours)
        grouped = _grouped(plan, ours, await recorded(ours))
        plan.facts["writes"] = await _written(grouped, plan, seconds=1)
        yield [
            *cases(plan, ours, "page 10,000", "mix", "replay", connections=(16,)),
            *cases(plan, ours, "capture", door="rest", connections=(16,)),
            grouped,
        ]


SCENES: dict[str, Scene] = {
    "peers": against_peers,
    "workloads": everything,
    "workers": by_workers,
    "envoy": through_envoy,
    "bank": with_the_bank,
    "growth": growth,
}
