"""Asks a gRPC server whether it serves: `python -m pkg.healthcheck 127.0.0.1:50051`.

For containers, whose images hold nothing else that speaks gRPC.
"""

import sys

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

TIMEOUT_SECONDS = 2.0


def serves(address: str) -> bool:
    """Tell whether the standard health service at `address` says SERVING within two seconds."""
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            reply = check(HealthCheckRequest(), timeout=TIMEOUT_SECONDS)
        except grpc.RpcError:
            return False
    return reply.status == HealthCheckResponse.SERVING


if __name__ == "__main__":
    sys.exit(0 if serves(sys.argv[1]) else 1)
