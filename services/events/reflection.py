"""gRPC's reflection: what all public services look like, for tools that have no protos.

One process answers for all of them. The bank's and the operator's services are not among them.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2, status_pb2
from grpc import aio
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from paygate.events.v1 import event_pb2
from paygate.payments.v1 import payment_service_pb2
from paygate.sandbox.v1 import sandbox_service_pb2
from paygate.webhooks.v1 import webhook_service_pb2
from pkg.errors import RateLimitedError
from pkg.grpc.guard import Context

# Their messages are equal: only the name has changed.
SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
# Of one call. A tool has a handful for each service.
REQUESTS_MAX = 32
_PUBLIC: tuple[Any, ...] = (  # of two libraries' types
    payment_service_pb2.DESCRIPTOR,
    sandbox_service_pb2.DESCRIPTOR,
    webhook_service_pb2.DESCRIPTOR,
    health_pb2.DESCRIPTOR,
)
# Nothing of theirs is in a method: they are in an error's details, and are what a bus is sent.
_BESIDES = (error_details_pb2.DESCRIPTOR, status_pb2.DESCRIPTOR, event_pb2.DESCRIPTOR)


class _Reflection(reflection.aio.ReflectionServicer):
    """Answers from a pool of its own: the process has imported more than is public."""

    def __init__(self) -> None:
        names = [one.full_name for file in _PUBLIC for one in file.services_by_name.values()]
        super().__init__(names, pool=_pool_of((*_PUBLIC, *_BESIDES)))

    async def answer(
        self, requests: AsyncIterator[ServerReflectionRequest], context: Context
    ) -> AsyncIterator[ServerReflectionResponse]:
        """Answer so many requests; then refuse.

        Raises:
            RateLimitedError: There are more.
        """
        made: Any = self.ServerReflectionInfo(_some(requests), context)  # its stub is not right
        async with aclosing(made) as answers:
            async for answer in answers:
                yield answer


async def _some(
    requests: AsyncIterator[ServerReflectionRequest],
) -> AsyncIterator[ServerReflectionRequest]:
    number = 0
    async for request in requests:
        number += 1
        if number > REQUESTS_MAX:
            raise RateLimitedError
        yield request


def add_reflection_to(server: aio.Server) -> None:
    """Have a server answer under both names."""
    handler: Any = grpc.stream_stream_rpc_method_handler(
        _Reflection().answer,
        request_deserializer=ServerReflectionRequest.FromString,
        response_serializer=ServerReflectionResponse.SerializeToString,
    )
    for name in SERVICES:
        server.add_registered_method_handlers(name, {"ServerReflectionInfo": handler})


def _pool_of(files: Iterable[Any]) -> DescriptorPool:
    """Return a pool of these files, and of what they import."""
    pool, added = DescriptorPool(), set[str]()

    def add(file: Any) -> None:
        if file.name not in added:
            added.add(file.name)
            for imported in file.dependencies:
                add(imported)
            pool.AddSerializedFile(file.serialized_pb)

    for file in files:
        add(file)
    return pool
