"""Payments as they happen: on the spare stack, whose edge dies here."""

import itertools
import json
import os
import re
import time
from collections import Counter
from typing import Any

import grpc
import psutil
import pytest
from google.protobuf import json_format
from playwright.sync_api import Locator, Page, expect

from paygate.payments.v1 import payment_service_pb2 as pb
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.console.conftest import NewPage
from tests.console.merchants import Merchant
from tests.e2e.stack import Stack
from tests.e2e.watcher import AUTHORIZE, worker_of

pytestmark = pytest.mark.browser

WIDE = {"width": 1440, "height": 900}
APPEARS_SECONDS_MAX = 1.0
AWAY_SECONDS = 10.0 if os.environ.get("PAYGATE_CHAOS") == "full" else 3.0
PAUSE_SECONDS = 0.2  # so that the list is drawn whole
SECONDS_MAX = 30.0
TRIES = 3  # what is slow by itself is slow each time; a busy machine is not

# Keeps what each stream of events has told, and from where it was to go on.
_LISTEN = """
  window.streams = [];
  const own = window.fetch;
  window.fetch = async (asked, how) => {
    const [reply, url] = [await own(asked, how), new URL(asked.url ?? asked, location.href)];
    if (!reply.ok || url.pathname !== "/events/watch") return reply;
    const text = new TextDecoder();
    const stream = { cursor: url.searchParams.get("cursor"), told: "" };
    streams.push(stream);
    const transform = (bytes, out) => {
      stream.told += text.decode(bytes, { stream: true });
      out.enqueue(bytes);
    };
    return new Response(reply.body.pipeThrough(new TransformStream({ transform })), reply);
  };
"""


@pytest.fixture(scope="module")
def stack(spare: Stack) -> Stack:
    """The one whose processes may be ended, and whose worker can be called past its edge."""
    return spare


@pytest.fixture
def payments(new_console: NewPage, merchant: Merchant) -> Page:
    """The list, live, of somebody who has one payment."""
    merchant.authorize(reference="the first")
    page = new_console("#/payments", key=merchant.key, viewport=WIDE)
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    expect(rows_of(page)).to_have_count(1)
    return page


def rows_of(page: Page) -> Locator:
    """Return the rows of the list that are drawn."""
    return page.get_by_role("table", name="Payments").locator("tbody tr[data-index]")


def until(page: Page, condition: str) -> None:
    """Wait for it; playwright's own way needs a page that may make scripts of text."""
    deadline = time.monotonic() + SECONDS_MAX
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(50)


def top_of(row: Locator) -> float:
    """Return where a row is."""
    box = row.bounding_box()
    assert box is not None
    return box["y"]


def test_a_payment_appears_at_once(payments: Page, merchant: Merchant) -> None:
    """On top, as new; and what becomes of it, in the list and beside it."""
    seconds = []
    for number in range(TRIES):
        merchant.authorize(reference=f"another {number}")
        began = time.monotonic()
        newest = rows_of(payments).filter(has_text=f"another {number}")
        expect(newest).to_have_attribute("data-new", "true")
        seconds.append(time.monotonic() - began)
        expect(rows_of(payments).first).to_contain_text(f"another {number}")
    assert min(seconds) <= APPEARS_SECONDS_MAX, seconds
    payment_id = merchant.authorize(reference="the last")
    row = rows_of(payments).filter(has_text="the last")
    row.click()
    expect(payments.locator(".detail-head .status")).to_have_text("Authorized")
    merchant.capture(payment_id, 400, idempotency_key="beside")
    for shown in (payments.locator(".detail-head .status"), row.locator(".status")):
        expect(shown).to_have_text("Partly captured")
    expect(row).to_have_attribute("data-new", "false")


def test_a_row_under_the_pointer_does_not_move(payments: Page, merchant: Merchant) -> None:
    """What comes meanwhile waits, is counted, and comes in when the pointer has gone."""
    row = rows_of(payments).filter(has_text="the first")
    row.hover()
    before = top_of(row)
    merchant.authorize()
    expect(payments.get_by_role("button", name="1 new payment: show")).to_be_visible()
    merchant.authorize()
    more = payments.get_by_role("button", name="2 new payments: show")
    expect(more).to_be_visible()
    assert top_of(row) == before
    expect(rows_of(payments)).to_have_count(1)
    more.click()
    expect(rows_of(payments)).to_have_count(3)
    merchant.authorize()
    payments.get_by_role("heading", name="Payments", exact=True).hover()
    expect(rows_of(payments)).to_have_count(4)
    expect(payments.get_by_role("button", name=re.compile("new payment"))).to_have_count(0)


