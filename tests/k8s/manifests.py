"""What kubectl makes of the overlays, and how tests look at it."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

from services.acquirer.config import Config as BankSettings
from services.events.config import Settings as EventsSettings
from services.payments.setup.admin_config import AdminSettings
from services.payments.setup.config import Settings as PaymentsSettings
from tools.stack.settings import REPOSITORY

OVERLAYS = ("dev", "production", "cloudnative-pg")
KUBECTL = Path(sys.executable).with_name("kubectl")  # out of a package
SECONDS_MAX = 60
# What Kubernetes tells a pod about itself, and what a test takes for it.
ITS_ADDRESS = {"fieldRef": {"fieldPath": "status.podIP"}}
POD_IP = "10.1.2.3"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Process:
    """What one of our own pods runs.

    Attributes:
        module: What the image starts.
        role: Its argument, if it takes one.
        settings: What it reads from its environment.
        port: Where it serves gRPC; None if it takes no calls.
    """

    module: str
    role: str | None
    settings: type[BaseSettings]
    port: int | None

    @property
    def prefix(self) -> str:
        """What its variables begin with."""
        return self.settings.model_config.get("env_prefix", "")

    @property
    def variables(self) -> set[str]:
        """The names of all its settings."""
        return {
            str(field.validation_alias or f"{self.prefix}{name.upper()}")
            for name, field in self.settings.model_fields.items()
        }


PROCESSES = {
    "payments": Process("services.payments", "serve", PaymentsSettings, 50051),
    "sweep": Process("services.payments", "sweep", PaymentsSettings, None),
    "admin": Process("services.payments", "admin", AdminSettings, 50054),
    "acquirer": Process("services.acquirer", None, BankSettings, 50052),
    "events": Process("services.events", "serve", EventsSettings, 50053),
    "relay": Process("services.events", "relay", EventsSettings, None),
}


@cache
def built(overlay: str) -> list[Manifest]:
    """Return what `kubectl apply -k` would send, made from a copy of what is committed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "deploy")
        shutil.copytree(
            REPOSITORY / "deploy", copy, ignore=shutil.ignore_patterns("secrets", "observability")
        )
        chosen = copy / "k8s" / "overlays" / overlay
        if (chosen / "prepare").exists():
            subprocess.run([chosen / "prepare"], check=True, timeout=SECONDS_MAX)
        command = [str(KUBECTL), "kustomize", str(chosen)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
        )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def of_kind(overlay: str, *kinds: str) -> list[Manifest]:
    """Return what is of these kinds."""
    return [one for one in built(overlay) if one["kind"] in kinds]


def named(overlay: str, kind: str, name: str) -> Manifest:
    """Return the one of this name; a hash that kustomize appended is no part of it."""
    (found,) = [one for one in of_kind(overlay, kind) if is_named(one["metadata"]["name"], name)]
    return found


def is_named(generated: str, name: str) -> bool:
    """Tell whether a name is this one, with a hash or without."""
    return generated == name or generated.rpartition("-")[0] == name


def pod(manifest: Manifest) -> Manifest:
    """Return the pod of whatever makes pods."""
    found: Manifest = manifest["spec"]["template"]["spec"]
    return found


def container(manifest: Manifest) -> Manifest:
    """Return its only container."""
    (found,) = pod(manifest)["containers"]
    return dict(found)


def labels(manifest: Manifest) -> dict[str, str]:
    """Return the labels of its pods."""
    return dict(manifest["spec"]["template"]["metadata"]["labels"])


def workloads(overlay: str) -> Iterator[Manifest]:
    """Yield everything that makes pods of our own images."""
    yield from of_kind(overlay, "Deployment", "Job")


def environment(overlay: str, name: str) -> dict[str, str]:
    """Return the variables of a process, those of its ConfigMap included."""
    main = container(named(overlay, "Deployment", name))
    found: dict[str, str] = {}
    for source in main.get("envFrom", []):
        found |= named(overlay, "ConfigMap", source["configMapRef"]["name"].rpartition("-")[0])[
            "data"
        ]
    address = "$(POD_IP)"  # as it stays where the variable comes later
    for one in main.get("env", []):
        if one["name"] == "POD_IP":
            assert one["valueFrom"] == ITS_ADDRESS
            address = POD_IP
        else:
            found[one["name"]] = one["value"].replace("$(POD_IP)", address)
    return found


def secret_files(overlay: str, name: str) -> dict[str, str]:
    """Return the files of a process's Secret: their names, and what each is of."""
    if overlay == "dev":
        return dict.fromkeys(named(overlay, "Secret", name)["data"], "")
    secret = named(overlay, "ExternalSecret", name)["spec"]
    assert secret["target"]["name"] == name
    if template := secret["target"].get("template"):
        return dict(template["data"])
    return {one["secretKey"]: one["remoteRef"]["property"] for one in secret["data"]}


def ports(manifest: Manifest) -> dict[str, int]:
    """Return its named ports."""
    return {one["name"]: one["containerPort"] for one in container(manifest).get("ports", [])}
