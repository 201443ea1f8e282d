"""`python -m tools.alerting`: the rules and the routes of alerts, as Kubernetes has them."""

from pathlib import Path
from typing import Any

import yaml

from tools.alerting.manifests import alertmanager_config, prometheus_rule
from tools.edge.dumper import Dumper

SOURCE = Path("deploy/observability")
TARGET = Path("deploy/k8s/overlays/production/alerts.yaml")
HEAD = """\
# Made of deploy/observability, which has the comments, by `make proto-generate`. Do not edit.
"""


def main() -> None:
    """Write the manifests."""
    rules = {path.stem: _read(path) for path in sorted((SOURCE / "rules").glob("*.yml"))}
    manifests = [
        *(prometheus_rule(name, told) for name, told in rules.items()),
        alertmanager_config(_read(SOURCE / "alertmanager.yml")),
    ]
    text = yaml.dump_all(manifests, Dumper=Dumper, sort_keys=False, width=120)
    TARGET.write_text(HEAD + text)


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text())
    return read


if __name__ == "__main__":
    main()
