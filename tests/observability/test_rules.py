"""Alerts fire when they should, stay silent when they should, and lead to a runbook."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

from tests.observability.rules import (
    CASES,
    DASHBOARDS,
    FOLDER,
    RULES,
    RUNBOOKS,
    alerts,
    expressions,
    metrics_of,
    recorded,
    tool,
)
from tests.unit.test_docs import anchors
from tools.stack.settings import REPOSITORY

SEVERITIES = {"page", "ticket"}


@pytest.fixture(scope="module")
def promtool() -> Path:
    """Prometheus' promtool; `make test` gets it where apt-get can."""
    return tool("promtool")


def checked(promtool: Path, *arguments: str) -> None:
    """Run promtool, and fail with what it says."""
    ran = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_prometheus_takes_the_configuration(promtool: Path) -> None:
    """The configuration is one, and the rules that it names are there."""
    checked(promtool, "check", "config", str(FOLDER / "prometheus.yml"))
    checked(promtool, "check", "rules", *map(str, RULES))


def test_every_query_is_one(promtool: Path, tmp_path: Path) -> None:
    """What dashboards and runbooks ask is PromQL, as what the rules ask is."""
    queries = [one.text.replace("$__rate_interval", "5m") for one in expressions()]
    rules = [{"record": f"query:{number}", "expr": text} for number, text in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    checked(promtool, "check", "rules", str(file))


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should(promtool: Path, cases: Path) -> None:
    """Each case has the alerts that it says, with the texts that it says, and no other."""
    checked(promtool, "test", "rules", str(cases))


def tried() -> list[dict[str, Any]]:
    """Return what the cases expect of alerts."""
    files = (yaml.safe_load(path.read_text()) for path in CASES)
    return [
        expected
        for file in files
        for case in file["tests"]
        for expected in case.get("alert_rule_test", ())
    ]


def test_every_alert_has_a_case_that_fires_it_and_one_that_does_not() -> None:
    """An alert that no case fires may never fire; one that no case silences may always."""
    fired = {case["alertname"] for case in tried() if case["exp_alerts"]}
    silent = {case["alertname"] for case in tried() if not case["exp_alerts"]}
    assert fired == set(alerts())
    assert silent == set(alerts())


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_to_do(name: str) -> None:
    """Each says what is wrong, how urgent it is, and where to read on: in a section of its own."""
    alert = alerts()[name]
    severity = alert["labels"]["severity"]
    assert severity in SEVERITIES or set(re.findall(r"}}(\w+){{", severity)) == SEVERITIES
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    path, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert REPOSITORY / path == RUNBOOKS
    assert anchor == name.lower()
    assert anchor in anchors(RUNBOOKS)


async def test_what_a_runbook_asks_the_database_is_answered(payments_database_url: str) -> None:
    """Every query of a `psql` command runs on the tables that there are."""
    queries = re.findall(
        r'psql -h "\$sockets" -U \w+ payments -c (?:\\\n *)?"([^"]*)"', RUNBOOKS.read_text()
    )
    assert len(queries) == RUNBOOKS.read_text().count("psql -h ")
    connection = await asyncpg.connect(payments_database_url)
    try:
        for query in queries:
            await connection.fetch(query)
    finally:
        await connection.close()


def test_every_runbook_is_of_an_alert() -> None:
    """A section of docs/runbooks.md is named by its alert, and tells its three things."""
    _, *sections = re.split(r"^## ", RUNBOOKS.read_text(), flags=re.MULTILINE)
    found = {section.split("\n", 1)[0]: section for section in sections}
    assert set(found) == set(alerts())
    for name, section in found.items():
        parts = re.findall(r"^\*\*(.+?)\.\*\*", section, flags=re.MULTILINE)
        assert parts == ["Means", "Look", "Do"], name


@pytest.mark.parametrize(
    ("query", "metrics"),
    [
        ('sum by (le) (rate(a_bucket{b="c", d=~"e|f"}[5m]))', {"a_bucket"}),
        ("0.8 * a:b:ratio_rate1d offset 1h", {"a:b:ratio_rate1d"}),
        ("a > 10 and on (instance) b == 1 or vector(0)", {"a", "b"}),
        ("1 - max_over_time(a[2m])", {"a"}),
    ],
)
def test_the_metrics_of_a_query_are_found(query: str, metrics: set[str]) -> None:
    """Names of metrics, and nothing else of a query."""
    assert metrics_of(query) == metrics


def test_what_is_recorded_is_used() -> None:
    """Every recording rule is there for an alert or a panel, and each that one names is there."""
    used = {name for one in expressions() for name in metrics_of(one.text) if ":" in name}
    assert used == recorded()


def test_what_prometheus_asks_is_in_compose() -> None:
    """Each job is a service of the compose file; no service of ours is left out."""
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    for name, job in jobs.items():
        (discovery,) = job["dns_sd_configs"]
        assert discovery["names"] == [name]
        assert name in services
    ours = {
        name
        for name, service in services.items()
        if str(service.get("image", "")).startswith("paygate/") and "migrate" not in name
    }
    assert ours <= set(jobs)


def test_envoy_is_asked_where_it_listens() -> None:
    """Port and path are those of the listener that envoy.yaml has for it."""
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (job,) = [job for job in config["scrape_configs"] if job["job_name"] == "envoy"]
    envoy = yaml.safe_load((REPOSITORY / "envoy.yaml").read_text())
    listeners = {one["name"]: one for one in envoy["static_resources"]["listeners"]}
    listener = listeners["metrics"]
    (chain,) = listener["filter_chains"]
    (host,) = chain["filters"][0]["typed_config"]["route_config"]["virtual_hosts"]
    (route,) = host["routes"]
    assert job["dns_sd_configs"][0]["port"] == listener["address"]["socket_address"]["port_value"]
    assert job["metrics_path"] == route["match"]["path"]


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_can_be_shown(board: Path) -> None:
    """Panels have numbers of their own, lie beside each other, and ask the source that there is."""
    (source,) = yaml.safe_load((FOLDER / "grafana/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    shown = json.loads(board.read_text())
    assert shown["uid"] == f"paygate-{board.stem}"
    panels = shown["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    for panel in panels:
        assert panel["datasource"] == {"type": source["type"], "uid": source["uid"]}
        assert panel["targets"]
