"""What the manifests name exists: settings, commands, ports, paths, probes."""

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from pkg.postgres import migrate
from tests.k8s.manifests import (
    OVERLAYS,
    POD_IP,
    PROCESSES,
    Process,
    container,
    environment,
    named,
    of_kind,
    pod,
    ports,
    secret_files,
)
from tests.k8s.test_manifests import stage
from tools.stack.settings import REPOSITORY

SECONDS_MAX = 30
METRICS = {"PAYGATE_METRICS_LISTEN", "ACQUIRER_METRICS_LISTEN"}
EACH = pytest.mark.parametrize(
    ("overlay", "name"), [(overlay, name) for overlay in OVERLAYS for name in PROCESSES]
)
PARTS = {
    "payments": {"gateway", "reader", "vault"},
    "sweep": {"gateway"},
    "admin": {"admin", "vault"},
    "acquirer": {"acquirer"},
    "events": {"webhooks"},
    "relay": {"events"},
}


@EACH
def test_every_variable_is_a_setting(overlay: str, name: str) -> None:
    """What a process is told, by variable or file, is one of its settings, or its folder of files.

    What all share may be of another process of the gateway.
    """
    process = PROCESSES[name]
    told = {one["name"] for one in container(named(overlay, "Deployment", name))["env"]}
    told.discard("POD_IP")  # for other variables
    files = {file.upper() for file in secret_files(overlay, name)}
    known = process.variables | {f"{process.prefix}SECRETS_DIR"} | METRICS
    assert told | files <= known
    shared = environment(overlay, name).keys() - told
    assert shared <= set.union(*(one.variables for one in PROCESSES.values()))


def test_metrics_are_a_setting() -> None:
    """Where each process shows them."""
    assert {f"{one.prefix}METRICS_LISTEN" for one in PROCESSES.values()} == METRICS


@EACH
def test_a_process_has_all_that_it_must_be_told(overlay: str, name: str) -> None:
    """No required setting is missing; the files lie where it looks for them."""
    process = PROCESSES[name]
    told = environment(overlay, name)
    files = {file.upper() for file in secret_files(overlay, name)}
    for field, info in process.settings.model_fields.items():
        variable = str(info.validation_alias or f"{process.prefix}{field.upper()}")
        assert not info.is_required() or variable in files | told.keys(), variable
    main = container(named(overlay, "Deployment", name))
    (mount,) = [one for one in main["volumeMounts"] if one["name"] == "secrets"]
    assert told[f"{process.prefix}SECRETS_DIR"] == mount["mountPath"]


@pytest.mark.parametrize(("name", "parts"), PARTS.items())
def test_each_process_has_its_roles_of_the_database(name: str, parts: set[str]) -> None:
    """One too few breaks it, one too many is a right."""
    ends = "_database_url"
    found = {one for one in secret_files("production", name).values() if one.endswith(ends)}
    assert {one.removesuffix(ends) for one in found} == parts


@pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
def test_the_role_is_one_of_the_images(process: Process) -> None:
    """The module that the image starts knows its argument."""
    image = process.module.removeprefix("services.")
    assert f'ENTRYPOINT ["python", "-m", "{process.module}"]' in stage(image)
    if process.role:
        command = [sys.executable, "-m", process.module, process.role, "--help"]
        environment = {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'build' / 'python'}"}
        subprocess.run(
            command, env=environment, check=True, capture_output=True, timeout=SECONDS_MAX
        )


@EACH
def test_the_manifest_starts_the_role(overlay: str, name: str) -> None:
    """With the image of its service, and the entry point that it has."""
    main, process = container(named(overlay, "Deployment", name)), PROCESSES[name]
    assert process.module.removeprefix("services.") in main["image"]
    assert main.get("args") == ([process.role] if process.role else None)
    assert "command" not in main


