"""The standard health service: whether the server serves, for whoever asks and whoever watches."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

from pkg.grpc.guard import Context, current_call


class HealthChecks(HealthServicer):
    """Of the server as a whole, which has no name, and of its services, which do as well as it.

    Not grpc_health's own, which writes to a watcher under the lock that each change waits for: a
    single one that does not read would keep a server from telling the others that it is to end.

    Args:
        services: The full names of the services that the server has.
    """

    def __init__(self, services: Collection[str] = ()) -> None:
        self._known = frozenset({"", *services})
        self._is_serving = True
        self._is_closed = False
        self._changed = asyncio.Event()

    def leave(self) -> None:
        """Say from now on that the server is about to go."""
        self._is_serving = False
        self._tell()

    def close(self) -> None:
        """Let go of whoever watches."""
        self._is_closed = True
        self._tell()

    async def Check(  # noqa: N802  # the proto's
        self, request: HealthCheckRequest, context: Context
    ) -> HealthCheckResponse:
        """Tell it once."""
        if request.service not in self._known:
            if call := current_call():
                call.code = grpc.StatusCode.NOT_FOUND.name
            await context.abort(grpc.StatusCode.NOT_FOUND, "There is no such service.")
        return HealthCheckResponse(status=self._status(request))

    async def Watch(  # noqa: N802  # the proto's
        self,
        request: HealthCheckRequest,
        context: Context,  # noqa: ARG002  # gRPC's
    ) -> AsyncIterator[HealthCheckResponse]:
        """Tell it now, and whenever it has changed."""
        told = None
        while not self._is_closed:
            changed, status = self._changed, self._status(request)
            if status != told:
                yield HealthCheckResponse(status=status)
                told = status
            else:
                await changed.wait()

    def _status(self, request: HealthCheckRequest) -> Any:  # one of the enum, which has no type
        if request.service not in self._known:
            return HealthCheckResponse.SERVICE_UNKNOWN
        return HealthCheckResponse.SERVING if self._is_serving else HealthCheckResponse.NOT_SERVING

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
