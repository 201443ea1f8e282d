"""Somebody is told of an alert: by Alertmanager itself, and as Kubernetes has it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.k8s.manifests import named, of_kind, secret_files
from tests.observability.rules import FOLDER, RULES, tool
from tests.observability.test_rules import SEVERITIES
from tools.alerting.manifests import alertmanager_config

CONFIG = FOLDER / "alertmanager.yml"


def routed(severity: str) -> str:
    """Return who is told of an alert of this severity, as Alertmanager's own tool says."""
    command = (str(tool("amtool")), "config", "routes", "test", f"--config.file={CONFIG}")
    labels = ("alertname=Any", f"severity={severity}")
    return subprocess.check_output([*command, *labels], timeout=30).decode().strip()


@pytest.mark.parametrize("severity", sorted(SEVERITIES))
def test_each_severity_has_its_receiver(severity: str) -> None:
    """Who is on call is not told of what can wait."""
    assert routed(severity) == severity


def rendered(template: str, data: Path) -> str:
    """Return what Alertmanager makes of a text."""
    command = (str(tool("amtool")), "template", "render", "--template.glob=/dev/null")
    given = (f"--template.data={data}", f"--template.text={template}")
    return subprocess.check_output([*command, *given], timeout=30).decode()


def test_the_configuration_is_one() -> None:
    """Alertmanager takes it."""
    subprocess.run([tool("amtool"), "check-config", CONFIG], check=True, timeout=30)


@pytest.mark.parametrize("receiver", sorted(SEVERITIES))
def test_who_is_told_knows_what_to_do(receiver: str, tmp_path: Path) -> None:
    """The message has the alert's name, what is wrong, and where to read on."""
    (told,) = [one for one in _read(CONFIG)["receivers"] if one["name"] == receiver]
    (slack,) = told["slack_configs"]
    annotations = {"summary": "S", "description": "D", "runbook_url": "R"}
    alert = {"status": "firing", "labels": {}, "annotations": annotations}
    data = tmp_path / "data.json"
    labels = {"alertname": "NAME"}
    data.write_text(json.dumps({"status": "firing", "alerts": [alert], "commonLabels": labels}))
    assert "NAME" in rendered(slack["title"], data)
    assert rendered(slack["text"], data).split() == ["S.", "D", "R"]


def test_kubernetes_has_the_same_rules_and_routes() -> None:
    """With a namespace on each alert: the operator lets routes see no alert of another."""
    (namespace,) = of_kind("production", "Namespace")
    for path in RULES:
        groups = _read(path)["groups"]
        for rule in (rule for group in groups for rule in group["rules"] if "alert" in rule):
            rule["labels"]["namespace"] = namespace["metadata"]["name"]
        assert named("production", "PrometheusRule", path.stem)["spec"]["groups"] == groups
    config = _read(CONFIG)
    routes = named("production", "AlertmanagerConfig", "paygate")["spec"]
    assert routes == alertmanager_config(config)["spec"]
    assert {
        slack["apiURL"]["key"] for one in routes["receivers"] for slack in one["slackConfigs"]
    } == secret_files("production", "alerts").keys()
    jobs = {job["job_name"] for job in _read(FOLDER / "prometheus.yml")["scrape_configs"]}
    monitored: set[str] = set()
    for monitor in of_kind("production", "PodMonitor"):
        assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/name"
        selector = monitor["spec"]["selector"]
        monitored.update(selector.get("matchLabels", {}).values())
        monitored.update(*(one["values"] for one in selector.get("matchExpressions", [])))
    assert monitored == jobs


def test_prometheus_tells_alertmanager() -> None:
    """In compose, at the port that it has."""
    (asked,) = _read(FOLDER / "prometheus.yml")["alerting"]["alertmanagers"]
    assert asked["static_configs"] == [{"targets": ["alertmanager:9093"]}]


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text())
    return read
