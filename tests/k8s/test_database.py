"""PostgreSQL by CloudNativePG: each process reaches the primary, as its own role, and trusts it."""

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pkg.process.production import Posture, static_reasons
from pkg.process.production_database import Database
from tests.k8s.manifests import Manifest, container, named, of_kind, pod, secret_files
from tests.k8s.test_processes import PARTS
from tools.stack.postgres import PARTS as ROLES

OVERLAY = "cloudnative-pg"
OWNERS = {"migrate-payments": {"payments"}, "migrate-acquirer": {"acquirer"}}
USERS = PARTS | OWNERS
SANDBOX = "paygate_sandbox"  # production has none


def cluster() -> dict[str, Any]:
    """Return what the servers are to be."""
    return dict(named(OVERLAY, "Cluster", "database")["spec"])


def addresses(name: str) -> Iterator[str]:
    """Yield the addresses of the database that a process is told, without passwords."""
    for key, text in secret_files(OVERLAY, name).items():
        if key.endswith("database_url"):
            yield text


def role_of(part: str) -> str:
    """Return the login of a part."""
    return part if part in {"payments", "acquirer"} else f"paygate_{part}"


def workload(name: str) -> Manifest:
    """Return what runs under a name."""
    return named(OVERLAY, "Job" if name in OWNERS else "Deployment", name)


@pytest.mark.parametrize(("name", "parts"), USERS.items())
def test_each_address_is_of_the_primary(name: str, parts: set[str]) -> None:
    """By the service that leads to it, for the roles of the process and no other."""
    found = {urlsplit(address).username: urlsplit(address) for address in addresses(name)}
    assert found.keys() == {role_of(part) for part in parts}
    for role, parts_of_url in found.items():
        assert parts_of_url.netloc.rpartition("@")[2] == "database-rw:5432"
        assert parts_of_url.path == ("/acquirer" if role == "acquirer" else "/payments")


@pytest.mark.parametrize("name", USERS)
def test_each_process_trusts_the_servers_authority(name: str) -> None:
    """The file that the address names is mounted, out of the servers' own secret, without keys."""
    volumes = {one["name"]: one.get("secret") for one in pod(workload(name))["volumes"]}
    mounts = {one["mountPath"]: one["name"] for one in container(workload(name))["volumeMounts"]}
    for address in addresses(name):
        (root,) = parse_qs(urlsplit(address).query)["sslrootcert"]
        folder, _, file = root.rpartition("/")
        secret = volumes[mounts[folder]]
        assert secret["items"] == [{"key": file, "path": file}]
        assert secret["secretName"] == cluster()["certificates"]["serverCASecret"]
    certificate = named(OVERLAY, "Certificate", "database")["spec"]
    assert certificate["secretName"] == cluster()["certificates"]["serverTLSSecret"]
    assert "database-rw" in certificate["dnsNames"]


@pytest.mark.parametrize("name", USERS)
def test_production_has_nothing_against_the_addresses(name: str) -> None:
    """With a password as the store has it."""
    given = [address.partition("{{")[0] for address in addresses(name)]
    given = [
        before + secrets.token_hex(32) + address.partition("}}")[2]
        for before, address in zip(given, addresses(name), strict=True)
    ]
    databases = {address: Database(url=address, role=None) for address in given}
    posture = Posture(refused=(), keys={}, databases=databases, database_timeout_seconds=1.0)
    assert static_reasons(posture) == []


def property_of(secret: str, key: str) -> str:
    """Return what of the store a secret has under a key."""
    data = named(OVERLAY, "ExternalSecret", secret)["spec"]["data"]
    (found,) = [one["remoteRef"]["property"] for one in data if one["secretKey"] == key]
    return str(found)


def test_each_login_has_the_password_that_is_told() -> None:
    """The servers and the processes take it from one place in the store."""
    logins = {one["name"]: one["passwordSecret"]["name"] for one in cluster()["managed"]["roles"]}
    bootstrap = cluster()["bootstrap"]["initdb"]
    logins[bootstrap["owner"]] = bootstrap["secret"]["name"]
    told = {
        urlsplit(address).username: property_of(name, address.partition("{{ .")[2].split()[0])
        for name in USERS
        for address in addresses(name)
    }
    assert {role: property_of(secret, "password") for role, secret in logins.items()} == told
    for role, secret in logins.items():
        template = named(OVERLAY, "ExternalSecret", secret)["spec"]["target"]["template"]
        assert template["data"]["username"] == role
        assert template["type"] == "kubernetes.io/basic-auth"


def test_every_role_is_there_before_the_migrations() -> None:
    """They give rights to all of them, and the owner may make none."""
    made = cluster()["bootstrap"]["initdb"]["postInitSQL"]
    assert {f"CREATE ROLE {role}" for role in (*ROLES, "acquirer")} <= set(made)
    _, granted = cluster()["bootstrap"]["initdb"]["postInitApplicationSQL"]
    _, _, roles = granted.partition(" TO ")
    assert set(roles.split(", ")) == set(ROLES) - {SANDBOX}


def test_a_write_is_confirmed_by_two() -> None:
    """Or not at all, and whoever takes over has it."""
    assert cluster()["instances"] == 3
    assert cluster()["postgresql"]["synchronous"] == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",
        "failoverQuorum": True,
    }
    assert cluster()["affinity"]["podAntiAffinityType"] == "required"


def test_only_ours_reach_the_servers() -> None:
    """Besides each other, the operator and who asks for metrics; and ours reach nothing else."""
    servers = {"matchLabels": {"cnpg.io/cluster": "database"}}
    ours = {"podSelector": {"matchLabels": {"paygate/database": "client"}}}
    (policy,) = [
        one["spec"]
        for one in of_kind(OVERLAY, "NetworkPolicy")
        if one["spec"]["podSelector"] == servers
    ]
    pods = [peer for rule in policy["ingress"] for peer in rule["from"] if "podSelector" in peer]
    assert pods == [ours, {"podSelector": servers}]
    (rule,) = named(OVERLAY, "NetworkPolicy", "to-database")["spec"]["egress"]
    assert rule["to"] == [{"podSelector": servers}]
