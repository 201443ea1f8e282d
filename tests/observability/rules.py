"""What deploy/observability holds: rules, cases for them, dashboards, and the metrics they name."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.stack.settings import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "observability"
RULES = sorted((FOLDER / "rules").glob("*.yml"))
CASES = sorted((Path(__file__).parent / "cases").glob("*.yml"))
RUNBOOKS = REPOSITORY / "docs" / "runbooks.md"
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))

_PROMQL = re.compile(r"^```promql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# PromQL's words that are no metrics; functions are told by their bracket.
_WORDS = {"and", "or", "unless", "by", "on", "without", "ignoring", "offset", "bool", "inf", "nan"}
_NO_METRICS = (
    re.compile(r"\{[^}]*\}"),  # labels
    re.compile(r"\[[^\]]*\]"),  # ranges
    re.compile(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)"),
    re.compile(r"\boffset\s+\w+"),
)
_NAME = re.compile(r"[a-zA-Z_:][\w:]*(?!\w*\s*\()\b(?!\s*\()")


@dataclass(frozen=True)
class Expression:
    """A query, and where it stands."""

    place: str
    text: str


def tool(name: str) -> Path:
    """Return a program of Prometheus, on the path or from `make test`; or skip the test."""
    found = shutil.which(name)
    own = REPOSITORY / ".tools" / name
    if found or own.exists():
        return Path(found or own)
    reason = f"{name} is missing: deploy/observability/get-promtool, or Debian's packages"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def rules() -> Iterator[dict[str, Any]]:
    """Return every rule, recording and alerting."""
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts() -> dict[str, dict[str, Any]]:
    """Return the alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> set[str]:
    """Return the names that the recording rules make."""
    return {rule["record"] for rule in rules() if "record" in rule}


def expressions() -> list[Expression]:
    """Return all queries of rules, dashboards and runbooks."""
    found = [
        Expression(str(rule.get("alert", rule.get("record"))), rule["expr"]) for rule in rules()
    ]
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            place = f"{path.name}: {panel['title']}"
            found += [Expression(place, target["expr"]) for target in panel["targets"]]
    for block in _PROMQL.findall(RUNBOOKS.read_text()):
        found += [Expression(RUNBOOKS.name, line) for line in block.splitlines()]
    return found


def metrics_of(query: str) -> set[str]:
    """Return the metrics that a query names."""
    for what in _NO_METRICS:
        query = what.sub(" ", query)
    return {name for name in _NAME.findall(query) if name.lower() not in _WORDS}


def named() -> set[str]:
    """Return all metrics that rules and dashboards name, without what the rules record."""
    found = {name for expression in expressions() for name in metrics_of(expression.text)}
    return found - recorded()
