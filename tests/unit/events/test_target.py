"""Where events may be posted to."""

import pytest

from pkg.process.mode import Mode
from services.events.lookup import Lookup
from services.events.target import AddressNotAllowedError, UrlNotAllowedError, check_url, target_of
from services.events.target import is_allowed as allowed

PUBLIC = [
    "https://example.com/hooks",
    "https://example.com:8443/hooks?a=b",
    "https://EXAMPLE.com./",
    "https://a-b.example.museum/%20",
    "https://93.184.216.34/",
    "https://[2606:2800:220:1:248:1893:25c8:1946]/",
    "https://xn--bcher-kva.example/",
    "https://1password.com/",
    "https://example.com",
    "https://example.com?a=/b?c",
    "https://example.com/a%3Ab/%2F/.././/?x=%2F",
    "https://example.com/;v=1,2/(x)'*!$&=@~:+",
    "HTTPS://example.com:443/",
    "https://my_host.example.com/",
]
LOOPBACK = [
    "localhost/",
    "localhost:8080/hooks",
    "LOCALHOST/",
    "localhost./",
    "127.0.0.1:9000/",
    "127.255.0.3/",
    "[::1]:9000/",
]
NEVER = [
    "",
    "example.com",
    "//example.com/",
    "/hooks",
    "https://",
    "https:///hooks",
    "ftp://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com/#fragment",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:x/",
    "https://exam ple.com/",
    "https://example.com:/",
    "https://example.com:+443/",
    "https://example.com:443:80/",
    # No URLs by RFC 3986.
    "https://example.com/%zz",
    "https://example.com/%",
    "https://example.com/?a=%2",
    "https://example.com/{id}",
    "https://example.com/[a]",
    "https://example.com/<a>",
    "https://example.com/a|b",
    "https://example.com/?a=^",
    'https://example.com/"a"',
    "https://example.com/#",
    # No names of hosts.
    "https://a..example.com/",
    "https://.example.com/",
    "https://example.com../",
    "https://" + "a" * 64 + ".example.com/",
    "https://" + "a." * 127 + "com/",
    "https://[example.com]/",
    "https://::1/",
    "https://example.com/\n",
    "https://example.com\\@127.0.0.1/",
    "https://bücher.example/",
    "https://example.com/ü",
    "https://" + "a" * 2048,
    # One address in many clothes.
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.0.0.1./",
    "https://0/",
    "https://1.2.3.4.5/",
    "https://127.0.0.1%2e/",
    "https://%31%32%37.0.0.1/",
    "https://①②⑦.0.0.1/",
    "https://127。0。0。1/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1%25eth0]/",
    "https://[v1.x]/",
    # Not public.
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://0.0.0.0/",
    "https://255.255.255.255/",
    "https://224.0.0.1/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://[::]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    # Plain HTTP to others than oneself.
    "http://example.com/",
    "http://93.184.216.34/",
    "http://localhost.example.com/",
    "http://host.docker.internal.example.com/",
    "http://shop.internal/",
    "http://docker.internal/",
    "http://10.0.0.1/",
    "http://172.17.0.1/",
    "http://[fd00::1]/",
    "http://0/",
    "http://127.0.0.1.example.com/",
]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("url", PUBLIC)
def test_https_to_public_places_is_allowed(url: str, mode: Mode) -> None:
    """HTTPS to a name or to a public address is always allowed."""
    assert check_url(url, mode) is None


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("url", NEVER)
def test_what_is_never_allowed(url: str, mode: Mode) -> None:
    """No other scheme, no other network, no address in disguise; the URL is never repeated."""
    problem = check_url(url, mode)

    assert problem
    assert problem.startswith("must")
    assert not url or url not in problem


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("place", LOOPBACK)
def test_loopback_is_for_the_sandbox_only(place: str, scheme: str) -> None:
    """A developer's own machine is reachable from the sandbox, by plain HTTP too."""
    url = f"{scheme}://{place}"

    assert check_url(url, Mode.SANDBOX) is None
    assert check_url(url, Mode.PRODUCTION) is not None


@pytest.mark.parametrize(
    ("address", "production", "sandbox"),
    [
        ("93.184.216.34", True, True),
        ("2606:2800:220:1:248:1893:25c8:1946", True, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("10.0.0.1", False, False),
        ("169.254.169.254", False, False),
        ("192.0.0.9", False, False),
        ("192.88.99.1", False, False),
        ("::ffff:127.0.0.1", False, False),
        ("::ffff:93.184.216.34", False, False),
        ("64:ff9b::a00:1", False, False),
        ("2002:a00:1::", False, False),
        ("2001::1", False, False),
        ("fe80::1%eth0", False, False),
        ("5f00::1", False, False),
        ("ff0e::1", False, False),
        ("not an address", False, False),
    ],
)
def test_which_addresses_a_name_may_stand_for(
    address: str, production: bool, sandbox: bool
) -> None:
    """Public unicast ones; loopback in the sandbox; none that wraps another."""
    assert allowed(address, Mode.PRODUCTION) is production
    assert allowed(address, Mode.SANDBOX) is sandbox


@pytest.mark.parametrize(
    ("url", "authority", "connected"),
    [
        ("https://Example.com./x", "Example.com.", ("Example.com.", 443)),
        ("https://example.com:443", "example.com", ("example.com", 443)),
        ("https://example.com:80/", "example.com:80", ("example.com", 80)),
        ("http://localhost:80/", "localhost", ("localhost", 80)),
        ("http://[::1]:8080/", "[::1]:8080", ("::1", 8080)),
    ],
)
def test_the_host_that_is_checked_is_the_host_that_is_connected_to(
    url: str, authority: str, connected: tuple[str, int]
) -> None:
    """A URL is taken apart once; the receiver is told the same host."""
    target = target_of(url, Mode.SANDBOX)

    assert (target.host, target.port) == connected
    assert target.authority == authority


@pytest.mark.parametrize(
    "place", ["10.0.0.1", "127.1", "0x7f000001", "user@127.0.0.1", "[::ffff:127.0.0.1]"]
)
def test_what_may_not_be_posted_to_has_no_target(place: str) -> None:
    """An endpoint from before a rule is checked by it at each attempt."""
    with pytest.raises(UrlNotAllowedError):
        target_of(f"https://{place}/%zz", Mode.PRODUCTION)


async def test_a_name_for_a_private_address_is_refused_when_it_is_resolved() -> None:
    """`localhost` stands for any name that a merchant's DNS lets point inside."""
    lookup = Lookup(Mode.PRODUCTION)

    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(AddressNotAllowedError):
            await lookup.addresses(host, 443, owner="mer_1")
    lookup.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
async def test_paygates_own_ports_get_no_webhooks(host: str) -> None:
    """Whatever a merchant calls this machine, what listens there for paygate is out of reach."""
    lookup = Lookup(Mode.SANDBOX, own_ports=frozenset({9901}))

    with pytest.raises(AddressNotAllowedError):
        await lookup.addresses(host, 9901, owner="mer_1")
    assert await lookup.addresses(host, 9902, owner="mer_1")
    lookup.close()


async def test_a_name_is_resolved_to_addresses_that_are_not_looked_up_again() -> None:
    """What is connected to is the very address that was checked."""
    lookup = Lookup(Mode.SANDBOX)

    found = await lookup.addresses("localhost", 8080, owner="mer_1")

    assert {place[:2] for *_, place in found} <= {("127.0.0.1", 8080), ("::1", 8080)}
    lookup.close()
