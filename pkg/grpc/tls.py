"""TLS between our processes: from files, which a server reads again when they have changed."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog
from grpc import aio

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a process is, and whom it lets in. All are PEM files.

    Attributes:
        certificate: With what leads from it to the authority, if anything.
        key: Of the certificate.
        client_ca: Whoever connects has to show a certificate of this authority; None for anybody.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def check(self) -> None:
        """Try whether the files can be used.

        Raises:
            ValueError: They can't; no content is repeated.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # With an empty password instead of a question in the terminal.
            context.load_cert_chain(self.certificate, self.key, password=str)
        except (OSError, ValueError) as problem:  # an SSLError is an OSError
            raise ValueError(f"the certificate and key can't be used: {_why(problem)}") from None
        if self.client_ca is not None:
            check_authority(self.client_ca)


def check_authority(path: Path) -> None:
    """Try whether a file holds certificates.

    Raises:
        ValueError: It does not.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (OSError, ValueError) as problem:
        raise ValueError(f"holds no certificates that can be used: {_why(problem)}") from None


def server_credentials(identity: Identity) -> grpc.ServerCredentials:
    """Return the credentials of a server; what changes in the files counts from then on.

    Connections that are open stay as they are.

    Raises:
        ValueError: The files can't be used.
    """
    files = _Files(identity)
    return grpc.dynamic_ssl_server_credentials(
        files.read(),
        files.newer,  # type: ignore[arg-type]  # None for no change, as grpc documents it
        require_client_authentication=identity.client_ca is not None,
    )


# By default the pauses between attempts to connect grow to two minutes: for so long a server that
# was away and is back would go on being away.
_CHANNEL = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


def channel(
    address: str,
    *,
    ca: Path | None,
    identity: Identity | None = None,
    server_name: str | None = None,
    options: Sequence[tuple[str, int]] = (),
) -> aio.Channel:
    """Return a channel to a server; its files are read once.

    Args:
        address: Where it listens.
        ca: The authority of its certificate; None for plain text.
        identity: Whose certificate is shown to it.
        server_name: The name in its certificate, if it is not that of the address.
        options: More of grpc's.
    """
    if ca is None:
        return aio.insecure_channel(address, (*_CHANNEL, *options))
    credentials = grpc.ssl_channel_credentials(
        root_certificates=ca.read_bytes(),
        private_key=identity.key.read_bytes() if identity else None,
        certificate_chain=identity.certificate.read_bytes() if identity else None,
    )
    named = (("grpc.ssl_target_name_override", server_name),) if server_name else ()
    return aio.secure_channel(address, credentials, (*_CHANNEL, *options, *named))


class _Files:
    """The files of a server's identity, as they were when they were last looked at."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._seen: object = self._stamps()

    def read(self) -> grpc.ServerCertificateConfiguration:
        """Return what they hold.

        Raises:
            ValueError: It can't be used.
        """
        self._identity.check()
        pair = (self._identity.key.read_bytes(), self._identity.certificate.read_bytes())
        ca = self._identity.client_ca
        return grpc.ssl_server_certificate_configuration(
            [pair], root_certificates=ca.read_bytes() if ca else None
        )

    def newer(self) -> grpc.ServerCertificateConfiguration | None:
        """Return what they hold if they have changed; called by gRPC at each new connection.

        Files that don't go together, such as a new certificate whose key is still to come, are left
        until they change again.
        """
        try:
            if self._stamps() == self._seen:
                return None
            self._seen = self._stamps()
            read = self.read()
        except (OSError, ValueError) as problem:
            logger.warning("the new certificate is not used", problem=_why(problem))
            return None
        logger.info("the certificate was read again")
        return read

    def _stamps(self) -> list[tuple[int, int, int]]:
        identity = self._identity
        paths = (identity.certificate, identity.key, identity.client_ca)
        found = [path.stat() for path in paths if path is not None]
        return [(stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in found]


def _why(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLError):
        return (problem.reason or "unknown").replace("_", " ").lower()
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
