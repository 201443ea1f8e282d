"""How far one has to look to follow an Authorize: a ratchet, that only goes down."""

import json
import re
from pathlib import Path

from grpc import aio

from bench import worker
from bench.workloads import authorize_message
from paygate.payments.v1.payment_service_pb2 import AuthorizeRequest
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.chaos.rig import Process, free_port
from tests.integration.path_worker import REPOSITORY, WARM_CALLS, WATCHED_CALLS

FILES_MAX = 40


async def test_an_authorize_goes_through_few_files(
    payments_database_url: str, tmp_path: Path
) -> None:
    """From the socket to SQL and back, with the bank left out; the tour is on its way."""
    port, found = free_port(), tmp_path / "files.json"
    environment = worker.environment(
        payments_database_url, port=port, bank_port=1, keyring=str(tmp_path / "keyring.json")
    )
    key = await worker.make_key(payments_database_url)
    module = ("tests.integration.path_worker",)
    process = Process(module, {**environment, "PATH_FILE": str(found)}, port)
    await process.start()
    try:
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            request = AuthorizeRequest.FromString(authorize_message(1000))
            for number in range(WARM_CALLS + WATCHED_CALLS):
                metadata = (
                    ("authorization", f"Bearer {key}"),
                    ("idempotency-key", f"key-{number}"),
                )
                await PaymentServiceStub(channel).Authorize(request, metadata=metadata)
    finally:
        await process.kill()
    files = json.loads(found.read_text("utf-8"))
    assert len(files) <= FILES_MAX, "\n".join(files)
    tour = (REPOSITORY / "docs" / "tour.md").read_text("utf-8").partition("One Authorize, in")[2]
    steps = re.findall(r"^\d\. `([^`]+\.py)`", tour, re.MULTILINE)
    assert len(steps) == 5
    # A port is only a description of what stands behind it: nothing in it runs.
    assert set(steps) - set(files) <= {"services/payments/ports.py"}
