"""What API keys may be used for: declared beside each RPC, and read from there.

An RPC names the scopes that may call it in `option (paygate.auth.v1.scopes)`.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor

from paygate.auth.v1 import scope_pb2 as pb


class Scope(StrEnum):
    """One thing that a key may be used for."""

    PAYMENTS = "payments"
    READ_ONLY = "read_only"
    WEBHOOKS = "webhooks"
    SANDBOXES = "sandboxes"


Scopes = frozenset[Scope]

# Together they are everything: each RPC is of one of them.
FULL_ACCESS: Scopes = frozenset({Scope.PAYMENTS, Scope.WEBHOOKS, Scope.SANDBOXES})


def known(names: Iterable[str]) -> Scopes:
    """Return the scopes with these names; a name that a newer version has written means nothing."""
    return frozenset(scope for scope in Scope if scope.value in names)


@lru_cache(maxsize=1_000)
def allowed(method: str) -> Scopes:
    """Return the scopes that may call `/package.Service/Method`: none where none are declared."""
    name = method.removeprefix("/").replace("/", ".")
    return declared(descriptor_pool.Default().FindMethodByName(name))


def declared(method: MethodDescriptor) -> Scopes:
    """Return the scopes that stand beside an RPC."""
    return frozenset(map(of_message, method.GetOptions().Extensions[pb.scopes]))


def of_message(value: pb.Scope.ValueType) -> Scope:
    """Return the scope that the enum of the protos calls `SCOPE_<NAME>`."""
    return Scope[pb.Scope.Name(value).removeprefix("SCOPE_")]


def to_message(scope: Scope) -> pb.Scope.ValueType:
    """Return what the protos call a scope."""
    return pb.Scope.Value(f"SCOPE_{scope.name}")
