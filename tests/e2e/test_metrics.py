"""Metrics and health of a running stack, against what operations.md says of them."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.stack import Stack
from tests.sentinels import AMEX, AMEX_CVV
from tools.stack.settings import REPOSITORY

OURS = ("paygate_", "grpc_")
WAIT_SECONDS_MAX = 10.0
_ROW = re.compile(r"^\| `([a-z_]+)` \|([^|]*)\|", re.MULTILINE)
Samples = Counter[tuple[str, tuple[tuple[str, str], ...]]]


def documented() -> dict[str, set[str]]:
    """Return each metric of the table in operations.md, and its labels."""
    text = (REPOSITORY / "docs" / "operations.md").read_text()
    section = text.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in _ROW.findall(section)}


def targets(stack: Stack) -> dict[str, str]:
    """Return where each process of ours shows its metrics, by its name."""
    found = json.loads((stack.data_dir / "run" / "metrics.json").read_text())
    return {one["labels"]["process"]: f"http://{one['targets'][0]}" for one in found}


def pages(stack: Stack) -> Iterator[str]:
    """Yield the page of each process, but for Envoy's."""
    for process, address in targets(stack).items():
        if process != "envoy":
            got = urllib3.request("GET", f"{address}/metrics")
            assert got.status == 200, process
            yield got.data.decode()


def shown(stack: Stack) -> dict[str, set[str]]:
    """Return each metric that any process shows, with the labels of its series."""
    found: dict[str, set[str]] = {}
    for page in pages(stack):
        for family in text_string_to_metric_families(page):
            # The parser takes this end off a counter's name.
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = found.setdefault(name, set())
            for sample in family.samples:
                labels.update(sample.labels)
    return found


def samples(stack: Stack) -> Samples:
    """Return the sums of all samples over all processes."""
    found: Samples = Counter()
    for page in pages(stack):
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                found[sample.name, tuple(sorted(sample.labels.items()))] += int(sample.value)
    return found


def authorize(stack: Stack, pan: str, cvv: str, *, currency: str = "GBP") -> None:
    """Ask for ten of a currency."""
    card = {"pan": pan, "expiry": {"month": 12, "year": 2035}, "cvv": cvv}
    body = {"card_details": card, "amount": {"minor_units": 1000, "currency": currency}}
    headers = {"authorization": f"Bearer {stack.api_key}", "content-type": "application/json"}
    got = urllib3.request("POST", f"{stack.url}/authorize", body=json.dumps(body), headers=headers)
    assert got.status == 200


def test_the_documented_metrics_are_those_that_are_shown(stack: Stack) -> None:
    """Each metric of the table is shown by some process, and no other one of ours is."""
    table, found = documented(), shown(stack)
    assert {name for name in found if name.startswith(OURS)} == set(table)


def test_labels_are_the_documented_ones(stack: Stack) -> None:
    """A series has the labels that its row names, and `le` where it is a histogram."""
    authorize(stack, AMEX, AMEX_CVV)
    table, found = documented(), shown(stack)
    for name, labels in table.items():
        assert found[name] - {"le"} <= labels, name
    assert found["paygate_authorizations_total"] == table["paygate_authorizations_total"]


def test_payments_are_counted_once(stack: Stack) -> None:
    """An approval and a decline show as such, with the money, at the bank and in the calls."""
    before = samples(stack)
    # In a currency that nobody else uses: the sweep may be settling what earlier tests have left.
    authorize(stack, AMEX, AMEX_CVV, currency="ISK")
    authorize(stack, "4000000000000002", "123", currency="ISK")
    grown = samples(stack) - before

    def count(name: str, **labels: str) -> int:
        return grown[name, tuple(sorted(labels.items()))]

    authorizations = "paygate_authorizations_total"
    assert count(authorizations, outcome="approved", decline_code="", brand="AMERICAN_EXPRESS") == 1
    declined = {"outcome": "declined", "decline_code": "CARD_DECLINED", "brand": "VISA"}
    assert count(authorizations, **declined) == 1
    money = {"operation": "authorize", "currency": "ISK"}
    assert count("paygate_money_minor_units_total", **money) == 1000
    for outcome in ("approved", "declined"):
        asked = {"operation": "authorize", "outcome": outcome}
        assert count("paygate_acquirer_requests_total", **asked) == 1
    method = {"grpc_service": "paygate.payments.v1.PaymentService", "grpc_method": "Authorize"}
    assert count("grpc_server_handled_total", grpc_code="OK", **method) == 2
    assert count("grpc_server_handling_seconds_count", **method) == 2
    assert count("paygate_vault_seconds_count", operation="seal") == 2


