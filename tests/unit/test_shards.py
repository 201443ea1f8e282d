"""Statements as they are sent to shards: renamed, guarded, and each where it belongs."""

import re
from pathlib import Path

import pytest

from pkg.postgres.shards.hashing import hash_of
from pkg.postgres.shards.nodes import url_of
from pkg.postgres.shards.placements import Placements, Shard
from pkg.postgres.shards.statements import Anywhere, ByMerchant, Each, Statements, spread_of
from tools.stack.settings import REPOSITORY

MIGRATIONS = REPOSITORY / "services" / "payments" / "migrations"
WHOLE = {"merchants", "sandboxes", "api_keys", "shard_guard"}
# A table, with what is between its brackets.
_TABLE = re.compile(r"^CREATE (?:UNLOGGED )?TABLE (\w+) \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"--[^\n]*")
# Has no merchant of its own until it is spread.
SPREAD = {"bank_leftovers", "commit_eras"} | {
    table
    for path in MIGRATIONS.glob("*.sql")
    for table, columns in _TABLE.findall(path.read_text())
    if re.search(r"^  merchant_id ", columns, re.MULTILINE) and table not in WHOLE
}
# What makes merchants and keys goes to the coordinator, and sandboxes are for a single database.
_ELSEWHERE = re.compile(
    r"/(migrations|citus|shards|acquirer|admin)/|(sandbox|sandboxes|take_ended)\.sql$"
)
_ACTIONS = ("list_stuck", "get_in_doubt", "resolve")
STATEMENTS = sorted(
    path
    for part in ("services", "pkg")
    for path in (REPOSITORY / part).rglob("*.sql")
    if not _ELSEWHERE.search(str(path.relative_to(REPOSITORY))) or path.stem in _ACTIONS
)
SHARD = Shard(
    id=7,
    low=-(2**31),
    high=-1,
    node=("a", 5432),
    names={table: f"{table}_7" for table in SPREAD},
    everywhere={table: f"{table}_9" for table in WHOLE},
)
OTHER = Shard(id=8, low=0, high=2**31 - 1, node=("b", 5432), names={}, everywhere={})
FUNCTIONS = re.compile(r"\bgateway_now\(|\bown_commit_order\(\)|\bcommit_order_end\('\w+'\)")
GUARD = "guard AS (INSERT INTO shard_guard_9 SELECT true WHERE (SELECT shard_moved(7)))"


def code(text: str) -> str:
    """Return a statement without its comments."""
    return _COMMENT.sub("", text)


def tables_in(text: str) -> set[str]:
    """Return which tables of merchants a statement names."""
    return SPREAD.intersection(re.findall(r"\w+", code(text)))


def test_the_tables_of_merchants_are_known() -> None:
    """What is looked for below is what there is."""
    assert {"payments", "outbox", "webhook_deliveries", "sandbox_clocks", "cards"} <= SPREAD
    assert len(STATEMENTS) > 80


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_each_statement_to_a_shard_is_guarded(path: Path) -> None:
    """It names the shard's tables and no others, and is ended if the shard has moved."""
    statement = path.read_text()
    sent = code(Statements(SHARD)[statement])
    assert not tables_in(sent)
    assert not FUNCTIONS.search(sent)


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_each_statement_says_whose_it_is(path: Path) -> None:
    """A merchant is in an argument or a column of the statement, or else all shards are asked."""
    statement = path.read_text()
    spread = spread_of(statement)
    text = code(statement)
    if isinstance(spread, Anywhere):
        assert not tables_in(statement)
    elif isinstance(spread, Each):
        assert not re.search(r"merchant_id = \$|VALUES \(\$1", text)
    elif tables_in(statement):
        number = spread.place + 1
        of_one = rf"merchant_id = \${number}\b|VALUES \(\${number},|SELECT \${number}, \$2"
        of_many = rf"\${number}::text\[\][^;]*AS \w+ \(\s*merchant_id"
        into = r"INSERT INTO logged_requests \(\s*merchant_id"
        assert re.search(f"{of_one}|{of_many}|{into}|gateway_now\\(\\$1\\)", text)


@pytest.mark.parametrize("name", ["create_sandbox", "remove_sandbox"])
def test_what_every_node_has_is_not_written_on_one(name: str) -> None:
    """It would be another thing on each of them."""
    statement = REPOSITORY / "services" / "payments" / "adapters" / "sql" / f"{name}.sql"
    with pytest.raises(ValueError, match="coordinator"):
        Statements(SHARD)[statement.read_text()]


@pytest.mark.parametrize(
    ("marked", "spread"),
    [
        ("-- Something.\nSELECT $1", ByMerchant()),
        ("SELECT 1", Anywhere()),
        ("-- Shards: any.\nSELECT $1", Anywhere()),
        ("-- Something.\n-- Shards: by $3.\nSELECT $1", ByMerchant(2)),
        ("-- Shards: each.\nSELECT $1", Each()),
        ("-- Shards: each, at most $2.\nSELECT $1", Each(1)),
        ("-- Shards: each, at most $1 event_ids.\nSELECT $1", Each(0, "event_ids")),
    ],
)
def test_a_mark_says_which_shards(marked: str, spread: object) -> None:
    """Without one, a statement is for the merchant in its first argument."""
    assert spread_of(marked) == spread


def test_every_mark_is_understood() -> None:
    """One that is not would send a statement to the wrong place."""
    lines = [line for path in STATEMENTS for line in path.read_text().splitlines()]
    marks = [line for line in lines if "Shards:" in line]
    assert len(marks) > 20
    for mark in marks:
        assert spread_of(f"{mark}\nSELECT $1") != ByMerchant(), mark


def test_functions_are_those_of_the_shard() -> None:
    """What reads tables inside a function would read none of the shard's."""
    functions = "gateway_now($1), own_commit_order(), commit_order_end('outbox')"
    sent = Statements(SHARD)[f"SELECT {functions}"]
    assert "sandbox_clocks_7 c WHERE c.merchant_id = $1" in sent
    assert "(SELECT own_commit_order(era, node) FROM commit_eras_7)" in sent
    assert "(SELECT commit_order_end('outbox_7', era, node) FROM commit_eras_7)" in sent


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("", -1477818771),
        ("mer_demo", -955112108),
        ("mer_01ABCDEFGHIJKLMNOPQRSTUVWX", -2019756631),
        ("twelve bytes", 652846557),
        ("zwölf", 1011419264),
        ("€", -1881914074),
    ],
)
def test_the_hash_is_postgresqls(text: str, hashed: int) -> None:
    """These are of `worker_hash`; more are compared where there is a cluster."""
    assert hash_of(text) == hashed


