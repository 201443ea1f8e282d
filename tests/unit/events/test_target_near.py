"""Events to what is near: other containers, and the machine that they run on."""

from socket import AF_INET, SOCK_STREAM

import pytest

from pkg.process.mode import Mode
from services.events.lookup import Lookup
from services.events.target import AddressNotAllowedError, check_url

NEAR = [
    "host.docker.internal:3000/hook",
    "HOST.docker.internal./",
    "shop:3000/hook",
    "shop/",
    "my_shop-1.:8080/",
]


@pytest.mark.parametrize("place", NEAR)
def test_what_containers_call_each_other_is_for_the_sandbox_only(place: str) -> None:
    """By plain HTTP. In production HTTPS is asked for, and a public address at each attempt."""
    assert check_url(f"http://{place}", Mode.SANDBOX) is None
    assert check_url(f"https://{place}", Mode.SANDBOX) is None
    assert check_url(f"http://{place}", Mode.PRODUCTION) == "must be HTTPS"


@pytest.mark.parametrize(
    ("address", "sandbox"),
    [
        ("172.17.0.1", True),
        ("10.1.2.3", True),
        ("192.168.65.254", True),
        ("fd12:3456::2", True),
        ("127.0.1.1", True),
        ("169.254.169.254", False),
        ("fe80::1", False),
        ("0.0.0.0", False),  # noqa: S104 - nobody binds to it
        ("::ffff:10.0.0.1", False),
        ("93.184.216.34", False),
    ],
)
async def test_names_of_containers_lead_to_the_network_around_and_no_other(
    address: str, sandbox: bool
) -> None:
    """Not to a cloud's link-local secrets, nor by plain HTTP to the world; other names never."""

    async def is_reached(host: str, mode: Mode, port: int = 3000) -> bool:
        lookup = Lookup(
            mode,
            lambda _, port, __: [(AF_INET, SOCK_STREAM, 0, "", (address, port))],
            own_ports=frozenset({5432}),
        )
        try:
            return bool(await lookup.addresses(host, port, owner="mer_1"))
        except AddressNotAllowedError:
            return False
        finally:
            lookup.close()

    public, loopback = address.startswith("93."), address.startswith("127.")
    for host in ("shop", "host.docker.internal", "Shop."):
        assert await is_reached(host, Mode.SANDBOX) is sandbox
        assert not await is_reached(host, Mode.SANDBOX, port=5432)
        assert await is_reached(host, Mode.PRODUCTION) is public
    assert await is_reached("shop.example.com", Mode.SANDBOX) is (public or loopback)
    assert await is_reached("shop.example.com", Mode.PRODUCTION) is public
