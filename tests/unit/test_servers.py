"""An address of several servers."""

import pytest

from pkg.postgres.servers import addresses_of


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("postgresql://u:p@one/d?sslmode=require", ["postgresql://u:p@one/d?sslmode=require"]),
        (
            "postgresql://u:p,w@one:1,[::1]:2/d?role=r",
            ["postgresql://u:p,w@one:1/d?role=r", "postgresql://u:p,w@[::1]:2/d?role=r"],
        ),
        ("postgresql://u@/d?host=/tmp/a", ["postgresql://u@/d?host=/tmp/a"]),
        (
            "postgresql://u@/d?host=a,b&port=7&role=r",
            ["postgresql://u@/d?host=a&port=7&role=r", "postgresql://u@/d?host=b&port=7&role=r"],
        ),
        (
            "postgresql://u@/d?host=a,b&port=7,8",
            ["postgresql://u@/d?host=a&port=7", "postgresql://u@/d?host=b&port=8"],
        ),
    ],
)
def test_each_server_has_an_address_of_its_own(url: str, addresses: list[str]) -> None:
    """With the login, the database and the parameters of the one that names all."""
    assert addresses_of(url) == addresses


def test_a_port_for_each_server_or_one_for_all() -> None:
    """What does not go together is refused."""
    with pytest.raises(ValueError, match="shorter"):
        addresses_of("postgresql://u@/d?host=a,b,c&port=7,8")
