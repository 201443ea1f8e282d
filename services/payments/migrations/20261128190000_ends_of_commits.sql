-- What is being committed holds a list back until it can be seen.
--
-- A transaction that ends lets its locks go one after the other, after others have stopped taking it
-- for running. So the list of locks may show its number without the lock of the table that it wrote,
-- and it seems to write elsewhere, while a snapshot that is a moment older does not show its rows.
-- Whoever followed a list then passed them for good. Only of what runs still, after the locks were
-- read, is it known that it held all its locks while they were.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE OR REPLACE FUNCTION commit_order_end(written regclass) RETURNS bigint
LANGUAGE sql STABLE
AS $$
  SELECT (e.era << 44) + CASE
    WHEN pg_snapshot_xmin(s.now) = pg_snapshot_xmax(s.now) THEN pg_snapshot_xmax(s.now)::text::bigint
    ELSE (
      WITH elsewhere AS MATERIALIZED (
        SELECT array_agg(transactionid) FILTER (WHERE granted) AS ids
        FROM pg_locks
        WHERE locktype IN ('relation', 'transactionid')
        GROUP BY virtualtransaction
        HAVING NOT bool_or(
          locktype = 'relation' AND relation = written AND mode = 'RowExclusiveLock'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))
      SELECT coalesce(min(x.running::text::bigint), pg_snapshot_xmax(s.now)::text::bigint)
      FROM pg_snapshot_xip(s.now) AS x (running)
      WHERE CASE  -- the locks first
        WHEN EXISTS (SELECT FROM elsewhere WHERE x.running::xid = ANY(ids))
        THEN pg_xact_status(x.running) <> 'in progress'
        ELSE true
      END)
  END
  FROM commit_era e, (SELECT pg_current_snapshot() AS now OFFSET 0) s
$$;

-- migrate:down

CREATE OR REPLACE FUNCTION commit_order_end(written regclass) RETURNS bigint
LANGUAGE sql STABLE
AS $$
  SELECT (e.era << 44) + CASE
    WHEN pg_snapshot_xmin(s.now) = pg_snapshot_xmax(s.now) THEN pg_snapshot_xmax(s.now)::text::bigint
    ELSE (
      WITH elsewhere AS MATERIALIZED (
        SELECT array_agg(transactionid) FILTER (WHERE granted) AS ids
        FROM pg_locks
        WHERE locktype IN ('relation', 'transactionid')
        GROUP BY virtualtransaction
        HAVING NOT bool_or(
          locktype = 'relation' AND relation = written AND mode = 'RowExclusiveLock'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))
      SELECT coalesce(min(x.running::text::bigint), pg_snapshot_xmax(s.now)::text::bigint)
      FROM pg_snapshot_xip(s.now) AS x (running)
      WHERE NOT EXISTS (SELECT FROM elsewhere WHERE x.running::xid = ANY(ids)))
  END
  FROM commit_era e, (SELECT pg_current_snapshot() AS now OFFSET 0) s
$$;
