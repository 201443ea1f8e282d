"""Tools that know nothing of our protos: gRPC's reflection and health at the edge, by buf curl."""

import base64
import json
import subprocess
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_database import DescriptorDatabase
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc import StatusCode
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha import reflection_pb2 as reflection

from tests.e2e.stack import Stack
from tools.stack.settings import REPOSITORY

CARD = {"pan": "4242424242424242", "expiry": {"month": 12, "year": 2039}, "cvv": "123"}
AMOUNT = {"minor_units": 1000, "currency": "GBP"}
SERVICES = [
    "paygate.payments.v1.PaymentService",
    "paygate.sandbox.v1.SandboxService",
    "paygate.webhooks.v1.WebhookService",
]


@dataclass(frozen=True)
class Tool:
    """`buf curl` at a stack's edge, in a folder without protos."""

    stack: Stack

    def run(self, path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            [REPOSITORY / ".venv" / "bin" / "buf", "curl", *arguments, f"{self.stack.url}{path}"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def call(self, method: str, **fields: Any) -> subprocess.CompletedProcess[str]:
        """Call a method with the demo key."""
        key = f"authorization: Bearer {self.stack.api_key}"
        options = ("--protocol", "grpc", "--reflect-protocol", "grpc-v1", "--header", key)
        return self.run(f"/{method}", *options, "--data", json.dumps(fields))

    def told(self, method: str, **fields: Any) -> Any:
        """Return what a method answers."""
        done = self.call(method, **fields)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def tool(stack: Stack) -> Tool:
    """The tool, at the stack that all share."""
    return Tool(stack)


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_all_public_services_are_listed(tool: Tool, version: str) -> None:
    """Without a key, under both names of reflection; neither the bank's nor the operator's."""
    options = ("--protocol", "grpc", "--reflect-protocol", f"grpc-{version}")
    done = tool.run("", *options, "--list-services")
    assert done.stdout.splitlines() == ["grpc.health.v1.Health", *SERVICES], done.stderr


def test_every_verb(tool: Tool) -> None:
    """Authorize, capture, refund, void, get and list, as a newcomer would."""
    payments, webhooks = SERVICES[0], SERVICES[2]
    paid = tool.told(f"{payments}/Authorize", card_details=CARD, amount=AMOUNT)["payment"]
    identity = {"authorization_id": paid["id"]}
    part = {**AMOUNT, "minor_units": 400}
    taken = tool.told(f"{payments}/Capture", **identity, amount=part)
    assert taken["payment"]["status"] == "STATUS_PARTIALLY_CAPTURED"
    back = tool.told(f"{payments}/Refund", **identity, amount=part)
    assert back["action"]["status"] == "STATUS_SUCCEEDED"
    other = tool.told(f"{payments}/Authorize", card_details=CARD, amount=AMOUNT)["payment"]
    gone = tool.told(f"{payments}/Void", authorization_id=other["id"])
    assert gone["payment"]["status"] == "STATUS_VOIDED"
    shown = tool.told(f"{payments}/GetPayment", id=paid["id"])["payment"]
    listed = tool.told(f"{payments}/ListPayments", page_size=10)["payments"]
    assert shown in listed
    endpoint = tool.told(f"{webhooks}/CreateWebhookEndpoint", url="http://127.0.0.1:9/")["endpoint"]
    tool.told(f"{webhooks}/DeleteWebhookEndpoint", id=endpoint["id"])


def test_what_is_refused_is_explained(tool: Tool) -> None:
    """By details, which are in no method, and which reflection tells how to read."""
    done = tool.call(f"{SERVICES[0]}/Authorize", card_details=CARD, amount={"currency": "GBP"})
    assert done.returncode == StatusCode.INVALID_ARGUMENT.value[0] << 3
    details = {one["type"]: one["value"] for one in json.loads(done.stderr)["details"]}
    read = {name: read_by_reflection(tool.stack, name, details[name]) for name in details}
    assert read["google.rpc.ErrorInfo"].reason == "VALIDATION_FAILED"
    (violation,) = read["google.rpc.BadRequest"].field_violations
    assert violation.field == "amount.minor_units"


def read_by_reflection(stack: Stack, name: str, value: str) -> Any:
    """Return a message by no more than what reflection says of it."""
    request = reflection.ServerReflectionRequest(file_containing_symbol=name)
    (response,) = asked(stack, iter([request]))
    files = DescriptorDatabase()  # which come in any order
    for file in response.file_descriptor_response.file_descriptor_proto:
        files.Add(FileDescriptorProto.FromString(file))
    kind: Any = GetMessageClass(DescriptorPool(files).FindMessageTypeByName(name))
    return kind.FromString(base64.b64decode(value + "=="))


def test_what_a_bus_is_sent_is_told(stack: Stack) -> None:
    """Who reads it has no proto of it, and no method has it."""
    event = read_by_reflection(stack, "paygate.events.v1.PaymentEvent", "")
    assert event.payment.DESCRIPTOR.full_name == "paygate.payments.v1.Payment"


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_health_by_service(stack: Stack, service: str) -> None:
    """What anybody may ask, without a key, reaches whoever has the service."""
    assert checked(stack, service).status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("service", ["paygate.acquirer.v1.AcquirerService", "a" * 100])
def test_health_of_what_is_not_there(stack: Stack, service: str) -> None:
    """Is no health."""
    with pytest.raises(grpc.RpcError) as caught:
        checked(stack, service)
    assert caught.value.code() is StatusCode.NOT_FOUND


def checked(stack: Stack, service: str) -> Any:
    """Return the health of a service."""
    with grpc.insecure_channel(stack.grpc) as channel:
        stub: Any = HealthStub(channel)
        return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)


def asked(stack: Stack, requests: Any) -> list[reflection.ServerReflectionResponse]:
    """Return what reflection answers."""
    with grpc.insecure_channel(stack.grpc) as channel:
        method: Any = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection.ServerReflectionResponse.FromString,
        )
        return list(method(requests, timeout=10))


@pytest.mark.parametrize(
    "symbol",
    [
        "paygate.acquirer.v1.AcquirerService",
        "paygate.admin.v1.AdminService",
        "paygate.acquirer.v1.Outcome",
        "no.such.Thing",
    ],
)
def test_what_is_not_public_is_not_shown(stack: Stack, symbol: str) -> None:
    """As what does not exist."""
    request = reflection.ServerReflectionRequest(file_containing_symbol=symbol)
    (response,) = asked(stack, iter([request]))
    assert response.error_response.error_code == StatusCode.NOT_FOUND.value[0]


def test_a_call_has_its_bounds(stack: Stack) -> None:
    """In questions, and in time."""
    one = reflection.ServerReflectionRequest(list_services="")
    with pytest.raises(grpc.RpcError) as caught:
        asked(stack, iter([one] * 1_000))
    assert caught.value.code() is StatusCode.RESOURCE_EXHAUSTED
