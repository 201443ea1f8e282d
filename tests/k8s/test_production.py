"""Production's processes start: with what the manifests tell them, nothing speaks against it."""

import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml

from pkg.process.mode import Mode
from pkg.process.production import static_reasons
from pkg.process.settings import load
from pkg.process.starting import RoleSettings
from services.payments.setup.config import Settings as PaymentsSettings
from tests.certificates import Authority
from tests.k8s.manifests import (
    PROCESSES,
    container,
    environment,
    named,
    of_kind,
    pod,
    secret_files,
)
from tests.k8s.test_processes import configuration
from tools.edge.production import DOMAINS
from tools.stack.settings import REPOSITORY

OVERLAY = "production"
AUTHORITY = Authority()


def certificates() -> dict[str, Any]:
    """Return what cert-manager is asked for, by the secret that it makes."""
    return {one["spec"]["secretName"]: one["spec"] for one in of_kind(OVERLAY, "Certificate")}


def mounted(name: str, folder: Path) -> dict[str, Path]:
    """Make the files of a process's secrets; return the folders by where they are mounted."""
    manifest = named(OVERLAY, "Deployment", name)
    volumes = {one["name"]: one["secret"] for one in pod(manifest)["volumes"] if "secret" in one}
    found = {}
    for mount in container(manifest)["volumeMounts"]:
        if mount["name"] not in volumes:
            continue
        secret = volumes[mount["name"]]
        place = found[mount["mountPath"]] = folder / mount["name"]
        place.mkdir()
        kept = {one["key"] for one in secret.get("items", [])}
        for file, content in files(secret["secretName"]).items():
            if not kept or file in kept:
                (place / file).write_bytes(content)
    return found


def files(secret: str) -> dict[str, bytes]:
    """Return a secret as its operator would make it."""
    if secret in certificates():
        certificate, key = AUTHORITY.sign(certificates()[secret]["dnsNames"][0])
        return {"tls.crt": certificate, "tls.key": key, "ca.crt": AUTHORITY.pem}
    return {name: made(name).encode() for name in secret_files(OVERLAY, secret)}


def made(name: str) -> str:
    """Return a secret of this name, as docs/operations.md asks for it."""
    random = secrets.token_hex(32)
    if name.endswith("database_url"):
        return f"postgresql://someone:{random}@database/payments?sslmode=verify-full"
    return random


@pytest.mark.parametrize("name", PROCESSES)
def test_nothing_speaks_against_starting(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its settings can be read, and production has no objection."""
    process, told = PROCESSES[name], environment(OVERLAY, name)
    for path, folder in mounted(name, tmp_path).items():
        told = {key: value.replace(path, str(folder)) for key, value in told.items()}
    for key, value in told.items():
        monkeypatch.setenv(key, value)
    settings = load(process.settings)  # type: ignore[type-var]  # all of ours are
    assert isinstance(settings, RoleSettings)
    assert settings.mode is Mode.PRODUCTION
    assert static_reasons(settings.posture(process.role or "")) == []
    if isinstance(settings, PaymentsSettings):
        assert not settings.has_sandbox_api
        assert settings.acquirer_server_name in certificates()["acquirer-tls"]["dnsNames"]
        assert settings.acquirer_address.partition(":")[0] == "acquirer"
    if name in {"payments", "events", "acquirer"}:
        assert settings.tls_client_ca_file  # type: ignore[attr-defined]  # only whom it knows


@pytest.mark.parametrize("name", ["payments", "events"])
def test_the_edge_knows_the_workers_names(name: str) -> None:
    """A worker's certificate has the name that the edge wants to see."""
    config = configuration("production.yaml")
    (cluster,) = [one for one in config["static_resources"]["clusters"] if one["name"] == name]
    wanted = cluster["transport_socket"]["typed_config"]["sni"]
    assert certificates()[f"{name}-tls"]["dnsNames"] == [wanted]


def test_the_public_certificate_is_for_the_edges_domains() -> None:
    """What the edge serves is what clients see signed."""
    assert certificates()["public-tls"]["dnsNames"] == list(DOMAINS)


def test_the_edge_finds_its_certificates(tmp_path: Path) -> None:
    """Each file that its secrets name is mounted, and Envoy watches the folder of the mount itself.

    Kubernetes renews a mounted secret by renaming in that very folder.
    """
    folders = mounted("envoy", tmp_path)
    for source in (REPOSITORY / "deploy" / "envoy" / "sds").glob("*.yaml"):
        (secret,) = yaml.safe_load(source.read_text())["resources"]
        holder = secret.get("tls_certificate") or secret["validation_context"]
        assert holder["watched_directory"]["path"] in folders, source.name
        for name in ("certificate_chain", "private_key", "trusted_ca"):
            if name in holder:
                path = Path(holder[name]["filename"])
                assert (folders[str(path.parent)] / path.name).is_file(), path
