"""What the script can do that no method of the API needs yet, in an Envoy that runs only it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from tests.e2e.edge import Edge, Upstream, manager, rendered
from tools.edge.script import script


def tree() -> FileDescriptorProto:
    """Return a method whose request holds itself, and one whose path has a verb."""
    made = FileDescriptorProto(name="tree.proto", package="tree", syntax="proto3")
    node = made.message_type.add(name="Node")
    node.field.add(name="id", json_name="id", number=1, type=FieldDescriptorProto.TYPE_STRING)
    node.field.add(
        name="nodes",
        json_name="nodes",
        number=2,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=".tree.Node",
        label=FieldDescriptorProto.LABEL_REPEATED,
    )
    node.field.add(name="size", json_name="size", number=3, type=FieldDescriptorProto.TYPE_UINT64)
    service = made.service.add(name="Trees")
    for name, path in (("Plant", "/trees"), ("Fell", "/trees/{id}:fell"), ("Water", "/trees/{id}")):
        method = service.method.add(name=name, input_type=".tree.Node", output_type=".tree.Node")
        rule = method.options.Extensions[annotations_pb2.http]
        rule.post, rule.body = path, "*"
    return made


def configured(upstream: Upstream, text: str) -> dict[str, Any]:
    """Return the configuration of an Envoy that says 200 to whatever this script lets through."""
    config = rendered(upstream)
    http = manager(config)
    kept = [one for one in http["http_filters"] if one["name"].endswith((".lua", ".router"))]
    kept[0]["typed_config"]["default_source_code"] = {"inline_string": text}
    http["http_filters"] = kept
    routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]
    http["route_config"]["virtual_hosts"] = [{"name": "all", "domains": ["*"], "routes": routes}]
    return config


@pytest.fixture(scope="module")
def bare(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An Envoy with the script for these methods."""
    config = configured(upstream, script([tree()]))
    with Edge(config, tmp_path_factory.mktemp("bare")) as running:
        yield running


def send(edge: Edge, path: str, body: str) -> urllib3.BaseHTTPResponse:
    """Send a body."""
    headers = {"content-type": "application/json"}
    return urllib3.request("POST", edge.url + path, body=body, headers=headers, retries=False)


def nested(depth: int) -> str:
    """Return a message in a list in a message, as many times."""
    return '{"nodes": [' * (depth - 1) + "{}" + "]}" * (depth - 1)


def test_nesting_is_bounded(bare: Edge) -> None:
    """32 levels are taken, lists among them; more are refused, however many there are."""
    assert send(bare, "/trees", nested(16)).status == 200
    for depth in (17, 4_000):
        reply = send(bare, "/trees", nested(depth))
        assert reply.status == 400
        assert b"is nested too deep" in reply.data


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"nodes": [{"id": "a"}, {"id": "a"}], "id": "a"}', 200),
        ('{"id": "a", "nodes": [{"id": "a"}], "id": "a"}', 400),
        ('{"nodes": [{"id": "a", "nodes": [{"id": "b"}], "id": "a"}]}', 400),
        ('{"nodes": [{}, {"nodes": []}], "nodes": []}', 400),
        ('{"size": 18446744073709551615}', 200),
        ('{"size": 18446744073709551616}', 400),
        ('{"size": -0}', 200),
        ('{"size": -1}', 400),
    ],
)
def test_objects_in_objects_are_told_apart(bare: Edge, body: str, status: int) -> None:
    """A field counts for its own object only; integers without a sign have their limits."""
    assert send(bare, "/trees", body).status == status


def test_a_verb_may_follow_a_variable(bare: Edge) -> None:
    """`{id}:fell` is one method, `{id}` another, whose id may have a colon in it."""
    for path, status in (("/trees/a:fell", 200), ("/trees/a", 200), ("/trees/a:b", 200)):
        assert send(bare, path, "{}").status == status
        assert send(bare, path, '{"id": "b"}').status == 400
    assert send(bare, "/trees/a/b", "{}").status == 404


def test_a_fault_in_the_script_lets_nothing_pass(upstream: Upstream, tmp_path: Path) -> None:
    """A mistake of ours is an error of ours: Envoy by itself would send the request on."""
    right = script([tree()])
    wrong = right.replace("local binding = find_binding(", "local binding = no_such_function(")
    assert wrong != right
    with Edge(configured(upstream, wrong), tmp_path) as edge:
        reply = send(edge, "/trees", "{}")
        assert "no_such_function" in edge.log
    assert (reply.status, reply.json()["details"][0]["reason"]) == (500, "INTERNAL")
    assert b"no_such_function" not in reply.data
