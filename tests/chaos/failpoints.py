"""A real payments worker that can be struck at any await of the write path.

`python -m tests.chaos.failpoints` is `python -m services.payments serve` with the store and the
bank behind wrappers, and an interceptor. A call that carries `x-failpoint: <point>=<strike>@<n>`
arms one point for itself: when n calls so armed have reached it, every one of them is struck.

Points: `load`, `commit-1`, `bank`, `inquire`, `pending`, `commit-2`, each `.before` and `.after`,
and `reply.before`. Strikes: `kill` (-9), `raise`, and `hold` (until the file named by `x-hold` is
gone, which the worker creates when the call is there: the test does what it wants meanwhile).
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import grpc
from grpc import aio

from pkg.observe import telemetry
from pkg.process.settings import load
from services.payments.__main__ import composed, serve_on
from services.payments.ports import Acquirer, Store
from tests.chaos.worker import HastySettings

T = TypeVar("T")
HOLD_SECONDS_MAX = 30.0


class StruckError(Exception):
    """What an armed point raises."""


@dataclass
class Strike:
    """What one call has armed, and how many commits it has made."""

    point: str
    kind: str
    calls: int
    hold: str
    commits: int = 0


@dataclass
class Points:
    """The points of one worker: counts arrivals, so that several calls can be struck as one."""

    armed: ContextVar[Strike | None] = field(
        default_factory=lambda: ContextVar("armed", default=None)
    )
    arrived: Counter[str] = field(default_factory=Counter)
    all_there: dict[str, asyncio.Event] = field(default_factory=dict)

    async def reach(self, point: str) -> None:
        """Strike if the call that runs here has armed this point."""
        strike = self.armed.get()
        if strike is None or strike.point != point:
            return
        strike.point = ""  # once
        self.arrived[point] += 1
        there = self.all_there.setdefault(point, asyncio.Event())
        if self.arrived[point] >= strike.calls:
            there.set()
        await there.wait()
        if strike.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif strike.kind == "hold":
            await _held(Path(strike.hold))
        else:
            raise StruckError(point)

    async def around(self, name: str, work: Awaitable[T]) -> T:
        """Do the work between its two points."""
        await self.reach(f"{name}.before")
        result = await work
        await self.reach(f"{name}.after")
        return result


async def _held(place: Path) -> None:
    await asyncio.to_thread(place.touch)
    async with asyncio.timeout(HOLD_SECONDS_MAX):
        while await asyncio.to_thread(place.exists):
            await asyncio.sleep(0.01)  # the event is in another process


class Struck:
    """A store or a bank whose methods have a point before and after them."""

    def __init__(self, inner: object, points: Points, names: dict[str, str]) -> None:
        self._inner = inner
        self._points = points
        self._names = names

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        call: Callable[..., Awaitable[Any]] = getattr(self._inner, method)
        if method not in self._names:
            return call

        def struck(*arguments: object, **named: object) -> Awaitable[Any]:
            name, strike = self._names[method], self._points.armed.get()
            if name == "commit" and strike is not None:
                strike.commits += 1
                name = f"commit-{strike.commits}"
            return self._points.around(name, call(*arguments, **named))

        return struck


class Arming(aio.ServerInterceptor):
    """Arms what the call's metadata asks for."""

    def __init__(self, points: Points) -> None:
        self._points = points

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        details: grpc.HandlerCallDetails,
    ) -> Any:  # as grpc has it
        """Return the handler with the points around it."""
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler

        async def call(request: object, context: Any) -> object:
            given = dict(context.invocation_metadata() or ())
            if "x-failpoint" in given:
                point, _, rest = given["x-failpoint"].partition("=")
                kind, _, calls = rest.partition("@")
                strike = Strike(point, kind, int(calls or 1), given.get("x-hold", ""))
                self._points.armed.set(strike)
            reply = await handler.unary_unary(request, context)
            await self._points.reach("reply.before")
            return reply

        return grpc.unary_unary_rpc_method_handler(
            call,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def struck_store(store: Store, points: Points) -> Any:
    """Return the store with its points."""
    names = {"load": "load", "commit": "commit", "leave_pending": "pending"}
    return Struck(store, points, names)


def struck_bank(bank: Acquirer, points: Points) -> Any:
    """Return the bank with its points."""
    names = {"authorize": "bank", "perform": "bank", "inquire": "inquire"}
    return Struck(bank, points, names)


async def main() -> None:
    """Serve until SIGTERM."""
    settings, points = load(HastySettings), Points()
    async with composed(settings) as service:
        ports = replace(
            service.ports,
            store=struck_store(service.ports.store, points),
            acquirer=struck_bank(service.ports.acquirer, points),
        )
        await serve_on(settings, replace(service, ports=ports), Arming(points))


if __name__ == "__main__":
    telemetry.configure("payments-chaos")
    asyncio.run(main())
