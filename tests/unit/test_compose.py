"""docker-compose.yml gives each process what it needs, and no other; what it names is there."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from services.acquirer.config import Config as BankSettings
from services.events.config import Settings as EventsSettings
from services.payments.setup.admin_config import AdminSettings
from services.payments.setup.config import Settings as PaymentsSettings
from tools.stack.postgres import PARTS
from tools.stack.settings import REPOSITORY

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
SETTINGS: dict[str, type[BaseSettings]] = {
    "payments": PaymentsSettings,
    "sweep": PaymentsSettings,
    "admin": AdminSettings,
    "acquirer": BankSettings,
    "events": EventsSettings,
    "relay": EventsSettings,
}
PROFILES = {
    "nats": "bus",
    "openbao": "vault",
    "prometheus": "monitoring",
    "grafana": "monitoring",
    "alertmanager": "monitoring",
    "jaeger": "tracing",
}
# Names the file in which the relay finds its bus.
BUS = "PAYGATE_BUS_SECRET"
# These come with what reads them.
METRICS = {"PAYGATE_METRICS_LISTEN", "ACQUIRER_METRICS_LISTEN"}
# These are OpenTelemetry's.
TRACES = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}
OBSERVABILITY = REPOSITORY / "deploy" / "observability"


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
    secrets = [
        one
        for one in COMPOSE["services"][service]["secrets"]
        if isinstance(one, dict) and one["source"].endswith("_database_url")
    ]
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


def test_old_and_new_compose_read_it() -> None:
    """Version 1.29, which distributions still have, refuses what it does not know at the top."""
    known = {"services", "volumes", "secrets"}
    assert {key for key in COMPOSE if not key.startswith("x-")} == known


def test_what_is_optional_is_in_a_profile() -> None:
    """Without a profile there is the gateway and what it cannot do without."""
    found = {name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one}
    assert found == {name: [profile] for name, profile in PROFILES.items()}
    script = (REPOSITORY / "deploy" / "compose" / "up").read_text()
    assert f"COMPOSE_PROFILES={','.join(dict.fromkeys(PROFILES.values()))}\n" in script
    for name, one in SERVICES.items():  # compose refuses what depends on an absent service
        assert not one.get("depends_on", {}).keys() & PROFILES.keys(), name


def test_every_image_is_a_target_of_the_one_dockerfile() -> None:
    """What the images share is said once: each service's Dockerfile is a link to the same file."""
    dockerfile = (REPOSITORY / "Dockerfile").resolve()
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile.read_text(), re.MULTILINE))
    built = [one for one in SERVICES.values() if "build" in one]
    assert built
    for one in built:
        assert one["build"]["target"] in targets
        assert one["image"] == f"paygate/{one['build']['target']}"
        assert (REPOSITORY / one["build"]["dockerfile"]).resolve() == dockerfile
    folders = {path.parent.name for path in REPOSITORY.glob("services/*/__main__.py")}
    links = {path.parent.name for path in REPOSITORY.glob("services/*/Dockerfile")}
    assert folders == links
    assert folders <= targets


@pytest.mark.parametrize(("service", "settings"), SETTINGS.items())
def test_every_variable_is_a_setting(service: str, settings: type[BaseSettings]) -> None:
    """A variable that nobody reads is a mistake."""
    prefix = settings.model_config.get("env_prefix", "")
    known = {
        str(field.validation_alias or f"{prefix}{name.upper()}")
        for name, field in settings.model_fields.items()
    }
    told = SERVICES[service]["environment"].keys() - {f"{prefix}SECRETS_DIR"} - METRICS
    assert {name for name in told if name.startswith("OTEL_")} == TRACES
    told -= TRACES
    assert told <= known


