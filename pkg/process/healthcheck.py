"""Asks a server whether it serves: `python -m pkg.process.healthcheck 127.0.0.1:50051`.

Or, of a process that serves no gRPC, a page: `… -m pkg.process.healthcheck http://127.0.0.1:9464/health/live`.

For containers, whose images hold nothing else that speaks gRPC. Where the server's environment
names its certificate and key, as `PAYGATE_TLS_…_FILE` or `ACQUIRER_TLS_…_FILE`, TLS is spoken with
that very certificate: it is the only one that is trusted, and the one that is shown.
"""

import os
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import grpc
from cryptography import x509
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

TIMEOUT_SECONDS = 2.0


def answers(url: str) -> bool:
    """Tell whether the page at `url` is 200 within two seconds."""
    where = urlsplit(url)
    connection = HTTPConnection(where.netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", where.path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def serves(address: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the standard health service at `address` says SERVING within two seconds."""
    with _channel(address, environment) as channel:
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


def _channel(address: str, environment: Mapping[str, str]) -> grpc.Channel:
    for prefix in ("PAYGATE_", "ACQUIRER_"):
        named = environment.get(f"{prefix}TLS_CERTIFICATE_FILE")
        if named:
            certificate = Path(named).read_bytes()
            credentials = grpc.ssl_channel_credentials(
                root_certificates=certificate,
                private_key=Path(environment[f"{prefix}TLS_KEY_FILE"]).read_bytes(),
                certificate_chain=certificate,
            )
            name = (("grpc.ssl_target_name_override", _name(certificate)),)
            return grpc.secure_channel(address, credentials, name)
    return grpc.insecure_channel(address)


def _name(certificate: bytes) -> str:
    """Return a name that the certificate is good for."""
    extensions = x509.load_pem_x509_certificates(certificate)[0].extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return str(names.get_values_for_type(x509.DNSName)[0])


if __name__ == "__main__":
    asks = answers if sys.argv[1].startswith("http://") else serves
    sys.exit(0 if asks(sys.argv[1]) else 1)
