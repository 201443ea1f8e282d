"""A log that nobody can write to stops no call, no sweep and no end in good order."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import urllib3
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from pkg.observe.request_log import GATHERED_MAX
from tests.chaos.rig import Rig, free_port, gbp, reason_of
from tests.unwritable import full, gone

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")

EXPIRY = pb.Expiry(month=12, year=2035)
NEVER_ANSWERED = pb.CardDetails(pan="4000000000001018", expiry=EXPIRY, cvv="123")
UNKNOWN = service.CaptureRequest(authorization_id="pay_unknown", amount=gbp(1))


@pytest.fixture(params=[full, gone], ids=["full disk", "closed pipe"])
async def rig(
    request: pytest.FixtureRequest, payments_database_url: str, acquirer_database_url: str
) -> AsyncIterator[Rig]:
    """A worker, its bank and its sweep, none of which can log."""
    rig = Rig(payments_database_url, acquirer_database_url, workers_count=1)
    rig.vault["PAYGATE_METRICS_LISTEN"] = f"127.0.0.1:{free_port()}"  # the worker's
    stderr = request.param()
    rig.stderr = stderr
    async with rig:
        yield rig
    os.close(stderr)


async def test_calls_and_sweeps_go_on(rig: Rig) -> None:
    """Refusals are refusals, what is in doubt is recovered, and every process ends with 0."""
    payment_id = await rig.captured()
    for _ in range(2 * GATHERED_MAX):
        with pytest.raises(aio.AioRpcError) as refused:
            await rig.call(UNKNOWN)
        assert reason_of(refused.value) == "PAYMENT_NOT_FOUND"
    doubtful = await rig.call(
        service.AuthorizeRequest(card_details=NEVER_ANSWERED, amount=gbp(1000))
    )
    assert doubtful.action.status == pb.Action.STATUS_PENDING
    await rig.settled()
    await rig.call(service.RefundRequest(authorization_id=payment_id, amount=gbp(1000)))
    assert lost(rig) >= 2 * GATHERED_MAX
    for process in (rig.sweep, *rig.workers, rig.bank):
        await process.stop()
        assert process.running is not None
        assert process.running.returncode == 0, process.module


def lost(rig: Rig) -> int:
    """Return how many lines the worker says that it has lost."""
    url = f"http://{rig.vault['PAYGATE_METRICS_LISTEN']}/metrics"
    page = urllib3.request("GET", url, timeout=5.0).data.decode().splitlines()
    (line,) = [line for line in page if line.startswith("paygate_log_lines_lost_total ")]
    return int(float(line.split()[1]))