def test_everything_is_hardened() -> None:
    """Nothing to write to but volumes and memory, and no capability but to become another user."""
    added = {name: set(one["cap_add"]) for name, one in SERVICES.items() if "cap_add" in one}
    assert added == {"postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}}
    for name, one in SERVICES.items():
        assert one["read_only"], name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        own = ["/run/postgresql"] if name == "postgres" else []
        assert one["tmpfs"] == ["/tmp", *own], name  # noqa: S108  # a path in the container


def test_no_webhook_is_posted_to_the_containers_here() -> None:
    """The relay could reach them by their names; who posts may read what they answer."""
    refused = SERVICES["relay"]["environment"]["PAYGATE_WEBHOOK_PORTS_REFUSED"]
    defaults = [
        field.default
        for model in SETTINGS.values()
        for name, field in model.model_fields.items()
        if name.endswith("listen")
    ]
    environments = [one.get("environment", {}) for one in SERVICES.values()]
    metrics = [one.get(name) for one in environments for name in METRICS]
    listening = {listen.rpartition(":")[2] for listen in (*defaults, *metrics) if listen}
    listening |= {"5432", "4222", "8200", "9090"}  # PostgreSQL, NATS, OpenBao, Prometheus
    assert listening >= {"50051", "50052", "50053", "50054", "9464"}
    assert listening <= set(refused.split(","))


def test_the_bus_wants_the_password_that_the_relay_is_told() -> None:
    """With the profile the relay's secret is called like its setting; else no bus is told it."""
    (told,) = [one for one in SERVICES["relay"]["secrets"] if "nats" in str(one)]
    assert told == {"source": "paygate_nats_url", "target": f"${{{BUS}:-unused_nats_url}}"}
    script = (REPOSITORY / "deploy" / "compose" / "up").read_text()
    assert f"bus) export {BUS}=paygate_nats_url ;;" in script
    assert SERVICES["nats"]["secrets"] == ["nats_authorization"]
    assert "--config=/etc/nats.conf" in SERVICES["nats"]["command"]
    assert "./deploy/compose/nats.conf:/etc/nats.conf:ro" in SERVICES["nats"]["volumes"]


def test_everything_is_bounded() -> None:
    """Memory, processes and logs: none of them can take the machine from the others."""
    for name, one in SERVICES.items():
        assert re.fullmatch(r"\d+[mg]", one["mem_limit"]), name
        assert 0 < one["pids_limit"] <= 1024, name
        kept = one["logging"]["options"]
        assert (kept["max-size"], kept["max-file"]) == ("10m", "5"), name


def test_ports_are_for_this_machine_only() -> None:
    """Nothing listens on the network until somebody wants it to."""
    ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert ports.keys() == {"envoy", "prometheus", "alertmanager", "grafana", "jaeger"}
    assert all(port.startswith("127.0.0.1:") for each in ports.values() for port in each)


@pytest.mark.parametrize("name", sorted(SETTINGS.keys() - {"admin"}))
def test_there_can_be_several(name: str) -> None:
    """A second container could not have the first one's name, or its port of this machine."""
    assert not SERVICES[name].keys() & {"container_name", "hostname", "ports", "network_mode"}


def test_what_is_mounted_is_there() -> None:
    """Docker would make an empty folder of a file that is missing, and a volume is declared."""
    for name, one in SERVICES.items():
        for mount in one.get("volumes", []):
            source = mount.split(":")[0]
            if not source.startswith("./"):
                assert source in COMPOSE["volumes"], (name, source)
            elif OBSERVABILITY.exists() or not source.startswith("./deploy/observability"):
                assert (REPOSITORY / source).exists(), (name, source)


def test_every_secret_is_made_and_used(tmp_path: Path) -> None:
    """`make-secrets` makes just the files that are named, keeps them, and none is committed."""
    script = REPOSITORY / "deploy" / "compose" / "make-secrets"
    made = []
    for _ in range(2):
        subprocess.run([script, tmp_path / "new"], check=True, capture_output=True, timeout=30)
        made.append({path.name: path.read_text() for path in (tmp_path / "new").iterdir()})
    assert made[0] == made[1]
    files = {name: Path(one["file"]).name for name, one in COMPOSE["secrets"].items()}
    assert set(files.values()) == made[0].keys()
    used = {
        one["source"] if isinstance(one, dict) else one
        for service in SERVICES.values()
        for one in service.get("secrets", [])
    }
    assert used == files.keys()
    listed = ["git", "ls-files", "deploy/compose/secrets"]
    assert not subprocess.check_output(listed, cwd=REPOSITORY, timeout=30)


def test_every_part_that_serves_says_how_it_is() -> None:
    """Who waits for it needs to know; in the image or here."""
    images = (REPOSITORY / "Dockerfile").read_text()
    for name in ("postgres", "admin", "sweep", "relay", "envoy", "openbao"):
        assert SERVICES[name]["healthcheck"]["test"], name
    for name in ("payments", "events", "acquirer"):
        stage = images.partition(f" AS {name}\n")[2].partition("\nFROM ")[0]
        assert "HEALTHCHECK --interval=5s --timeout=10s" in stage, name
        assert "healthcheck" not in SERVICES[name], name
    for name in ("admin", "sweep", "relay"):  # a Python takes long to start on a busy machine
        assert SERVICES[name]["healthcheck"]["timeout"] == "10s", name
