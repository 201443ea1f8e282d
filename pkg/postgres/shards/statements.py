"""A statement as it is sent to a shard: the same text, on the shard's tables, and guarded."""

import re
from dataclasses import dataclass

from pkg.postgres.shards.placements import Shard

# What a statement says about itself where it is not for the merchant in `$1`, or for those in the
# column `$1`.
_MARK = re.compile(
    r"^-- Shards: (?:by \$(?P<place>\d+)|(?P<any>any)"
    r"|each(?:, at most \$(?P<limit>\d+)(?: (?P<counted>\w+))?)?)\.$",
    re.MULTILINE,
)
_HEAD = re.compile(r"\s*(?:--[^\n]*\n\s*)*(?P<begin>WITH (?:RECURSIVE )?)?")

# What the functions do that read tables, which would not be the shard's.
_FUNCTIONS = (
    (
        re.compile(r"\bgateway_now\(([^()]+)\)"),
        r"""(
  clock_timestamp()
    + coalesce((SELECT c.ahead FROM sandbox_clocks c WHERE c.merchant_id = \1), interval '0'))""",
    ),
    (
        re.compile(r"\bown_commit_order\(\)"),
        "(SELECT own_commit_order(era, node) FROM commit_eras)",
    ),
    (
        re.compile(r"\bcommit_order_end\(('\w+')\)"),
        r"(SELECT commit_order_end(\1, era, node) FROM commit_eras)",
    ),
)
# What writes in a WITH is always carried out, and to its end, whatever is read of the result. The
# function ends the statement if the shard has moved.
_GUARD = "guard AS (INSERT INTO shard_guard SELECT true WHERE (SELECT shard_moved({})))"


@dataclass(frozen=True, slots=True)
class ByMerchant:
    """For the merchant in that argument, counted from 0, or for those in it and other columns."""

    place: int = 0


@dataclass(frozen=True, slots=True)
class Each:
    """For all shards.

    Attributes:
        limit: The argument that says how many rows are wanted at most; None if none does.
        counted: The column of arrays whose elements are counted, and not the rows.
    """

    limit: int | None = None
    counted: str | None = None


@dataclass(frozen=True, slots=True)
class Anywhere:
    """For any node: it names only tables that each has in full, or none."""


Spread = ByMerchant | Each | Anywhere


def spread_of(statement: str) -> Spread:
    """Return which shards a statement is for."""
    mark = _MARK.search(statement)
    if mark is None:
        return ByMerchant() if "$1" in statement else Anywhere()
    if mark["any"]:
        return Anywhere()
    if mark["place"]:
        return ByMerchant(int(mark["place"]) - 1)
    return Each(int(mark["limit"]) - 1 if mark["limit"] else None, mark["counted"])


class Statements:
    """Makes statements of a shard, each once.

    Args:
        shard: Where they are sent.
    """

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._names = {**shard.everywhere, **shard.names}
        self._whole = re.compile(
            rf"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(?:{'|'.join(shard.everywhere)})\b"
        )
        self._tables = re.compile(rf"\b({'|'.join(self._names)})\b")
        self._made: dict[str, str] = {}

    def __getitem__(self, statement: str) -> str:
        """Return a statement as it is sent to the shard.

        Guarded, unless it is only for tables that each node has in full, or for none.
        """
        made = self._made.get(statement)
        if made is None:
            made = self._made[statement] = self._make(statement)
        return made

    def _make(self, statement: str) -> str:
        for function, meaning in _FUNCTIONS:
            statement = function.sub(meaning, statement)
        if self._whole.search(statement):
            raise ValueError("what every node has is written through the coordinator alone")
        text = self._renamed(statement)
        if self._shard.names.keys().isdisjoint(self._tables.findall(statement)):
            return text
        head = _HEAD.match(text)
        assert head
        guard = self._renamed(_GUARD.format(self._shard.id))
        begin, then = (head["begin"], ",") if head["begin"] else ("WITH ", "")
        return f"{begin}{guard}{then}\n{text[head.end() :]}"

    def _renamed(self, text: str) -> str:
        return self._tables.sub(lambda found: self._names[found[1]], text)
