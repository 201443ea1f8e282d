"""docker-compose.yml gives each process the database roles that it needs, and no other."""

from typing import Any

import pytest
import yaml

from tools.stack.postgres import PARTS
from tools.stack.settings import REPOSITORY

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())


@pytest.mark.parametrize(
    ("service", "roles"),
    [
        ("payments", {"gateway", "reader", "sandbox", "vault"}),
        ("sweep", {"gateway"}),
        ("admin", {"admin", "vault"}),
        ("events", {"webhooks"}),
        ("relay", {"events"}),
    ],
)
def test_each_process_has_its_roles(service: str, roles: set[str]) -> None:
    """A role too few breaks it in a way that only shows when it runs; one too many is a right."""
    secrets = [one for one in COMPOSE["services"][service]["secrets"] if isinstance(one, dict)]
    assert {one["source"].removesuffix("_database_url") for one in secrets} == roles
    assert len({one["target"] for one in secrets}) == len(secrets)


def test_every_role_has_a_login() -> None:
    """PostgreSQL is told a password for each, and the files that hold them are named."""
    told = set(COMPOSE["services"]["postgres"]["secrets"])
    assert {f"{part}_password" for part in PARTS} <= told <= set(COMPOSE["secrets"])
    for script in ("roles.sh", "make-secrets"):
        text = (REPOSITORY / "deploy" / "compose" / script).read_text()
        assert all(part.removeprefix("paygate_") in text for part in PARTS), script


def test_nothing_dumps_its_memory() -> None:
    """No service that handles a card's number writes a core file."""
    one_shots = {"migrate-payments", "migrate-acquirer"}
    for name in COMPOSE["services"].keys() - one_shots:
        assert COMPOSE["services"][name]["ulimits"] == {"core": 0}, name
