-- Spreads the gateway's tables over the nodes of a Citus cluster: what a merchant has lies together in one
-- shard. Run on the coordinator, as the owner of the tables, after the migrations and again after new ones;
-- what is done already stays as it is. Rows that are there are moved to the shards: nobody may write
-- meanwhile. `citus.shard_count` says into how many. See docs/sharding.md.
BEGIN;
-- All of it, or nothing: over one connection to each node.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL client_min_messages = 'warning';

-- An era, as `commit_era` has it for a database: see the migration that has that one. A shard takes its own
-- with it when it moves, and another one begins when something is written at its next node (`node` is
-- Citus' number of the group). One row in each shard, whose `merchant_id` is no merchant's and belongs there.
CREATE TABLE IF NOT EXISTS commit_eras (
  merchant_id text COLLATE "C" PRIMARY KEY,
  era         bigint NOT NULL CHECK (era BETWEEN 1 AND 500000),
  server      text NOT NULL,
  node        bigint NOT NULL
);
GRANT SELECT ON commit_eras TO
  paygate_gateway, paygate_reader, paygate_events, paygate_webhooks, paygate_sandbox;

-- Nothing is ever in it: see pkg/postgres/shards/statements.py.
CREATE TABLE IF NOT EXISTS shard_guard (moved boolean NOT NULL);
GRANT INSERT ON shard_guard TO
  paygate_gateway, paygate_reader, paygate_events, paygate_webhooks, paygate_sandbox, paygate_vault,
  paygate_admin;

DO $$
DECLARE
  wanted text;
BEGIN
  -- Citus knows no policies that look into other tables. These are for the API of sandboxes, which only a
  -- single database has.
  DROP POLICY IF EXISTS sandboxes ON merchants;
  DROP POLICY IF EXISTS sandboxes ON api_keys;
  DROP POLICY IF EXISTS sandboxes ON data_keys;

  -- What has rows of no merchant's, or is asked for by other things than the merchant, is on every node.
  FOREACH wanted IN ARRAY ARRAY['merchants', 'sandboxes', 'api_keys', 'shard_guard']
  LOOP
    -- What only refers to one of them is known to Citus, and stays on the coordinator ('s').
    CONTINUE WHEN EXISTS (
      SELECT FROM pg_dist_partition WHERE logicalrelid = wanted::regclass AND repmodel = 't');
    PERFORM create_reference_table(wanted);
  END LOOP;

  -- A reset notes what is to be removed beside what it removes.
  IF NOT EXISTS (
    SELECT FROM information_schema.columns
    WHERE table_name = 'bank_leftovers' AND column_name = 'merchant_id')
  THEN
    ALTER TABLE bank_leftovers ADD COLUMN merchant_id text COLLATE "C" NOT NULL DEFAULT '';
    ALTER TABLE bank_leftovers DROP CONSTRAINT bank_leftovers_pkey;
    ALTER TABLE bank_leftovers ADD PRIMARY KEY (reference, merchant_id);
  END IF;

  FOR wanted IN
    SELECT c.relname
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'merchant_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = c.oid)
      -- A shard, where the coordinator has some.
      AND NOT EXISTS (SELECT FROM pg_dist_shard s WHERE c.relname LIKE '%\_' || s.shardid)
    ORDER BY c.relname <> 'payments', c.relname
  LOOP
    -- What is UNLOGGED can't be moved.
    IF (SELECT relpersistence = 'u' FROM pg_class WHERE oid = wanted::regclass) THEN
      EXECUTE format('ALTER TABLE %I SET LOGGED', wanted);
    END IF;
    PERFORM create_distributed_table(
      wanted, 'merchant_id',
      colocate_with => CASE wanted WHEN 'payments' THEN 'none' ELSE 'payments' END);
  END LOOP;
END
$$;

-- Each shard begins after all that was written before it was one.
INSERT INTO commit_eras (merchant_id, era, server, node)
SELECT 'era ' || number, (SELECT max(era) FROM commit_era), '', -1
FROM (
  SELECT DISTINCT ON (get_shard_id_for_distribution_column('commit_eras', 'era ' || n)) n AS number
  FROM generate_series(1, 20000) AS n
  ORDER BY get_shard_id_for_distribution_column('commit_eras', 'era ' || n), n
) one_in_each
ON CONFLICT DO NOTHING;

-- Ends a statement that was sent to where a shard is not any more, and keeps a shard where it is until the
-- transaction ends. The first statement waits for a move that is under way, and the second one sees what
-- that has left.
CREATE OR REPLACE FUNCTION shard_moved(shard bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM lock_shard_metadata(5, ARRAY[shard]);
  IF NOT EXISTS (
    SELECT FROM pg_dist_placement
    WHERE shardid = shard AND groupid = (SELECT groupid FROM pg_dist_local_group))
  THEN
    RAISE EXCEPTION 'the shard has moved' USING ERRCODE = 'PG001';
  END IF;
  RETURN false;
END
$$;

CREATE OR REPLACE FUNCTION begin_commit_era(eras text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_catalog, pg_temp
AS $$
BEGIN
  -- A shard may just have gone.
  IF eras !~ '^commit_eras_[0-9]+$' OR to_regclass('public.' || eras) IS NULL THEN
    RETURN;
  END IF;
  EXECUTE format(
    'UPDATE public.%I e SET era = e.era + 1, server = here.server, node = here.node
     FROM (SELECT public.commit_server() AS server, groupid AS node FROM pg_dist_local_group) here
     WHERE (e.server, e.node) <> (here.server, here.node)',
    eras);
END
$$;

-- What a transaction's own rows get in a shard whose era began at `node`. Elsewhere that era is over: who
-- writes has not noticed that the shard has been away.
CREATE OR REPLACE FUNCTION own_commit_order(era bigint, node bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF node <> (SELECT groupid FROM pg_dist_local_group) THEN
    RAISE EXCEPTION 'the shard was elsewhere' USING ERRCODE = 'PG001';
  END IF;
  RETURN (era << 44) + pg_current_xact_id()::text::bigint;
END
$$;

-- Statements to shards look into the shard's table themselves. This is for those that go through Citus,
-- which has no parameters for what is in SQL functions.
CREATE OR REPLACE FUNCTION gateway_now(merchant text) RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  RETURN clock_timestamp()
    + coalesce((SELECT ahead FROM sandbox_clocks WHERE merchant_id = merchant), interval '0');
END
$$;

-- The one that there is, but for the era.
DO $$
BEGIN
  EXECUTE replace(
    replace(
      pg_get_functiondef('commit_order_end(regclass)'::regprocedure),
      'commit_order_end(written regclass)',
      'commit_order_end(written regclass, own_era bigint)'),
    'FROM commit_era e,', 'FROM (SELECT own_era AS era) e,');
END
$$;

-- Where a shard has come to and nothing was written yet, all that was committed in its era can be seen, and
-- none will come any more.
CREATE OR REPLACE FUNCTION commit_order_end(written regclass, own_era bigint, node bigint) RETURNS bigint
LANGUAGE sql STABLE
AS $$
  SELECT CASE
    WHEN node = (SELECT groupid FROM pg_catalog.pg_dist_local_group)
    THEN commit_order_end(written, own_era)
    ELSE (own_era + 1) << 44
  END
$$;
COMMIT;
