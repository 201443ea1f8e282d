"""What must be true of the stack after it was fuzzed."""

import json
import re
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import urllib3

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.chaos.books import Books
from tests.e2e.stack import Stack
from tests.sentinels import VISA, cvv_of

# A bug, an exception that nobody caught, or a statement that PostgreSQL refused.
TROUBLE = re.compile(
    r"Traceback|unexpected error|never retrieved|Segmentation|\[critical\]|panic|Assert"
    r'|"level": ?"(?:error|critical)"| (?:ERROR|FATAL|PANIC):  ',
)
# What a client that hangs up brings about: grpc notices it while a reply is being sent.
USUAL = re.compile(r'canceling statement due to user request|Failed "execute_batch"')
# Ours, Envoy's or PostgreSQL's next entry; a traceback's lines begin otherwise.
ENTRY = re.compile(r"\n(?=[{\[]|\d{4}-|Traceback)")
FOUND_SHOWN, SHOWN_MAX_CHARACTERS = 5, 3000


def log_sizes(stack: Stack) -> dict[Path, int]:
    """Return how long each log is by now: what comes later is judged."""
    return {log: log.stat().st_size for log in sorted((stack.data_dir / "logs").iterdir())}


def trouble(begin: dict[Path, int]) -> list[str]:
    """Return what tells of trouble, out of what was logged since."""
    return [
        f"{log.name}: {entry[:SHOWN_MAX_CHARACTERS]}"
        for log, size in begin.items()
        for entry in ENTRY.split(log.read_bytes()[size:].decode(errors="replace"))
        if TROUBLE.search(entry) and not USUAL.search(entry)
    ][:FOUND_SHOWN]


async def books_agree(stack: Stack) -> int:
    """Wait until nothing is under way, compare both books, and return how many payments there are.

    As the owner of all databases: a service's own role may not see every merchant's rows.
    """
    sockets = str((stack.data_dir / "run" / "sockets").resolve())
    pools: list[Any] = [
        await asyncpg.create_pool(
            user="postgres", host=sockets, database=database, min_size=1, max_size=1
        )
        for database in ("payments", "acquirer")
    ]
    try:
        books = Books(*pools)
        await books.settled()
        await books.assert_agree()
        count: int = await pools[0].fetchval("SELECT count(*) FROM payments")
        return count
    finally:
        for pool in pools:
            await pool.close()


def money_still_moves(stack: Stack) -> None:
    """Authorize and capture over REST, refund and look over gRPC."""
    headers = {"authorization": f"Bearer {stack.api_key}", "content-type": "application/json"}
    amount = {"minor_units": 1000, "currency": "GBP"}
    clock = urllib3.request("GET", f"{stack.url}/sandbox/clock", headers=headers).json()
    year = int(clock["now"][:4]) + 1
    card = {"pan": VISA, "expiry": {"month": 12, "year": year}, "cvv": cvv_of(VISA)}

    def post(path: str, body: object) -> Any:
        url, text = stack.url + path, json.dumps(body)
        reply = urllib3.request("POST", url, body=text, headers=headers, timeout=10.0)
        assert reply.status == 200, reply.data
        return reply.json()["payment"]

    payment = post("/authorize", {"card_details": card, "amount": amount})
    payment = post("/capture", {"authorization_id": payment["id"], "amount": amount})
    assert payment["status"] == "STATUS_CAPTURED"
    with grpc.insecure_channel(stack.grpc) as channel:
        stub = PaymentServiceStub(channel)
        key = (("authorization", headers["authorization"]),)
        whole = pb.Amount(minor_units=1000, currency="GBP")
        refund = service.RefundRequest(authorization_id=payment["id"], amount=whole)
        stub.Refund(refund, metadata=key, timeout=10)
        request = service.GetPaymentRequest(id=payment["id"])
        found = stub.GetPayment(request, metadata=key, timeout=10)
    assert found.payment.status == pb.Payment.STATUS_REFUNDED
