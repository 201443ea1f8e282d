"""The manifests are valid, hardened, and complete."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.k8s.manifests import (
    OVERLAYS,
    Manifest,
    built,
    container,
    labels,
    named,
    of_kind,
    pod,
    ports,
    workloads,
)
from tools.stack.settings import REPOSITORY

KUBERNETES = kubernetes_validate.latest_version()
# Of operators: Kubernetes itself has no schema of them. We have one of what we use of some.
SCHEMAS = yaml.safe_load(Path(__file__).with_name("schemas.yaml").read_text())
CUSTOM = {
    "Certificate": "cert-manager.io/v1",
    "ExternalSecret": "external-secrets.io/v1",
    **{kind: known["apiVersion"] for kind, known in SCHEMAS.items()},
}
SCALED = {"payments", "envoy", "events", "relay"}
DEPLOYMENTS = {*SCALED, "sweep", "admin", "acquirer"}
OVERLAY = pytest.mark.parametrize("overlay", OVERLAYS)


@OVERLAY
def test_kubernetes_would_take_them(overlay: str) -> None:
    """Each has the form of its kind, and no field that the kind does not know."""
    for manifest in built(overlay):
        if (kind := manifest["kind"]) in CUSTOM:
            assert manifest["apiVersion"] == CUSTOM[kind]
            if kind in SCHEMAS:
                jsonschema.validate(manifest, SCHEMAS[kind]["schema"])
            continue
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_a_typo_would_be_noticed() -> None:
    """The check above can fail."""
    broken = {**named("production", "Service", "payments"), "speck": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)
    for kind, known in SCHEMAS.items():
        broken = {**of_kind("cloudnative-pg", kind)[0], "speck": {}}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, known["schema"])


@OVERLAY
def test_everything_is_in_the_namespace(overlay: str) -> None:
    """Nothing lands where somebody else's things are, and nothing is there twice."""
    (namespace,) = of_kind(overlay, "Namespace")
    rest = [one for one in built(overlay) if one is not namespace]
    assert {one["metadata"]["namespace"] for one in rest} == {namespace["metadata"]["name"]}
    names = [(one["kind"], one["metadata"]["name"]) for one in rest]
    assert len(names) == len(set(names))


@OVERLAY
def test_there_is_everything(overlay: str) -> None:
    """All processes are there; those whose load grows are scaled by it, several survive a drain."""
    assert {one["metadata"]["name"] for one in of_kind(overlay, "Deployment")} == DEPLOYMENTS
    scalers = of_kind(overlay, "HorizontalPodAutoscaler")
    assert {one["spec"]["scaleTargetRef"]["name"] for one in scalers} == SCALED
    budgets = of_kind(overlay, "PodDisruptionBudget")
    chosen = {one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] for one in budgets}
    assert chosen == DEPLOYMENTS - {"admin"}
    for name in DEPLOYMENTS:
        has_count = "replicas" in named(overlay, "Deployment", name)["spec"]
        assert has_count == (name not in SCALED), name  # else each apply would undo the scaling


def test_production_keeps_two_of_all_that_serve() -> None:
    """A node may be drained at any time; the operator alone can wait for the admin process."""
    for name in DEPLOYMENTS - {"admin"}:
        if name in SCALED:
            count = named("production", "HorizontalPodAutoscaler", name)["spec"]["minReplicas"]
        else:
            count = named("production", "Deployment", name)["spec"]["replicas"]
        assert count >= 2, name


@OVERLAY
def test_every_pod_is_hardened(overlay: str) -> None:
    """No root, no privilege, nothing to write to but /tmp, no token, and bounded memory."""
    for manifest in workloads(overlay):
        main, name = container(manifest), manifest["metadata"]["name"]
        assert pod(manifest)["securityContext"]["runAsNonRoot"] is True, name
        assert pod(manifest)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert main["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert pod(manifest)["automountServiceAccountToken"] is False, name
        assert pod(manifest)["enableServiceLinks"] is False, name
        assert {"cpu", "memory"} <= main["resources"]["requests"].keys(), name
        assert "memory" in main["resources"]["limits"], name
        _check_volumes(manifest)


def _check_volumes(manifest: Manifest) -> None:
    mounts = {one["name"]: one for one in container(manifest)["volumeMounts"]}
    volumes = {one["name"]: one for one in pod(manifest)["volumes"]}
    assert mounts.keys() == volumes.keys(), manifest["metadata"]["name"]
    for name, volume in volumes.items():
        assert "secret" not in volume or mounts[name]["readOnly"] is True


@OVERLAY
def test_replicas_are_spread(overlay: str) -> None:
    """Over zones and nodes, each kind by itself."""
    for name in DEPLOYMENTS - {"admin"}:
        spread = pod(named(overlay, "Deployment", name))["topologySpreadConstraints"]
        keys = {one["topologyKey"] for one in spread}
        assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        for one in spread:
            assert (
                one["labelSelector"]["matchLabels"].items()
                <= {**labels(named(overlay, "Deployment", name))}.items()
            )


@OVERLAY
def test_every_image_is_built_here(overlay: str) -> None:
    """Each is a target of the Dockerfile; production names a registry and a version."""
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile(), re.MULTILINE))
    for manifest in workloads(overlay):
        image = str(container(manifest)["image"])
        name, _, tag = image.rpartition("/")[2].partition(":")
        assert name in targets
        if overlay == "production":
            assert image.startswith("ghcr.io/"), image
            assert re.fullmatch(r"\d+\.\d+\.\d+", tag), image


@OVERLAY
def test_services_lead_to_pods(overlay: str) -> None:
    """A service selects the pods of one deployment, by a port that they have."""
    for service in of_kind(overlay, "Service"):
        selector = service["spec"]["selector"].items()
        (chosen,) = [
            one
            for one in of_kind(overlay, "Deployment", "StatefulSet")
            if selector <= labels(one).items()
        ]
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in ports(chosen), service["metadata"]["name"]


def test_secrets_are_not_committed() -> None:
    """Production takes them from a store, and those that are made for trying out are ignored."""
    assert not of_kind("production", "Secret")
    ignored = REPOSITORY / "deploy" / "k8s" / "overlays" / "dev" / ".gitignore"
    assert ignored.read_text() == "secrets/\n"


def dockerfile() -> str:
    """Return what the images are made by."""
    return Path(REPOSITORY, "Dockerfile").read_text()


def stage(target: str) -> Any:
    """Return what the Dockerfile says of an image."""
    _, _, after = dockerfile().partition(f" AS {target}\n")
    return after.partition("\nFROM ")[0]
