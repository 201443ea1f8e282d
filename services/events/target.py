"""Where events may be posted to, so that no merchant can make the gateway call its own network.

The text of a URL is checked when it is given and before each attempt; a name's addresses are
checked when it is resolved, and the connection goes to exactly those (`lookup.py`): what a name
stands for can change between two looks.
"""

import ipaddress
import re
from functools import lru_cache

from pkg.process.mode import Mode
from pkg.values import value

URL_LENGTH_MAX = 2048

_PRINTABLE = re.compile(r"[!-~]+\Z")  # ASCII without spaces
# Scheme, host (a name, an IPv4 address, or an IPv6 address in brackets), port, path and query.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?]*)?(?P<query>\?.*)?\Z"
)
# What RFC 3986 lets a path and a query hold. An endpoint from before this was asked may hold more.
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*\Z")
# How browsers tell that a host is meant as an IPv4 address (WHATWG URL, "ends in a number").
_NUMBER = re.compile(r"(?:\d+|0[xX][0-9a-fA-F]*)\Z")
# The sandbox's inbox, which is no place in a network: nobody can have such a name (RFC 6761).
_INBOX_HOST = "inbox.paygate.test"
_INBOX_PATH = re.compile(r"/([2-5][0-9]{2})?\Z")
_INBOX_SHORT = re.compile(r"inbox:", re.IGNORECASE)
# Its listeners, the same: `services/payments` knows it by the beginning of the URL, as it stands.
_LISTENER_HOST = "listener.paygate.test"
_LISTENER = re.compile(r"https://listener\.paygate\.test/[a-z0-9-]{0,40}\Z")
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}\Z")
_NAME_LENGTH_MAX = 253  # RFC 1035, without the root's dot
_PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# What containers call the machine that they run on.
_DOCKER_HOST = "host.docker.internal"
# Where containers and what is around this machine are: RFC 1918 and 4193. Not what is link-local,
# where clouds tell machines their secrets.
_NEAR = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
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


class UrlNotAllowedError(ValueError):
    """Says what is wrong with a URL, in words for the merchant that do not repeat it."""


class AddressNotAllowedError(OSError):
    """The name stands for an address that may not be posted to."""


@value(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL that may be posted to, taken apart once: what is checked is what is connected to.

    `host` is a name or an address without brackets. `path` is path and query, byte for byte.
    `inbox_status` is what the sandbox's inbox answers; None for all that is posted over a network.
    `is_listener`: a program takes what is posted, and answers.
    """

    tls: bool
    host: str
    port: int
    path: str
    inbox_status: int | None = None
    is_listener: bool = False

    @property
    def authority(self) -> str:
        """Return what the header `host` says: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host if self.port == _PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"
        )


@lru_cache(1024)
def target_of(url: str, mode: Mode) -> Target:
    """Take a URL apart.

    Looks at the text alone: whether a name stands for a public address is seen for each connection.

    Raises:
        UrlNotAllowedError: It is none, or one that may not be posted to.
    """
    if not _PRINTABLE.match(url) or "\\" in url:
        raise UrlNotAllowedError("must be ASCII without spaces or backslashes")
    place = url.partition("#")[0]
    if short := _INBOX_SHORT.match(place):
        place = f"https://{_INBOX_HOST}/{place[short.end() :]}"
    if not (parts := _URL.match(place)):
        raise UrlNotAllowedError("must have a host, and no user, password or fragment")
    scheme, host = parts["scheme"].lower(), parts["host"].strip("[]")
    port = int(parts["port"] or _PORTS.get(scheme, 0))
    if problem := _check_place(scheme, host, mode):
        raise UrlNotAllowedError(problem)
    if not 0 < port < 65_536:
        raise UrlNotAllowedError("must have a port from 1 to 65,535")
    path = (parts["path"] or "/") + (parts["query"] or "")
    status = None
    if host.lower().rstrip(".") == _INBOX_HOST:
        status = _inbox_status(scheme, port, path, mode)
    is_listener = host.lower().rstrip(".") == _LISTENER_HOST
    if is_listener:
        _check_listener(url, mode)
    return Target(
        tls=scheme == "https",
        host=host,
        port=port,
        path=path,
        inbox_status=status,
        is_listener=is_listener,
    )


