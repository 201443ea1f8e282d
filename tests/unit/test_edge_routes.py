"""envoy.yaml sends every method of the API to the service that has it, by either protocol."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from paygate.admin.v1 import admin_service_pb2 as admin_pb
from tools.stack import envoy
from tools.stack.settings import REPOSITORY

CLUSTERS = {
    "paygate.payments.v1.PaymentService": "payments",
    "paygate.sandbox.v1.SandboxService": "payments",
    "paygate.webhooks.v1.WebhookService": "events",
}
SLOW = {"Drain": "35s", "WatchEvents": "0s"}
STREAMS = {"WatchEvents"}


@dataclass(frozen=True)
class Call:
    """A request as Envoy sees it, and the method that it is for."""

    service: str
    method: str
    headers: dict[str, str]

    def __str__(self) -> str:
        """Name the test."""
        return f"{self.headers[':method']} {self.headers[':path']}"


@cache
def config() -> dict[str, Any]:
    """Return what is in the HTTP connection manager that clients meet."""
    edge = envoy.parse(envoy.SOURCE.read_text())
    listener, *_ = edge["static_resources"]["listeners"]
    manager: dict[str, Any] = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    return manager


def calls() -> Iterator[Call]:
    """Return one request for each way to call each public method."""
    files = FileDescriptorSet.FromString((REPOSITORY / "build" / "paygate.binpb").read_bytes())
    for file in files.file:
        for service in file.service:
            for method in service.method:
                rule = method.options.Extensions[annotations_pb2.http]
                name = f"{file.package}.{service.name}"
                if not rule.WhichOneof("pattern"):
                    continue  # one of our internal services
                headers = {":method": "POST", ":path": f"/{name}/{method.name}"}
                yield Call(name, method.name, {**headers, "content-type": "application/grpc"})
                for binding in (rule, *rule.additional_bindings):
                    yield Call(name, method.name, json_headers(binding))


def json_headers(rule: HttpRule) -> dict[str, str]:
    """Return what a JSON client sends for a binding."""
    verb = rule.WhichOneof("pattern")
    assert verb
    path = getattr(rule, verb).replace("{id}", "pay_1")
    body = {"content-type": "application/json"} if rule.body else {}
    return {":method": verb.upper(), ":path": path, **body}


def matches(rule: dict[str, Any], headers: dict[str, str]) -> bool:
    """Tell whether a route's `match` takes a request; knows what envoy.yaml uses, and no more."""
    path = headers[":path"].partition("?")[0]
    is_grpc = headers.get("content-type", "").startswith("application/grpc")
    assert set(rule) <= {"prefix", "path", "safe_regex", "headers", "grpc"}
    return (
        path.startswith(rule.get("prefix", ""))
        and rule.get("path", path) == path
        and re.fullmatch(rule.get("safe_regex", {"regex": ".*"})["regex"], path) is not None
        and (is_grpc or "grpc" not in rule)
        and all(header_matches(header, headers) for header in rule.get("headers", ()))
    )


def header_matches(rule: dict[str, Any], headers: dict[str, str]) -> bool:
    """Tell whether one matcher of a header takes a request."""
    value, wanted = headers.get(rule["name"], ""), rule["string_match"]
    match wanted:
        case {"exact": text}:
            found = value == text
        case {"contains": text}:
            found = text in value
        case {"safe_regex": {"regex": pattern}}:
            found = re.fullmatch(pattern, value) is not None
        case _:
            raise NotImplementedError(wanted)
    return found is not rule.get("invert_match", False)


@pytest.mark.parametrize("call", list(calls()), ids=str)
def test_a_method_is_routed_to_its_service(call: Call) -> None:
    """The first route that takes a request leads to its service; only reading is sent again."""
    (host,) = config()["route_config"]["virtual_hosts"]
    route = next(route for route in host["routes"] if matches(route["match"], call.headers))
    assert "route" in route, route["name"]
    assert route["route"]["cluster"] == CLUSTERS[call.service]
    assert route["route"]["timeout"] == SLOW.get(call.method, "5s")
    retried = set(route["route"]["retry_policy"]["retry_on"].split(","))
    # A connection that could not be made was sent nothing.
    assert (retried == {"connect-failure"}) == (call.headers[":method"] != "GET")
    assert "connect-failure" in retried


@pytest.mark.parametrize(
    "call",
    [call for call in calls() if call.headers[":method"] == "GET" and call.method not in STREAMS],
)
def test_head_goes_where_get_goes(call: Call) -> None:
    """To the same workers, as often, as the GET that is made of it."""
    (host,) = config()["route_config"]["virtual_hosts"]
    get, head = (
        next(route for route in host["routes"] if matches(route["match"], headers))
        for headers in (call.headers, {**call.headers, ":method": "HEAD"})
    )
    assert head["route"] == get["route"]
    assert "envoy.filters.http.lua.head" in head["typed_per_filter_config"]


