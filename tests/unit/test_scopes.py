"""Scopes: every public RPC says which keys may call it, and the rules hold for all of them."""

import re
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor

from paygate.admin.v1 import admin_service_pb2
from paygate.auth.v1 import scope_pb2
from paygate.payments.v1 import payment_service_pb2
from paygate.sandbox.v1 import sandbox_service_pb2
from paygate.webhooks.v1 import webhook_service_pb2
from pkg.grpc.scopes import FULL_ACCESS, Scope, allowed, declared, known, of_message, to_message
from tools.stack.settings import REPOSITORY

FULL: dict[FileDescriptor, Scope] = {
    payment_service_pb2.DESCRIPTOR: Scope.PAYMENTS,
    sandbox_service_pb2.DESCRIPTOR: Scope.PAYMENTS,
    webhook_service_pb2.DESCRIPTOR: Scope.WEBHOOKS,
}


def methods(*files: FileDescriptor) -> Iterator[MethodDescriptor]:
    """Return the RPCs that files declare."""
    for file in files:
        for service in file.services_by_name.values():
            yield from service.methods


def test_these_are_all_public_services() -> None:
    """A new service of the API comes into this test, or is the operator's."""
    declaring = {
        path.relative_to(REPOSITORY / "proto" / "api").as_posix()
        for path in (REPOSITORY / "proto" / "api").rglob("*.proto")
        if re.search(r"^service ", path.read_text(), re.MULTILINE)
    }
    assert declaring == {file.name for file in (*FULL, admin_service_pb2.DESCRIPTOR)}


@pytest.mark.parametrize("method", list(methods(*FULL)), ids=lambda method: method.full_name)
def test_every_rpc_is_of_one_scope_and_looking_is_of_another(method: MethodDescriptor) -> None:
    """Each is allowed by the scope of what it is about, and by read_only if it only looks."""
    full = FULL[method.containing_service.file]
    if method.name.endswith(("Sandbox", "Sandboxes")):
        full = Scope.SANDBOXES  # no sandbox's own key has it
    looks = re.match(r"(Get|List|Watch)[A-Z]", method.name) is not None
    expected = {full, *([Scope.READ_ONLY] if looks else [])}
    assert declared(method) == expected
    assert not FULL_ACCESS.isdisjoint(expected)
    assert allowed(f"/{method.containing_service.full_name}/{method.name}") == expected


def test_what_declares_no_scope_is_for_no_key() -> None:
    """No API key opens the operator's service, should it ever be asked for one."""
    found = list(methods(admin_service_pb2.DESCRIPTOR))
    assert found
    assert {declared(method) for method in found} == {frozenset()}


def test_scopes_have_the_same_names_everywhere() -> None:
    """Each scope of the protos is one of ours; what a newer version has stored grants nothing."""
    values = set(scope_pb2.Scope.values()) - {scope_pb2.SCOPE_UNSPECIFIED}
    assert {of_message(value) for value in values} == set(Scope)
    assert {to_message(scope) for scope in Scope} == values
    assert known(["payments", "teleport"]) == {Scope.PAYMENTS}
