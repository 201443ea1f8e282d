-- In which order rows were committed, so that a list can be followed: no row appears before one that
-- a reader has passed.
--
-- `commit_order` is the number of the transaction that wrote the row, after the number of the era.
-- Numbers of transactions begin again in another server, and may be given twice when a standby takes
-- over or a backup is restored: then an era begins, and all that is new sorts after what is there.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- One row. `server` is which server gave the numbers of this era, and on which timeline.
CREATE TABLE commit_era (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  era       bigint NOT NULL CHECK (era BETWEEN 1 AND 500000),
  server    text NOT NULL
);

CREATE FUNCTION commit_server() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))
$$;

INSERT INTO commit_era (era, server) VALUES (1, commit_server());

-- Whoever writes calls it once on each connection, before all else. So nothing is ever written under
-- an era that is over: another server, or another timeline, means another connection.
CREATE FUNCTION begin_commit_era() RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_catalog, pg_temp
AS $$
  UPDATE public.commit_era SET era = era + 1, server = public.commit_server()
  WHERE server <> public.commit_server()
$$;

-- What a transaction's own rows get; 2^44 transactions fit into an era.
CREATE FUNCTION own_commit_order() RETURNS bigint
LANGUAGE sql STABLE
AS $$
  SELECT (era << 44) + pg_current_xact_id()::text::bigint FROM commit_era
$$;

-- Every row of that table below this place can be seen, and none will come any more.
--
-- What may still come is written by transactions that were running when the caller's snapshot was
-- taken. Whoever writes into the table has locked it before it gets its number; so a transaction
-- that runs without that lock writes elsewhere, and however long it takes, it holds nothing back.
CREATE FUNCTION commit_order_end(written regclass) RETURNS bigint
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

-- Rows that are there are sorted by their ids, before all that come: no table is written anew.
ALTER TABLE payments ADD COLUMN commit_order bigint NOT NULL DEFAULT 0;
ALTER TABLE payments ALTER COLUMN commit_order SET DEFAULT own_commit_order();
ALTER TABLE outbox ADD COLUMN commit_order bigint NOT NULL DEFAULT 0;
ALTER TABLE outbox ALTER COLUMN commit_order SET DEFAULT own_commit_order();
ALTER TABLE webhook_deliveries ADD COLUMN commit_order bigint NOT NULL DEFAULT 0;
ALTER TABLE webhook_deliveries ALTER COLUMN commit_order SET DEFAULT own_commit_order();

GRANT SELECT ON commit_era TO
  paygate_gateway, paygate_reader, paygate_events, paygate_webhooks, paygate_sandbox;

-- migrate:down

ALTER TABLE payments DROP COLUMN commit_order;
ALTER TABLE outbox DROP COLUMN commit_order;
ALTER TABLE webhook_deliveries DROP COLUMN commit_order;
DROP FUNCTION commit_order_end, own_commit_order, begin_commit_era;
DROP TABLE commit_era;
DROP FUNCTION commit_server;
