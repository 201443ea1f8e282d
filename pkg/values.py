"""Values: dataclasses that never change, at the price of plain ones.

To the type checker `value` is `dataclasses.dataclass`, and `changed` is `dataclasses.replace`. At
run time a value that says `frozen=True` is a plain class with slots: freezing it there takes a call
of `object.__setattr__` for each field, which was a tenth of an Authorize.
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__all__ = ["changed", "value"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value
    from dataclasses import replace as changed
else:
    _copiers: dict[type, Callable[[Any], Any]] = {}

    def value(*, frozen: bool, slots: bool, kw_only: bool = False, order: bool = False) -> Any:
        """Make a dataclass of a class; it compares and hashes by its fields."""
        assert frozen
        assert slots
        return dataclasses.dataclass(slots=True, kw_only=kw_only, order=order, unsafe_hash=True)

    def changed(old: Any, /, **changes: Any) -> Any:
        """Return a copy in which these fields are different."""
        kind = type(old)
        copy = _copiers.get(kind)
        if copy is None:
            copy = _copiers[kind] = _copier(kind)
        new = copy(old)
        for name, field in changes.items():
            setattr(new, name, field)  # slots: there is no place for a name that is no field
        return new

    def _copier(kind: type) -> Callable[[Any], Any]:
        """Return what copies values of a class, written out as dataclasses write `__init__`.

        A tenth of what `dataclasses.replace` takes, for a payment of 21 fields.
        """
        names = [field.name for field in dataclasses.fields(kind)]
        lines = ["def copy(old):", " new = make(kind)", *(f" new.{n} = old.{n}" for n in names)]
        scope: dict[str, Any] = {"make": object.__new__, "kind": kind}
        exec("\n".join([*lines, " return new"]), scope)  # noqa: S102  # names of our own fields
        return scope["copy"]