@EACH
def test_ports_and_probes_are_the_processes(overlay: str, name: str) -> None:
    """It is asked where it listens, by what the image has."""
    manifest, process = named(overlay, "Deployment", name), PROCESSES[name]
    main = container(manifest)
    has_grpc = "grpc" in ports(manifest)
    assert has_grpc == (process.port is not None and name != "admin")  # which has its loopback only
    if has_grpc:
        listens = f"{process.prefix}LISTEN=0.0.0.0:{process.port}"
        assert listens in stage(process.module.removeprefix("services."))
        assert ports(manifest)["grpc"] == process.port
    asked = ["python", "-m", "pkg.process.healthcheck", f"127.0.0.1:{process.port}"]
    for probe in ("startupProbe", "readinessProbe"):
        assert (probe in main) == (process.port is not None)
        assert probe not in main or main[probe]["exec"]["command"] == asked
    live = main["livenessProbe"]["httpGet"]
    listen = environment(overlay, name)[f"{process.prefix}METRICS_LISTEN"]
    assert listen == f"{POD_IP}:{ports(manifest)[live['port']]}"


def test_what_liveness_asks_for_is_served() -> None:
    """The path is one that the processes know."""
    paths = {
        container(named("production", "Deployment", name))["livenessProbe"]["httpGet"]["path"]
        for name in PROCESSES
    }
    sources = "".join(path.read_text() for path in (REPOSITORY / "pkg").rglob("*.py"))
    assert all(f'"{path}"' in sources for path in paths), paths


@EACH
def test_a_pod_has_the_time_to_end(overlay: str, name: str) -> None:
    """Between the pause before SIGTERM and SIGKILL there is as much as the process goes by."""
    manifest, process = named(overlay, "Deployment", name), PROCESSES[name]
    pause = container(manifest).get("lifecycle", {}).get("preStop", {}).get("sleep", {"seconds": 0})
    grace = process.settings.model_fields["termination_grace_seconds"].default
    assert pod(manifest)["terminationGracePeriodSeconds"] >= pause["seconds"] + grace
    assert (pause["seconds"] > 0) == ("grpc" in ports(manifest))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_migrations_find_their_database(overlay: str) -> None:
    """The job's image reads the file that the secret has."""
    for job in of_kind(overlay, "Job"):
        main = container(job)
        (told,) = main["env"]
        (mount,) = [one for one in main["volumeMounts"] if one["name"] == "secrets"]
        assert "pkg.postgres.migrate" in stage("migrate")
        assert f'environ.get("{told["name"]}")' in Path(migrate.__file__).read_text()
        path = PurePosixPath(told["value"])
        assert str(path.parent) == mount["mountPath"]
        assert path.name in secret_files(overlay, job["metadata"]["name"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_edge_is_as_its_configuration_says(overlay: str) -> None:
    """The file is in the image, the port is the listener's, workers are called as the services."""
    manifest = named(overlay, "Deployment", "envoy")
    path = PurePosixPath(container(manifest)["args"][1])
    assert re.search(rf"COPY .*\b{path.name} .*{path.parent}/", stage("edge"))
    config = configuration(path.name)
    addresses = {
        one["address"]["socket_address"]["port_value"]: one["name"]
        for one in config["static_resources"]["listeners"]
    }
    assert addresses[ports(manifest)["edge"]] == "edge"
    if "metrics" in addresses.values():
        assert addresses[ports(manifest)["metrics"]] == "metrics"
    for cluster in config["static_resources"]["clusters"]:
        if cluster["type"] == "STATIC":
            continue  # Envoy's own pages
        (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        address = endpoint["endpoint"]["address"]["socket_address"]
        service = named(overlay, "Service", address["address"])
        assert service["spec"]["clusterIP"] == "None"  # it is to know each worker
        assert address["port_value"] in [one["port"] for one in service["spec"]["ports"]]
    (drain,) = [
        one["address"]["socket_address"]
        for one in config["static_resources"]["listeners"]
        if one["name"] == "drain"
    ]
    socket = PurePosixPath(config["admin"]["address"]["pipe"]["path"])
    assert str(socket.parent) in [
        mount["mountPath"] for mount in container(manifest)["volumeMounts"]
    ]
    stop = container(manifest)["lifecycle"]["preStop"]["exec"]["command"][-1]
    assert f"/dev/tcp/{drain['address']}/{drain['port_value']}" in stop
    assert container(manifest)["readinessProbe"]["httpGet"]["path"] in str(config)


def configuration(name: str) -> Any:
    """Return one of the edge's configurations."""
    path = "envoy.yaml" if name == "envoy.yaml" else f"deploy/envoy/{name}"
    return yaml.safe_load((REPOSITORY / path).read_text())
