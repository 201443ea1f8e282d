"""Where events may be posted to, so that no merchant can make the gateway call its own network.

The text of a URL is checked when it is given and before each attempt; a name's addresses are
checked when it is resolved, and the connection goes to exactly those (`CheckedResolver`): what a
name stands for can change between two looks.
"""

import asyncio
import ipaddress
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from pkg.mode import Mode

URL_LENGTH_MAX = 2048

_LOOKUPS_MAX = 64  # at once: a lookup that hangs holds a thread
_PRINTABLE = re.compile(r"[!-~]+\Z")  # ASCII without spaces
# How browsers tell that a host is meant as an IPv4 address (WHATWG URL, "ends in a number").
_NUMBER = re.compile(r"(?:\d+|0[xX][0-9a-fA-F]*)\Z")
_AUTHORITY = re.compile(r"[A-Za-z]+://([^/?#]+)")
_NAME = re.compile(r"[A-Za-z0-9._-]+\Z")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out
# Python 3.11 takes some of these for global. What wraps an IPv4 address can hide a private one.
_RESERVED = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments, RFC 6890
            "192.88.99.0/24",  # 6to4 relays, RFC 7526
            "2001::/23",  # protocol assignments, Teredo among them, RFC 2928
            "2002::/16",  # 6to4, RFC 3056
            "3fff::/20",  # documentation, RFC 9637
        ),
    )
)


class AddressNotAllowedError(OSError):
    """The name stands for an address that may not be posted to."""


def check_url(url: str, mode: Mode) -> str | None:
    """Return what is wrong with a URL, in words for the merchant; None if nothing is.

    Looks at the text alone: whether a name stands for a public address is seen at each attempt.
    """
    if len(url) > URL_LENGTH_MAX:
        return f"must have at most {URL_LENGTH_MAX:,} characters"
    if not _PRINTABLE.match(url) or "\\" in url:
        return "must be ASCII without spaces or backslashes"
    try:
        # By the parser of the HTTP client: two parsers could see two hosts.
        parsed = yarl.URL(url)
        scheme, host, port = parsed.scheme, parsed.raw_host, parsed.port
    except ValueError:
        return "must be a URL"
    # As it was written: the parser takes an empty user, and a name in brackets, without a word.
    authority = _AUTHORITY.match(url)
    if not host or not authority or "@" in authority[1] or parsed.raw_fragment or not port:
        return "must have a host, and no user, password or fragment"
    if authority[1].startswith("[") != (":" in host):
        return "must be a URL"
    return _check_place(scheme, host, mode)


def _check_place(scheme: str, host: str, mode: Mode) -> str | None:
    address = _literal(host)
    if address is None and not _is_name(host):
        return "must have a host name or an IP address in its usual form"
    loopback = address.is_loopback if address else host.rstrip(".").lower() == "localhost"
    if mode is Mode.SANDBOX and loopback and scheme in {"http", "https"}:
        return None
    if scheme != "https":
        only = "HTTPS" if mode is Mode.PRODUCTION else "HTTPS, or HTTP to a loopback address"
        return f"must be {only}"
    if loopback or (address and not _is_public(address)):
        return "must have a public address"
    return None


def is_allowed(address: str, mode: Mode) -> bool:
    """Tell whether events may be posted to an address that a name stands for."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # such as an IPv6 address with a zone
        return False
    return _is_public(parsed) or (mode is Mode.SANDBOX and parsed.is_loopback)


class CheckedResolver(AbstractResolver):
    """Resolves names to addresses that events may be posted to; one that is not refuses them all.

    Lookups have threads of their own: names that hang must not hold up what else uses threads.
    """

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._threads = ThreadPoolExecutor(_LOOKUPS_MAX, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises:
            AddressNotAllowedError: One of them may not be posted to.
            OSError: There are none.
        """
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._look_up, host, port, family
        )
        if not all(is_allowed(result["host"], self._mode) for result in found):
            raise AddressNotAllowedError
        return found

    async def close(self) -> None:
        """Wait for no lookup that is still under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        return [
            ResolveResult(
                hostname=host,
                host=str(place[0]),
                port=port,
                family=kind,
                proto=protocol,
                # What is connected to is an address: it must never be looked up again.
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, place in found
        ]


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    last = host.rstrip(".").rpartition(".")[2]
    return bool(_NAME.match(host)) and bool(last) and not _NUMBER.match(last)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    reserved = any(address in network for network in _RESERVED)
    return address.is_global and not address.is_multicast and not reserved
