"""Who may reach whom, as the policies together say."""

import itertools
from collections.abc import Iterator

import pytest

from tests.k8s.manifests import OVERLAYS, Manifest, labels, named, of_kind, ports

OURS = ("payments", "sweep", "admin", "acquirer", "events", "relay", "envoy")
WAYS = {
    ("envoy", "payments"),
    ("envoy", "events"),
    ("payments", "acquirer"),
    ("sweep", "acquirer"),
}
VAULT_USERS = {"payments", "admin"}
DATABASE_USERS = {"payments", "sweep", "admin", "acquirer", "events", "relay"}
OVERLAY = pytest.mark.parametrize("overlay", OVERLAYS)


def matches(selector: Manifest, of: dict[str, str]) -> bool:
    """Tell whether a selector, of labels alone, chooses a pod."""
    assert selector.keys() <= {"matchLabels"}
    return dict(selector.get("matchLabels", {})).items() <= of.items()


def rules(overlay: str, name: str, direction: str) -> list[Manifest]:
    """Return what is allowed to a deployment's pods in a direction, of all policies."""
    mine = labels(named(overlay, "Deployment", name))
    policies = [
        one["spec"]
        for one in of_kind(overlay, "NetworkPolicy")
        if matches(one["spec"]["podSelector"], mine)
    ]
    assert any(direction.capitalize() in one["policyTypes"] for one in policies)  # else all may
    return [rule for one in policies for rule in one.get(direction, [])]


def allows(rule: Manifest, peers: str, other: dict[str, str], port: set[int | str]) -> bool:
    """Tell whether a rule lets pods of these labels in this namespace through, on this port."""
    named_ports = {one["port"] for one in rule["ports"]}
    if not named_ports & port:
        return False
    return peers not in rule or any(
        peer.keys() == {"podSelector"} and matches(peer["podSelector"], other)
        for peer in rule[peers]
    )


def leads(overlay: str, source: str, target: str, *, side: str, port: str = "grpc") -> bool:
    """Tell whether the policies of one side let the source call a port of the target."""
    here, there = (named(overlay, "Deployment", name) for name in (source, target))
    number = ports(there).get(port)
    if number is None:
        return False
    if side == "egress":
        allowed, peers, other = rules(overlay, source, side), "to", labels(there)
    else:
        allowed, peers, other = rules(overlay, target, side), "from", labels(here)
    return any(allows(rule, peers, other, {number, port}) for rule in allowed)


@OVERLAY
@pytest.mark.parametrize("side", ["egress", "ingress"])
def test_only_these_reach_each_other(overlay: str, side: str) -> None:
    """The edge reaches the workers, and what asks the bank reaches the bank: both sides say so."""
    pairs = itertools.permutations(OURS, 2)
    assert {pair for pair in pairs if leads(overlay, *pair, side=side)} == WAYS


@OVERLAY
@pytest.mark.parametrize("side", ["egress", "ingress"])
def test_the_edge_may_ask_others_how_they_are(overlay: str, side: str) -> None:
    """Of ours nobody else reaches the port of health and metrics of another."""
    pairs = itertools.permutations(OURS, 2)
    found = {pair for pair in pairs if leads(overlay, *pair, side=side, port="metrics")}
    assert found == {("envoy", "payments"), ("envoy", "relay")}


@OVERLAY
@pytest.mark.parametrize(
    ("port", "users"), [(8200, VAULT_USERS), (5432, DATABASE_USERS), (4222, {"relay"})]
)
def test_only_these_reach_what_is_outside(overlay: str, port: int, users: set[str]) -> None:
    """The vault's, the database's and the bus's ports; merchants' endpoints have any."""
    found = {
        name
        for name in OURS
        for rule in rules(overlay, name, "egress")
        if port in {one["port"] for one in rule["ports"]}
    }
    assert found == users


def outside(overlay: str, name: str) -> Iterator[Manifest]:
    """Yield the blocks of addresses that a deployment's pods may reach."""
    for rule in rules(overlay, name, "egress"):
        yield from (peer["ipBlock"] for peer in rule.get("to", []) if "ipBlock" in peer)


@OVERLAY
def test_only_webhooks_leave_for_anywhere(overlay: str) -> None:
    """And not for what is inside: private, loopback and link-local addresses are left out."""
    blocks = {name: list(outside(overlay, name)) for name in OURS}
    assert {name for name, found in blocks.items() if found} == {"relay"}
    excepted = {one for block in blocks["relay"] for one in block["except"]}
    assert {
        "10.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    } <= excepted


@OVERLAY
def test_only_the_edge_is_for_everybody(overlay: str) -> None:
    """The others let in whom they name; metrics are for monitoring, and the edge asks health."""
    monitoring = {"namespaceSelector": {"kubernetes.io/metadata.name": "monitoring"}}
    edge = {"podSelector": {"app.kubernetes.io/name": "envoy"}}
    for name in OURS:
        for rule in rules(overlay, name, "ingress"):
            assert "from" in rule or name == "envoy"
            if {one["port"] for one in rule["ports"]} == {"metrics"}:
                (peer,) = rule["from"]
                wanted = {kind: selector["matchLabels"] for kind, selector in peer.items()}
                assert wanted == monitoring or (wanted, name) == (edge, "relay")