@pytest.mark.parametrize("call", list(calls()), ids=str)
def test_only_streams_stay_open(call: Call) -> None:
    """They have a priority, and so places, of their own, and are ended when nothing is sent."""
    (host,) = config()["route_config"]["virtual_hosts"]
    route = next(route for route in host["routes"] if matches(route["match"], call.headers))
    stays = call.method in STREAMS
    assert (route["route"].get("priority") == "HIGH") is stays
    assert (route["route"].get("idle_timeout") == "30s") is stays
    own = route["typed_per_filter_config"].get("envoy.filters.http.grpc_json_transcoder", {})
    events = own.get("print_options", {}).get("stream_sse_style_delimited", False)
    assert events is (stays and call.headers[":method"] == "GET")


def test_streams_are_transcoded_as_all_else() -> None:
    """By the same services and rules; only how messages are parted differs."""
    (general,) = [
        part["typed_config"]
        for part in config()["http_filters"]
        if part["name"].endswith("grpc_json_transcoder")
    ]
    (host,) = config()["route_config"]["virtual_hosts"]
    (route,) = [route for route in host["routes"] if route["name"] == "watch"]
    own = route["typed_per_filter_config"]["envoy.filters.http.grpc_json_transcoder"]
    assert own["print_options"].items() > general["print_options"].items()
    assert {**own, "print_options": None} == {**general, "print_options": None}


def test_every_public_service_is_transcoded() -> None:
    """What has REST paths is in the transcoder's list, and nothing else is."""
    (transcoder,) = [
        part["typed_config"]
        for part in config()["http_filters"]
        if part["name"].endswith("grpc_json_transcoder")
    ]
    assert sorted(transcoder["services"]) == sorted({call.service for call in calls()})
    assert sorted(transcoder["services"]) == sorted(CLUSTERS)


@pytest.mark.parametrize("content_type", ["application/grpc", "application/json"])
def test_the_operators_service_is_not_reachable(content_type: str) -> None:
    """No route of the edge leads to a method of the admin API, and no path in REST is its."""
    for method in admin_pb.DESCRIPTOR.services_by_name["AdminService"].methods:
        assert not method.GetOptions().HasExtension(annotations_pb2.http)
        path = f"/{method.containing_service.full_name}/{method.name}"
        headers = {":method": "POST", ":path": path, "content-type": content_type}
        (host,) = config()["route_config"]["virtual_hosts"]
        route = next(route for route in host["routes"] if matches(route["match"], headers))
        native = content_type == "application/grpc"
        # In REST the transcoder answers: it knows only what the test below says.
        assert ("direct_response" in route) is native


def test_what_needs_no_key_is_bounded_by_address() -> None:
    """It takes no key along, and each address may ask it so often."""
    (host,) = config()["route_config"]["virtual_hosts"]
    found = set()
    for route in host["routes"]:
        limited = "envoy.filters.http.local_ratelimit" in route.get("typed_per_filter_config", {})
        without_key = "authorization" in route.get("request_headers_to_remove", ())
        if without_key:
            assert limited, route["name"]
            found.add(route["name"])
    names = {"payments", "relay", "grpc-health", "grpc-health-webhooks", "grpc-reflection"}
    assert found == names


def test_reflection_is_not_in_production() -> None:
    """Neither a route nor a cluster; and health, by gRPC too, is for whatever name one asks by."""
    text = (REPOSITORY / "deploy" / "envoy" / "production.yaml").read_text()
    assert "eflection" not in text
    listener, *_ = envoy.parse(text)["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    for host in manager["route_config"]["virtual_hosts"]:
        names = {route["name"] for route in host["routes"]}
        assert names >= {"grpc-health", "grpc-health-webhooks", "ready"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/health", "payments"),
        ("/health/webhooks", "relay"),
        ("/health/live", "live"),
    ],
)
def test_health_is_no_method_of_the_api(path: str, name: str) -> None:
    """Only reading it leads past the API; anything else is refused."""
    (host,) = config()["route_config"]["virtual_hosts"]
    found = {}
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        headers = {":method": method, ":path": path}
        route = next(route for route in host["routes"] if matches(route["match"], headers))
        found[method] = route["name"]
    assert found == {"GET": name, "HEAD": name} | dict.fromkeys(
        ("POST", "PUT", "DELETE"), "not-asked"
    )
