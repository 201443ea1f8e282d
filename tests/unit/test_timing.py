"""Times that depend on each other: a process refuses what breaks them, the rest is held here."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import yaml

from pkg.errors import RateLimitedError
from pkg.observe.metrics import Metrics
from pkg.process.mode import Mode
from pkg.process.starting import RoleSettings, refused
from pkg.process.timing import TURN_SECONDS_MAX
from services.acquirer.config import Config as BankSettings
from services.events.config import Settings as EventsSettings
from services.events.nats_bus import NatsBus
from services.events.relay import RelayLimits
from services.events.watching import WatchLimits
from services.payments.api.sandbox import DRAIN_MAX
from services.payments.setup.admin_config import AdminSettings
from services.payments.setup.config import Settings as PaymentsSettings
from services.payments.use_cases import leases, recover
from tools.stack.program import Program
from tools.stack.settings import REPOSITORY

KEY = "5e" * 32
NEEDED: dict[type[RoleSettings], dict[str, str]] = {
    PaymentsSettings: {"DATABASE_URL": "postgresql://x", "key_pepper": KEY, "hash_key": KEY},
    EventsSettings: {
        "DATABASE_URL": "postgresql://x",
        "key_pepper": KEY,
        "hash_key": KEY,
        "webhook_key": KEY,
    },
    AdminSettings: {
        "admin_database_url": "postgresql://x",
        "admin_token": "t" * 32,
        "key_pepper": KEY,
    },
    BankSettings: {"database_url": "postgresql://x"},
}
ROLES: list[tuple[type[RoleSettings], str]] = [
    (PaymentsSettings, "serve"),
    (PaymentsSettings, "sweep"),
    (AdminSettings, "admin"),
    (EventsSettings, "serve"),
    (EventsSettings, "relay"),
    (BankSettings, "serve"),
]
BANK, LOOK = "PAYGATE_ACQUIRER_CALL_TIMEOUT_SECONDS", "PAYGATE_ACQUIRER_INQUIRY_TIMEOUT_SECONDS"
EDGE, DATABASE = "PAYGATE_EDGE_TIMEOUT_SECONDS", "PAYGATE_DATABASE_TIMEOUT_SECONDS"
DRAIN, GRACE = "PAYGATE_DRAIN_SECONDS", "PAYGATE_TERMINATION_GRACE_SECONDS"
NOTICE, VAULT = "PAYGATE_DRAIN_NOTICE_SECONDS", "PAYGATE_VAULT_TIMEOUT_SECONDS"
# What breaks a relation, and the names that are said.
BROKEN: list[tuple[type[RoleSettings], str, dict[str, float], set[str]]] = [
    (PaymentsSettings, "serve", {"acquirer_call_timeout_seconds": 30}, {VAULT, BANK, LOOK, EDGE}),
    (PaymentsSettings, "serve", {"acquirer_inquiry_timeout_seconds": 3}, {BANK, LOOK, EDGE}),
    (PaymentsSettings, "serve", {"vault_timeout_seconds": 2}, {VAULT, EDGE}),
    (PaymentsSettings, "serve", {"database_timeout_seconds": 2.5}, {DATABASE, EDGE}),
    (PaymentsSettings, "serve", {"drain_seconds": 12}, {NOTICE, DRAIN, GRACE}),
    (PaymentsSettings, "serve", {"termination_grace_seconds": 10}, {NOTICE, DRAIN, GRACE}),
    (PaymentsSettings, "sweep", {"database_timeout_seconds": 7}, {DATABASE, GRACE}),
    (AdminSettings, "admin", {"drain_seconds": 14}, {DRAIN, GRACE}),
    (EventsSettings, "serve", {"edge_timeout_seconds": 4}, {DATABASE, EDGE}),
    (EventsSettings, "serve", {"drain_notice_seconds": 7}, {NOTICE, DRAIN, GRACE}),
    (EventsSettings, "relay", {"drain_seconds": 14}, {DRAIN, GRACE}),
    (
        BankSettings,
        "serve",
        {"drain_seconds": 20},
        {"ACQUIRER_DRAIN_SECONDS", "ACQUIRER_TERMINATION_GRACE_SECONDS"},
    ),
]


def settings_of(kind: type[RoleSettings], **changes: object) -> Any:
    """Return a process's settings: the defaults, and what is said."""
    return kind.model_validate({**NEEDED[kind], **changes})


