"""What payments take on disks and lines: `python -m bench.bytes_cost`, for docs/scale.md.

All of `make run`, on a PostgreSQL that waits for the disk: so many authorizations, a capture of
each, then a fifth as many authorizations with a webhook each. Printed is what one call of a kind
adds: to each table and its indexes after a VACUUM, to PostgreSQL's log, to our logs and to what
goes through the edge.
"""

import argparse
import asyncio
import base64
import re
import tempfile
from collections import Counter
from pathlib import Path

import aiohttp

from bench.cpu import Meter
from bench.driver import Load, Operation
from bench.systems import SQL, System
from bench.tools import own
from bench.workloads import SERVICE, authorize_message, capture_message
from tests.e2e.envoy_admin import asked
from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack, new_data_dir
from tools.stack import envoy

CALLS, AT_ONCE, PENCE = 20_000, 128, 1_000
WORKERS = 2
# Without the request log, which is in the database.
AS_IN_PRODUCTION = {"PAYGATE_SANDBOX_API": "false"}
DELIVERED_SECONDS_MAX = 300.0
# An idle backend of PostgreSQL tells its counts after 10 s.
COUNTED_SECONDS = 11.0
REFERENCE = "order-0123456789"  # as long as a shop's usually are
LINES = re.compile(r"^(http\.edge\.downstream|cluster\.payments\.upstream)_cx_(rx|tx)_bytes_total$")


WRITTEN = ("bytes", "records", "whole_pages", "flushes_of_all")


class Books:
    """Everything that grows with the calls of a running stack."""

    def __init__(self, system: System, data_dir: Path) -> None:
        self._system, self._data_dir = system, data_dir
        self._bank = system.database_url.replace("/payments?", "/acquirer?")

    async def read(self) -> Counter[str]:
        """Return bytes, and counts of what PostgreSQL does, by name."""
        found: Counter[str] = Counter()
        for name, url in (("payments", self._system.database_url), ("acquirer", self._bank)):
            of = System(name=name, doors={}, headers={}, database_url=url, meter=self._system.meter)
            await of.fetch("VACUUM")
            for row in await of.fetch(SQL["sizes"]):
                found[f"{name}: {row['name']}"] += row["rows"]
                found[f"{name}: {row['name']}, indexes"] += row["indexes"]
        for log in (self._data_dir / "logs").glob("*.log"):
            found[f"our log: {log.stem.partition('-')[0]}"] += log.stat().st_size
        return found + self._lines()

    async def written(self) -> Counter[str]:
        """Return what went into PostgreSQL's log, once all have told what they did."""
        await asyncio.sleep(COUNTED_SECONDS)
        rows = await self._system.fetch(SQL["written"])
        return Counter(
            {f"WAL of {row['name']}: {what}": row[what] for row in rows for what in WRITTEN}
        )

    def _lines(self) -> Counter[str]:
        config = envoy.parse((self._data_dir / "run" / "envoy.yaml").read_text())
        admin = Path(config["admin"]["address"]["pipe"]["path"])
        text = asked(admin, "/stats?filter=cx_(rx|tx)_bytes_total").data.decode()
        pairs = (line.split(": ") for line in text.splitlines())
        return Counter({name: int(value) for name, value in pairs if LINES.match(name)})


async def called(system: System, method: str, messages: list[bytes], calls: int) -> None:
    """Make so many calls through Envoy."""
    bodies = [base64.b64encode(message).decode() for message in messages]
    operation = Operation(name=method, path=f"{SERVICE}/{method}", bodies=bodies)
    with tempfile.NamedTemporaryFile() as times:
        load = Load(
            port=system.doors["edge"][0],
            connections=AT_ONCE,
            headers=dict(system.headers),
            operations=[operation],
            times=times.name,
            calls=calls,
        )
        done = await own(load)
    assert done.well[method] == calls, done


async def with_webhooks(system: System, calls: int) -> None:
    """Authorize, and wait until each event was delivered."""
    receiver = Receiver()
    (port,) = system.doors["rest"]
    told = {"url": f"{receiver.url}/hook", "event_types": []}
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=dict(system.headers)) as session,
        session.post("/webhook-endpoints", json=told) as reply,
    ):
        assert reply.status == 200, await reply.text()
    await authorized(system, calls)
    posted = await asyncio.to_thread(
        receiver.wait,
        "/hook",
        lambda posted: len(posted) >= calls,
        seconds_max=DELIVERED_SECONDS_MAX,
    )
    sizes = [
        len(one.body) + sum(len(name) + len(value) + 4 for name, value in one.headers.items())
        for one in posted
    ]
    print(f"  webhook's body and headers {sum(sizes) / len(sizes):.0f}")


async def measured(calls: int) -> None:
    """Measure, and print."""
    with Stack(workers=WORKERS, data_dir=new_data_dir(), environment=AS_IN_PRODUCTION) as stack:
        await asyncio.to_thread(stack.start)
        sockets = (stack.data_dir / "run" / "sockets").resolve()
        system = System(
            name="make run",
            doors={"edge": (stack.port,), "rest": (stack.port,)},
            headers={"authorization": f"Bearer {stack.api_key}"},
            database_url=f"postgresql://postgres@/payments?host={sockets}",
            meter=Meter({}),
            merchant="mer_demo",
        )
        books = Books(system, stack.data_dir)
        await called(system, "Authorize", [authorize_message(PENCE, "warm")], calls // 10)
        written = await books.written()
        for name, do, share in (
            ("Authorize", authorized, 1),
            ("Capture", captured, 1),
            ("Authorize, with a webhook", with_webhooks, 5),
        ):
            before = await books.read()
            await system.fetch("CHECKPOINT")
            await do(system, calls // share)
            earlier, written = written, await books.written()
            show(name, await books.read() - before + (written - earlier), calls // share)


async def authorized(system: System, calls: int) -> None:
    """Authorize."""
    await called(system, "Authorize", [authorize_message(PENCE, REFERENCE)], calls)


async def captured(system: System, calls: int) -> None:
    """Capture what was authorized."""
    rows = await system.fetch(SQL["payments_by_reference"], system.merchant, REFERENCE)
    await called(system, "Capture", [capture_message(row["id"], PENCE) for row in rows], calls)


def show(name: str, grown: Counter[str], calls: int) -> None:
    """Print what a call has added, and leave out what is next to nothing."""
    print(f"{name}, a call:")
    for what, count in sorted(grown.items()):
        if count / calls >= 0.005:
            print(f"  {what:60} {count / calls:10.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    asyncio.run(measured(parser.parse_args().calls))
