"""Idempotency keys that were used lately, as far as this process has seen them."""

KEYS_MAX = 10_000


class RecentKeys:
    """Remembers keys that payments were asked for with, so that a repeated request looks first.

    Not for safety: whether a key is held, the store says. For speed: a request that is repeated
    would be decided, and its card encrypted, only to find its key held.
    """

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], None] = {}  # the oldest first

    def is_new(self, merchant_id: str, key: str) -> bool:
        """Tell whether a key has not been seen, or long ago; from now on it has."""
        place = (merchant_id, key)
        if place in self._keys:
            return False
        if len(self._keys) >= KEYS_MAX:
            del self._keys[next(iter(self._keys))]
        self._keys[place] = None
        return True
