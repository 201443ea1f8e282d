"""What a process depends on, and whether it is there: asked at an interval, told at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from grpc import aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from pkg.observe.metrics import Metrics

logger = structlog.get_logger()

HEALTH = "/grpc.health.v1.Health/"  # the service's methods begin like this
INTERVAL_SECONDS = 2.0
ANSWER_SECONDS_MAX = 1.5

# Tells whether a dependency does its part now; raising or taking too long means that it does not.
Check = Callable[[], Awaitable[bool]]


class Health:
    """Whether this process can do its work.

    Without a dependency of `needed` it can do none. Without another one it does less: what it does
    then is documented with each.

    Args:
        checks: One for each dependency, by its name.
        metrics: Where `paygate_dependency_up` is shown.
        needed: Those without which nothing goes.
        answer_seconds_max: How long an answer may take.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        metrics: Metrics,
        *,
        needed: frozenset[str] = frozenset({"database"}),
        answer_seconds_max: float = ANSWER_SECONDS_MAX,
    ) -> None:
        self._checks = checks
        self._needed = needed
        self._answer_seconds_max = answer_seconds_max
        up = metrics.gauge(
            "paygate_dependency_up",
            "Whether a dependency answers: 1 or 0, as this process sees it.",
            ("dependency",),
        )
        self._up = {name: up.of(name) for name in checks}

    @property
    def is_ready(self) -> bool:
        """Whether everything that is needed is there."""
        return all(gauge.value for name, gauge in self._up.items() if name in self._needed)

    def told(self) -> dict[str, object]:
        """Return what `/health` says."""
        states = {name: "UP" if gauge.value else "DOWN" for name, gauge in self._up.items()}
        status = "DEGRADED" if "DOWN" in states.values() else "SERVING"
        return {"status": status if self.is_ready else "NOT_SERVING", "dependencies": states}

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await self.run_once()
            await asyncio.sleep(INTERVAL_SECONDS)

    async def run_once(self) -> None:
        """Ask every dependency, all at once."""
        await asyncio.gather(*(self._ask(name, check) for name, check in self._checks.items()))

    async def _ask(self, name: str, check: Check) -> None:
        try:
            async with asyncio.timeout(self._answer_seconds_max):
                is_up = await check()
        except Exception:  # noqa: BLE001  # whatever it is, there was no answer
            is_up = False
        gauge = self._up[name]
        if gauge.value and not is_up:
            logger.warning("a dependency is down", dependency=name)
        gauge.value = int(is_up)


async def serves(channel: aio.Channel) -> bool:
    """Tell whether the server behind a channel says of itself that it serves."""
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )
    reply = await check(HealthCheckRequest(), timeout=ANSWER_SECONDS_MAX)
    return bool(reply.status == HealthCheckResponse.SERVING)