def test_time_in_which_nothing_happens_is_folded(payments: Page, merchant: Merchant) -> None:
    """Requests stand where they belong by the sandbox's clock, also those that were refused."""
    payment_id = merchant.authorize()
    merchant.call("POST", "/sandbox/clock/advance", {"by": "259200s"})
    merchant.capture(payment_id, 400, idempotency_key="after-three-days")
    merchant.capture(payment_id, 5_000, idempotency_key="too-much")
    merchant.call("POST", "/sandbox/clock/advance", {"by": "604800s"})
    rows_of(payments).filter(has_text=payment_id).click()
    told = payments.locator(".timeline > li")
    expect(told.filter(has_text="payment.expired")).to_be_visible()
    expect(told.filter(has_text="AMOUNT_EXCEEDS_CAPTURABLE")).to_be_visible()
    expect(told).to_have_count(11)  # each worker logs its requests in its own time
    lines = [re.split(r"\n| \d+ ms", line)[0] for line in told.all_inner_texts()]
    gaps = [number for number, line in enumerate(lines) if line.endswith("later")]
    assert [lines[gap] for gap in gaps] == ["3 d later", "7 d later"], lines
    assert lines[gaps[0] + 1 : gaps[0] + 3] == ["Capture", "Capture 4.00 GBP"]
    assert lines[gaps[1] - 1] == "Capture"
    refused = told.nth(gaps[1] - 1)
    expect(refused).to_contain_text("AMOUNT_EXCEEDS_CAPTURABLE")


def paid_past_the_edge(stack: Stack, merchant: Merchant) -> dict[str, str]:
    """Pay at the worker itself, one payment after the other; return their references by ids."""
    metadata, paid = (("authorization", f"Bearer {merchant.key}"),), {}
    end = time.monotonic() + AWAY_SECONDS
    with grpc.insecure_channel(worker_of(stack)) as channel:
        stub: Any = PaymentServiceStub(channel)
        for number in itertools.count():
            reference = f"away-{number}."
            request = json_format.ParseDict(
                {**AUTHORIZE, "reference": reference}, pb.AuthorizeRequest()
            )
            reply = stub.Authorize(request, metadata=metadata, timeout=10)
            paid[reply.payment.id] = reference
            time.sleep(PAUSE_SECONDS)
            if time.monotonic() > end:
                break
    return paid


@pytest.mark.chaos
def test_what_happens_while_the_edge_is_away_is_told_and_shown_once(
    payments: Page, merchant: Merchant, stack: Stack
) -> None:
    """For seconds it answers nobody, then it dies; the stream goes on from what was read last."""
    payments.add_init_script(_LISTEN)
    payments.reload()
    until(payments, "streams.some(({ told }) => told.includes('cursor'))")
    before = merchant.authorize(reference="before")
    expect(rows_of(payments)).to_have_count(2)
    psutil.Process(stack.pids()["envoy"]).suspend()
    try:
        paid = paid_past_the_edge(stack, merchant)
    finally:
        stack.restarted("envoy", stack.kill("envoy"))
    until(payments, "streams.length > 1")
    paid[merchant.authorize(reference="after")] = "after"
    paid[before] = "before"
    expect(rows_of(payments)).to_have_count(1 + len(paid))
    shown = re.findall(r"away-\d+\.|before|after", payments.get_by_role("table").inner_text())
    assert sorted(shown) == sorted(paid.values())
    expect(payments.get_by_role("alert")).to_have_count(0)
    assert told_in(payments.evaluate("streams")) == dict.fromkeys(paid, 1)


def told_in(streams: list[dict[str, str]]) -> dict[str, int]:
    """Return how often each payment was told of, by streams that went on one from the other."""
    assert [bool(stream["cursor"]) for stream in streams] == [False] + [True] * (len(streams) - 1)
    messages = [
        json.loads(line.removeprefix("data:"))
        for stream in streams
        for line in stream["told"].split("\n")[:-1]
        if line.strip()
    ]
    events = [message["event"] for message in messages if message.get("event")]
    return dict(Counter(event["data"]["payment"]["id"] for event in events))
