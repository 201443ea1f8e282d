"""Addresses that only this machine can reach: what goes there may be plain text."""

import ipaddress
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


LoopbackAddress = Annotated[str, AfterValidator(loopback)]
