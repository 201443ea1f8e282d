"""Keys that were seen lately."""

from services.payments.recent_keys import KEYS_MAX, RecentKeys


def test_a_key_is_new_once_for_each_merchant() -> None:
    """Then it has been seen."""
    keys = RecentKeys()
    assert keys.is_new("mer_a", "k")
    assert not keys.is_new("mer_a", "k")
    assert keys.is_new("mer_b", "k")


def test_the_oldest_make_room() -> None:
    """However many there are, so many are remembered."""
    keys = RecentKeys()
    for number in range(KEYS_MAX + 1):
        assert keys.is_new("mer_a", str(number))
    assert not keys.is_new("mer_a", str(KEYS_MAX))
    assert keys.is_new("mer_a", "0")
