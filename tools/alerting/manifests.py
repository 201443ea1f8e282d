"""Prometheus' and Alertmanager's own configuration as the Prometheus Operator has it. Pure."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

GROUP = "monitoring.coreos.com"
# The operator lets a namespace's routes see that namespace's alerts only. Most of ours would have
# none: they are of sums.
NAMESPACE = "paygate"
SECRET = "alerts"  # noqa: S105  # its name
_MATCHER = re.compile(r'(\w+)="(.*)"')  # others want a word more

Config = Mapping[str, Any]


def prometheus_rule(name: str, rules: Config) -> dict[str, Any]:
    """Return a file of rules as a PrometheusRule."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name},
        "spec": {"groups": [{**group, "rules": _routed(group)} for group in rules["groups"]]},
    }


def alertmanager_config(config: Config) -> dict[str, Any]:
    """Return Alertmanager's configuration as an AlertmanagerConfig; secret files become keys."""
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "AlertmanagerConfig",
        "metadata": {"name": "paygate"},
        "spec": {
            "route": _route(config["route"]),
            "inhibitRules": [_renamed(rule) for rule in config["inhibit_rules"]],
            "receivers": [
                {
                    "name": receiver["name"],
                    "slackConfigs": [_slack(one) for one in receiver["slack_configs"]],
                }
                for receiver in config["receivers"]
            ],
        },
    }


def _routed(group: Config) -> list[dict[str, Any]]:
    return [
        {**rule, "labels": {**rule["labels"], "namespace": NAMESPACE}} if "alert" in rule else rule
        for rule in group["rules"]
    ]


def _route(route: Config) -> dict[str, Any]:
    inner = {"routes": [_route(one) for one in route["routes"]]} if "routes" in route else {}
    return _renamed(route) | inner


def _slack(slack: Config) -> dict[str, Any]:
    key = PurePosixPath(slack["api_url_file"]).name
    rest = {name: value for name, value in slack.items() if name != "api_url_file"}
    return {"apiURL": {"name": SECRET, "key": key}, **_renamed(rest)}


def _renamed(config: Config) -> dict[str, Any]:
    return {
        _name(name): [_matcher(one) for one in value] if name.endswith("matchers") else value
        for name, value in config.items()
    }


def _name(name: str) -> str:
    """Return the name of a field as Kubernetes writes it; two are called otherwise there."""
    own = {"source_matchers": "source_match", "target_matchers": "target_match"}
    return re.sub(r"_(\w)", lambda found: found[1].upper(), own.get(name, name))


def _matcher(text: str) -> dict[str, str]:
    found = _MATCHER.fullmatch(text)
    assert found, text
    return {"name": found[1], "value": found[2]}