def test_a_merchant_has_a_shard() -> None:
    """By its hash, from the lowest to the highest."""
    placements = Placements([OTHER, SHARD])
    assert placements.shards == [SHARD, OTHER]
    for merchant_id in ("mer_demo", "mer_1", "mer_2", "mer_3", "mer_4"):
        found = placements.shard_of(merchant_id)
        assert found.low <= hash_of(merchant_id) <= found.high


@pytest.mark.parametrize(
    ("url", "node"),
    [
        ("postgresql://u:p@c:1/db?sslmode=require", "postgresql://u:p@b:2/db?sslmode=require"),
        ("postgresql://u:p@c:1,d:1/db", "postgresql://u:p@b:2/db"),
        ("postgresql://u@/db?host=/run&port=5&role=x", "postgresql://u@b:2/db?role=x"),
    ],
)
def test_a_node_is_reached_as_the_cluster_is(url: str, node: str) -> None:
    """As the same user, with the same options, at its own address."""
    assert url_of(url, ("b", 2)) == node


def test_proofs_are_asked_where_the_merchant_is() -> None:
    """A proof on the pool itself would find no connection, where that stands for many nodes."""
    asked = [
        path.relative_to(REPOSITORY)
        for path in (REPOSITORY / "services").rglob("*.py")
        if re.search(r"\bProof\(", path.read_text())
    ]
    assert [str(path) for path in asked] == ["services/acquirer/book.py"]
