"""A value that cannot be printed, pickled or formatted by accident."""

from typing import NoReturn


class Secret:
    """Text that shows as `••••` wherever it is printed. `reveal()` is the only way to it.

    Compares by value, so that a frozen value that holds one still compares; hashing is refused,
    since a hash ends up in sets, caches and debug output.
    """

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]  # see the docstring

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._value == other._value

    def __repr__(self) -> str:
        return "••••"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never serialised")