@pytest.mark.parametrize(("kind", "role"), ROLES)
def test_the_defaults_go_together(kind: type[RoleSettings], role: str) -> None:
    """In every role, and there is something to relate in each."""
    relations = settings_of(kind).relations(role)
    assert relations
    assert [str(relation) for relation in relations if not relation.holds] == []


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("kind", "role", "changes", "names"), BROKEN)
def test_what_breaks_a_relation_does_not_start(
    kind: type[RoleSettings],
    role: str,
    changes: dict[str, float],
    names: set[str],
    mode: Mode,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In either mode, and both sides are named."""
    assert refused(settings_of(kind, mode=mode, **changes), role) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "must be less than" in line
    assert all(name in line for name in names)


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, 8),
        ({"acquirer_call_timeout_seconds": 30, "edge_timeout_seconds": 32}, 35),
        ({"database_timeout_seconds": 0.1, "acquirer_call_timeout_seconds": 0.1}, 6),
        ({"acquirer_call_timeout_seconds": 2.5}, 8),
    ],
)
def test_a_lease_is_longer_than_a_worker_and_the_edge_wait(
    changes: dict[str, float], seconds: int
) -> None:
    """It follows from what they wait, whatever that is; by default it is 8 s."""
    settings = settings_of(PaymentsSettings, **changes)
    waits = settings.acquirer_call_timeout_seconds + settings.acquirer_inquiry_timeout_seconds
    assert settings.action_lease == timedelta(seconds=seconds)
    assert seconds > waits + 2 * settings.database_timeout_seconds
    assert seconds > settings.edge_timeout_seconds


@pytest.mark.parametrize(("edge", "database"), [(5, 2), (60, 2), (4.1, 2), (1, 0.1)])
@pytest.mark.parametrize("kind", [PaymentsSettings, EventsSettings])
def test_who_waits_for_its_turn_is_told_before_the_edge_gives_up(
    kind: type[RoleSettings], edge: float, database: float
) -> None:
    """The turn, a connection and the statement together take less than the edge waits."""
    settings = settings_of(kind, edge_timeout_seconds=edge, database_timeout_seconds=database)
    assert settings.turn.seconds + 2 * database < edge
    assert settings.turn.seconds <= TURN_SECONDS_MAX


async def test_a_read_waits_for_its_turn_as_long_as_the_times_allow() -> None:
    """And no longer: here a tenth of a second."""
    settings = settings_of(EventsSettings, edge_timeout_seconds=0.4, database_timeout_seconds=0.1)
    limits = settings.caller_limits(Metrics())
    async with limits.reading("mer_a"):
        began = asyncio.get_running_loop().time()
        with pytest.raises(RateLimitedError):
            async with limits.reading("mer_a"):
                pass
    assert settings.turn.seconds <= asyncio.get_running_loop().time() - began < 1


def test_what_is_in_doubt_is_settled_within_5_seconds() -> None:
    """Once the bank is up: the longest wait, the sweep's rest, and both calls."""
    settings = settings_of(PaymentsSettings)
    calls = settings.acquirer_call_timeout_seconds + settings.acquirer_inquiry_timeout_seconds
    rest = settings.sweep_interval_seconds
    assert recover.WAIT_MAX.total_seconds() + rest + calls < 5
    assert leases.LEASE.total_seconds() > 2 * leases.RENEWAL_SECONDS


def test_the_slow_card_is_answered() -> None:
    """The simulated bank's slowest answer comes before the gateway has given up on it."""
    bank, gateway = settings_of(BankSettings), settings_of(PaymentsSettings)
    assert bank.slow_seconds < gateway.acquirer_call_timeout_seconds


def test_an_event_is_leased_for_longer_than_the_bus_takes() -> None:
    """For connecting, and for one acknowledgement."""
    assert NatsBus.__init__.__kwdefaults__ is not None
    seconds = NatsBus.__init__.__kwdefaults__["timeout_seconds"]
    assert 2 * seconds < RelayLimits().publish_lease.total_seconds()


def routes(name: str) -> list[dict[str, Any]]:
    """Return the routes of an edge that lead to the services."""
    edge = yaml.safe_load((REPOSITORY / name).read_text())
    listener = edge["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    hosts = manager["route_config"]["virtual_hosts"]
    return [
        {"stream_idle": seconds(manager["stream_idle_timeout"]), **route}
        for host in hosts
        for route in host["routes"]
        if route.get("route", {}).get("cluster") in {"payments", "events"}
    ]


def seconds(text: str) -> float:
    """Read a duration."""
    return float(text.removesuffix("s"))


@pytest.mark.parametrize("name", ["envoy.yaml", "deploy/envoy/production.yaml"])
def test_the_edge_waits_as_long_as_the_services_are_told(name: str) -> None:
    """Every route, also for a client that asks for more; only Drain waits for longer.

    What stays open has a test of its own.
    """
    edge = settings_of(PaymentsSettings).edge_timeout_seconds
    assert edge == settings_of(EventsSettings).edge_timeout_seconds
    for route in routes(name):
        waits, wanted = route["route"], edge
        if waits.get("priority") == "HIGH":
            continue
        if "Drain" in str(route) or "drain" in route["name"]:
            wanted = seconds(waits["timeout"])
            assert DRAIN_MAX.total_seconds() + edge <= wanted
        assert seconds(waits["timeout"]) == wanted
        limits = waits.get("max_stream_duration", {})
        assert all(seconds(limit) == wanted for limit in limits.values())
        assert seconds(waits.get("idle_timeout", f"{route['stream_idle']}s")) > wanted


@pytest.mark.parametrize("name", ["envoy.yaml", "deploy/envoy/production.yaml"])
def test_signs_of_life_come_before_the_edge_gives_up(name: str) -> None:
    """What stays open has no other limit, and says something even while patience is short."""
    edge = yaml.safe_load((REPOSITORY / name).read_text())
    (timers,) = [
        action["typed_config"]["timer_scale_factors"]
        for action in edge["overload_manager"]["actions"]
        if action["name"].endswith("reduce_timeouts")
    ]
    (least,) = [one for one in timers if one["timer"] == "HTTP_DOWNSTREAM_STREAM_IDLE"]
    watches = [route["route"] for route in routes(name) if "watch" in route["name"]]
    staying = [waits for waits in watches if waits.get("priority") == "HIGH"]
    assert len(staying) == 2
    for waits in staying:
        assert seconds(waits["timeout"]) == 0
        assert "max_stream_duration" not in waits
        assert WatchLimits().heartbeat_seconds < seconds(least["min_timeout"])
        assert seconds(least["min_timeout"]) < seconds(waits["idle_timeout"])


@pytest.mark.parametrize("name", ["envoy.yaml", "deploy/envoy/production.yaml"])
def test_the_edge_hears_of_an_end_before_it(name: str) -> None:
    """A worker that is about to go says so for as long as a check may be away, and its answer.

    It answers within a second as long as it serves at all; the check itself has more patience.
    """
    edge = yaml.safe_load((REPOSITORY / name).read_text())
    notice = settings_of(PaymentsSettings).drain_notice_seconds
    for cluster in edge["static_resources"]["clusters"]:
        for check in cluster.get("health_checks", ()):
            assert seconds(check["interval"]) + 1.0 <= notice


def test_whoever_runs_processes_waits_as_long_as_they_are_told() -> None:
    """The supervisor and the compose file; the manifests have a test of their own."""
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    for kind in NEEDED:
        grace = settings_of(kind).termination_grace_seconds
        assert seconds(compose["x-hardened"]["stop_grace_period"]) >= grace
        assert Program.__dataclass_fields__["stop_seconds_max"].default >= grace
