"""How much is in doubt, looked up at an interval and never when somebody reads the metrics."""

import asyncio

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.observe.metrics import Metrics
from services.payments.adapters.postgres import PostgresStore

logger = structlog.get_logger()

INTERVAL_SECONDS = 5.0


async def watch_pending(store: PostgresStore, metrics: Metrics) -> None:
    """Keep the two metrics of PENDING actions up to date, until cancelled."""
    count = metrics.gauge(
        "paygate_pending_actions", "Actions whose outcome is not known yet, 10000 at most."
    ).of()
    age = metrics.gauge(
        "paygate_pending_action_oldest_age_seconds",
        "The age of the oldest of them, by the gateway's clock; 0 if there are none.",
    ).of()
    while True:
        try:
            count.value, age.value = await store.count_pending()
        except DependencyUnavailableError:
            pass  # what was known last stays: `paygate_dependency_up` tells that the rest is away
        except Exception:
            logger.exception("what is pending can't be counted")
        await asyncio.sleep(INTERVAL_SECONDS)