def test_no_label_names_a_merchant_or_a_payment(stack: Stack) -> None:
    """Pages hold no id of a merchant, a payment, an action, an endpoint or a key."""
    authorize(stack, AMEX, AMEX_CVV)
    for page in pages(stack):
        assert not re.search(r"\b(mer|pay|act|tok|evt|whe|sk|dek)_[0-9a-z]{4}", page)


def test_health_names_each_dependency(stack: Stack) -> None:
    """Every process says what it depends on, that it is there, and that its loop turns."""
    dependencies = {
        "acquirer": {"database"},
        "admin": {"database", "vault"},
        "payments-1": {"database", "acquirer", "vault"},
        "payments-2": {"database", "acquirer", "vault"},
        "sweep": {"database", "acquirer"},
        "events": {"database"},
        "relay": {"database"},
    }
    addresses = targets(stack)
    assert set(addresses) == {*dependencies, "envoy"}
    for process, names in dependencies.items():
        live = urllib3.request("GET", f"{addresses[process]}/health/live")
        assert (live.status, live.json()) == (200, {"status": "ALIVE"})
        got = urllib3.request("GET", f"{addresses[process]}/health")
        assert (got.status, got.json()["status"]) == (200, "SERVING"), process
        assert got.json()["dependencies"] == dict.fromkeys(names, "UP"), process


def test_envoys_own_metrics_are_among_the_targets(stack: Stack) -> None:
    """Envoy shows its metrics where the file says, on the loopback interface."""
    found = json.loads((stack.data_dir / "run" / "metrics.json").read_text())
    (envoy,) = [one for one in found if one["labels"]["process"] == "envoy"]
    assert envoy["targets"][0].startswith("127.0.0.1:")
    path = envoy["labels"]["__metrics_path__"]
    got = urllib3.request("GET", f"http://{envoy['targets'][0]}{path}")
    assert b"envoy_cluster_membership_healthy" in got.data


def test_a_call_leaves_a_line_that_the_client_can_name(stack: Stack) -> None:
    """What a client got as x-request-id is in a worker's log, once, with how it ended."""
    headers = {"authorization": f"Bearer {stack.api_key}"}
    payment = "pay_01m8542zavfj8rsw53v04cahtr"
    reply = urllib3.request("GET", f"{stack.url}/payment/{payment}", headers=headers)
    request_id, deadline = reply.headers["x-request-id"], time.monotonic() + WAIT_SECONDS_MAX
    lines: list[str] = []
    while not lines:
        assert time.monotonic() < deadline
        logs = stack.data_dir.glob("logs/payments-*.log")
        lines = [
            line for log in logs for line in log.read_text().splitlines() if request_id in line
        ]
    (line,) = map(json.loads, lines)
    assert (line["event"], line["code"]) == ("request", "NOT_FOUND")
    assert (line["merchant_id"], line["reason"]) == ("mer_demo", "PAYMENT_NOT_FOUND")
    assert (line["method"], line["payment_id"]) == (
        "/paygate.payments.v1.PaymentService/GetPayment",
        payment,
    )
    assert line["duration_ms"] > 0


@pytest.mark.parametrize("name", ["paygate_group_size", "paygate_group_seconds"])
def test_groups_are_counted(stack: Stack, name: str) -> None:
    """A payment that begins and ends is two commits."""
    before = samples(stack)
    authorize(stack, AMEX, AMEX_CVV)
    grown = samples(stack) - before
    assert grown[f"{name}_count", (("group", "commits"),)] >= 2
