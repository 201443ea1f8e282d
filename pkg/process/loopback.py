"""Who can reach an address: only this machine, so that plain text will do, or every network."""

import ipaddress
import socket
from typing import Annotated

from pydantic import AfterValidator


def loopback(address: str) -> str:
    """Return the address, `<ip>:<port>`, if it is one of the loopback interface.

    Raises:
        ValueError: It is not.
    """
    host, _, port = address.rpartition(":")
    try:
        is_loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if not (is_loopback and port.isascii() and port.isdigit()):
        raise ValueError("must be a loopback address and a port, such as 127.0.0.1:50054")
    return address


def is_everywhere(address: str) -> bool:
    """Tell whether `<host>:<port>`, however written, stands for all addresses of the machine."""
    host = address.rpartition(":")[0].strip("[]")
    if host in {"", "*"}:
        return True
    try:
        numeric = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)  # such as 0 and ::
    except OSError:
        return False  # a name, which stands for what it is resolved to
    found = {ipaddress.ip_address(entry[4][0]) for entry in numeric}
    return any((getattr(one, "ipv4_mapped", None) or one).is_unspecified for one in found)


LoopbackAddress = Annotated[str, AfterValidator(loopback)]
