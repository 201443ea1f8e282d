"""Which tool drives which load, on each port of a system at once."""

import asyncio
import secrets
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grpc import aio

from bench import http2, tools
from bench.driven import Driven, together
from bench.driver import Load, Operation
from bench.systems import System
from bench.workloads import SERVICE, Workload, authorize_message
from tools.stack.settings import HOST


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A load.

    Attributes:
        door: `grpc`: straight to the workers; `edge`: gRPC through Envoy; `rest`: JSON.
        connections: In all; each has one call at a time.
        folder: For files of the moment.
    """

    system: System
    workload: Workload
    door: str
    connections: int
    folder: Path

    async def run(self, seconds: float, *, rate: float = 0.0) -> Driven:
        """Drive every port with its share of the connections, and of the rate if there is one."""
        ports = self.system.doors[self.door]
        shares = [len(range(part, self.connections, len(ports))) for part in range(len(ports))]
        busy = [(part, share) for part, share in enumerate(shares) if share]
        if self.workload.shares and self.door != "rest":
            return await _all(
                self._own(
                    ports[part],
                    connections=share,
                    seconds=seconds,
                    rate=rate / len(busy),
                    operations=self.workload.operations(self.system.pools, part, len(busy)),
                )
                for part, share in busy
            )
        assert not rate, "only our own driver can wait"
        before = tools.children_seconds()
        if self.workload.shares:
            driven = await _all(self._wrk(ports[part], share, seconds) for part, share in busy)
        else:
            key, reply = await self._first_call(ports[0])
            driven = await _all(
                self._h2load(ports[part], share, seconds, key, reply) for part, share in busy
            )
        return replace(driven, cpu_seconds=tools.children_seconds() - before)

    async def _own(
        self,
        port: int,
        *,
        connections: int,
        seconds: float,
        rate: float,
        operations: list[Operation],
    ) -> Driven:
        times = self.folder / f"times-{secrets.token_hex(8)}"
        load = Load(
            port=port,
            connections=connections,
            headers=dict(self.system.headers),
            operations=operations,
            times=str(times),
            seconds=seconds,
            rate=rate,
        )
        driven = await tools.own(load)
        times.unlink()
        return driven

    async def _wrk(self, port: int, connections: int, seconds: float) -> Driven:
        return await tools.wrk(
            port=port,
            connections=connections,
            seconds=seconds,
            name=self.workload.shares[0][0].action or "READ",
            requests=self.workload.requests(self.system.pools),
            authorization=self.system.headers.get("authorization", "none"),
            folder=self.folder,
        )

    async def _h2load(
        self, port: int, connections: int, seconds: float, key: str, reply: bytes
    ) -> Driven:
        return await tools.h2load(
            port=port,
            connections=connections,
            seconds=seconds,
            name="REPLAY",
            path=f"{SERVICE}/Authorize",
            body=http2.message(authorize_message(1000)),
            headers={**self.system.headers, "idempotency-key": key},
            reply_bytes=len(http2.message(reply)),
            folder=self.folder,
        )

    async def _first_call(self, port: int) -> tuple[str, bytes]:
        """Authorize once, for others to repeat; return the key and the reply."""
        key = secrets.token_hex(16)
        metadata = (*self.system.headers.items(), ("idempotency-key", key))
        async with aio.insecure_channel(f"{HOST}:{port}") as channel:
            call: Any = channel.unary_unary(f"{SERVICE}/Authorize")
            reply: bytes = await call(authorize_message(1000), metadata=metadata, timeout=10)
            return key, reply


async def _all(loads: Iterable[Awaitable[Driven]]) -> Driven:
    return together(await asyncio.gather(*loads))
