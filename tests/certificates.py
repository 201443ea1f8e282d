"""An authority for tests, and certificates that it signs."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path

    def environment(self, prefix: str = "PAYGATE_", *, client_ca: Path | None) -> dict[str, str]:
        """Return what tells a server to use it."""
        named = {
            f"{prefix}TLS_CERTIFICATE_FILE": str(self.certificate),
            f"{prefix}TLS_KEY_FILE": str(self.key),
        }
        return named | ({f"{prefix}TLS_CLIENT_CA_FILE": str(client_ca)} if client_ca else {})


class Authority:
    """Signs certificates that are good for servers and clients, for a day."""

    def __init__(self, name: str = "test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = (
            self._builder(self._name, self._key)
            .add_extension(constraints, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, name: str) -> tuple[bytes, bytes]:
        """Return a new certificate for a DNS name, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            self._builder(_named(name), key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return (
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - LIFE)
            .not_valid_after(now + LIFE)
        )


class AuthorityInFiles(Authority):
    """An authority whose own certificate, and all that it signs, is in a folder.

    Args:
        folder: Where the files go.
        name: Of the authority, and of its file.
    """

    def __init__(self, folder: Path, name: str = "ca") -> None:
        super().__init__(name)
        self._folder = folder
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.pem)

    def issue(self, name: str, *, file: str | None = None) -> Pair:
        """Make a pair for a DNS name, in files called like it unless told otherwise."""
        certificate, key = self.sign(name)
        pair = Pair(self._folder / f"{file or name}.pem", self._folder / f"{file or name}.key")
        pair.certificate.write_bytes(certificate)
        pair.key.write_bytes(key)
        return pair


def put(authority: Authority, name: str, folder: Path) -> None:
    """Put a certificate for a name into a folder, in place of one that is there."""
    folder.mkdir(exist_ok=True)
    certificate, key = authority.sign(name)
    for file, content in (("tls.key", key), ("tls.crt", certificate)):
        new = folder / f".{file}"
        new.write_bytes(content)
        os.replace(new, folder / file)  # noqa: PTH105  # the rename is what Envoy sees


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