def check_url(url: str, mode: Mode) -> str | None:
    """Return what is wrong with a URL that is to be registered; None if nothing is.

    More than `target_of` asks: what is posted to as it stands must be a URL to the last byte.
    """
    if len(url) > URL_LENGTH_MAX:
        return f"must have at most {URL_LENGTH_MAX:,} characters"
    try:
        target = target_of(url, mode)
    except UrlNotAllowedError as problem:
        return str(problem)
    if "#" in url:
        return "must have a host, and no user, password or fragment"
    if not _PATH.match(target.path):
        return "must be a URL: in path and query, what else there is stands as % and two hex digits"
    return None


def _check_place(scheme: str, host: str, mode: Mode) -> str | None:
    address = literal(host)
    if address is None and not _is_name(host):
        return "must have a host name or an IP address in its usual form"
    loopback = address.is_loopback if address else host.rstrip(".").lower() == "localhost"
    if mode is Mode.SANDBOX and (loopback or is_near(host)) and scheme in {"http", "https"}:
        return None
    if scheme != "https":
        sandbox = "HTTPS, or HTTP to a loopback address or a name without dots"
        return f"must be {'HTTPS' if mode is Mode.PRODUCTION else sandbox}"
    if loopback or (address and not _is_public(address)):
        return "must have a public address"
    return None


def _inbox_status(scheme: str, port: int, path: str, mode: Mode) -> int:
    if mode is Mode.PRODUCTION:
        raise UrlNotAllowedError("must have a public address")
    found = _INBOX_PATH.match(path)
    if scheme != "https" or port != _PORTS["https"] or not found:
        raise UrlNotAllowedError(
            f"must be https://{_INBOX_HOST}/, or that and a status from 200 to 599"
        )
    return int(found[1] or 200)


def _check_listener(url: str, mode: Mode) -> None:
    if mode is Mode.PRODUCTION:
        raise UrlNotAllowedError("must have a public address")
    if not _LISTENER.match(url):
        raise UrlNotAllowedError(
            f"must be https://{_LISTENER_HOST}/, or that and a name of up to 40 of a-z, 0-9 and -"
        )


def is_near(host: str) -> bool:
    """Tell whether a host is named as containers name each other, or the machine they run on.

    No merchant can make such a name, only who runs the network that it is looked up in.
    """
    name = host.removesuffix(".").lower()
    return name == _DOCKER_HOST or ("." not in name and literal(host) is None)


def is_allowed(
    address: str,
    mode: Mode,
    *,
    port: int = 0,
    own_ports: frozenset[int] = frozenset(),
    near: bool = False,
) -> bool:
    """Tell whether events may be posted to an address that a name stands for.

    Args:
        address: Of the receiver.
        mode: The sandbox may post to this machine's loopback interface.
        port: Of the receiver.
        own_ports: Where on the loopback interface, or near it, paygate itself listens: nobody posts
            there.
        near: The name is one of `is_near`, which in the sandbox leads to the network around this
            machine, and to no other.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # such as an IPv6 address with a zone
        return False
    if mode is Mode.PRODUCTION:
        return _is_public(parsed)
    if parsed.is_loopback or (near and any(parsed in network for network in _NEAR)):
        return port not in own_ports
    return not near and _is_public(parsed)


def literal(host: str) -> Address | None:
    """Return the address that a host is by itself; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    named = len(host) <= _NAME_LENGTH_MAX + 1 and all(map(_LABEL.match, labels))
    return named and not _NUMBER.match(labels[-1])


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    reserved = any(address in network for network in _RESERVED)
    return address.is_global and not address.is_multicast and not reserved
