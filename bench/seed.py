"""The payments that workloads work on, made through the gateway itself."""

import base64
import secrets
from pathlib import Path

from bench.driver import Load, Operation
from bench.systems import SQL, System
from bench.tools import own
from bench.worker import page_tokens
from bench.workloads import LARGE, SERVICE, authorize_message, capture_message
from pkg.grpc.lists import ListPosition
from services.payments.ports import PaymentFilter
from services.payments.use_cases.queries import payments_scope

POOL = 2_000
AT_ONCE = 32
PAGES, PAGE_SIZE = 10_000, 20


async def fill_pools(system: System, folder: Path, *, size: int = POOL) -> None:
    """Make payments to capture of, to refund of and to read, and one that everybody captures of."""
    for purpose, count in (("open", size), ("captured", size), ("hot", 1)):
        amount = 10**12 if purpose == "hot" else LARGE
        await _call(system, folder, "Authorize", [authorize_message(amount, purpose)], count)
        rows = await system.fetch(SQL["payments_by_reference"], system.merchant, purpose)
        system.pools[purpose] = [row["id"] for row in rows]
    bodies = [capture_message(one, LARGE) for one in system.pools["captured"]]
    await _call(system, folder, "Capture", bodies, len(bodies))
    system.pools["any"] = system.pools["open"] + system.pools["captured"]


async def deep_pages(system: System) -> list[str]:
    """Return tokens of pages of the list about 10,000 pages of 20 from its beginning."""
    rows = await system.fetch(SQL["deep_payments"], system.merchant, PAGES * PAGE_SIZE, POOL)
    if not rows:  # there are not as many: the end of the list, then
        rows = await system.fetch(SQL["deep_payments"], system.merchant, 0, POOL)
    scope = payments_scope(PaymentFilter(), follow=False)
    places = [ListPosition(row["commit_order"], row["id"]) for row in rows]
    return [page_tokens().seal(system.merchant, scope, str(place)) for place in places]


async def _call(
    system: System, folder: Path, method: str, messages: list[bytes], calls: int
) -> None:
    operation = Operation(
        name=method,
        path=f"{SERVICE}/{method}",
        bodies=[base64.b64encode(message).decode() for message in messages],
    )
    load = Load(
        port=(system.doors.get("grpc") or system.doors["edge"])[0],
        connections=min(AT_ONCE, calls),
        headers=dict(system.headers),
        operations=[operation],
        times=str(folder / f"seed-{secrets.token_hex(4)}"),
        calls=calls,
    )
    done = await own(load)
    Path(load.times).unlink()
    assert done.well[method] == calls, f"{system.name}: {done}"
