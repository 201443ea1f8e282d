-- Cards are kept while they are needed: until the card expires, is not used for long, or its merchant
-- removes it; and not at all where the authorization that brought it fails.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- `use_time`: when it was last charged, to a day. `expire_time`: the end of its last month; NULL of cards
-- from before, which only `use_time` ends. What is removed should not stay in dead rows for long.
ALTER TABLE cards
  ADD COLUMN use_time timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN expire_time timestamptz;
ALTER TABLE cards SET (autovacuum_vacuum_scale_factor = 0.01);

-- What there was: so that it can be told from what never was.
CREATE TABLE removed_cards (
  merchant_id text COLLATE "C" NOT NULL,
  token       text COLLATE "C" NOT NULL,
  cause       text NOT NULL CHECK (cause IN ('DELETED', 'DECLINED', 'EXPIRED', 'UNUSED')),
  remove_time timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, token)
);

-- The number stays out of reach of whoever removes it. To skip a locked row takes UPDATE on a column.
GRANT DELETE, SELECT (merchant_id, token, create_time, use_time, expire_time), UPDATE (use_time)
ON cards TO paygate_gateway;
GRANT SELECT (merchant_id, token), INSERT ON removed_cards TO paygate_gateway;
GRANT UPDATE (use_time) ON cards TO paygate_vault;
GRANT SELECT ON removed_cards, sandbox_clock TO paygate_vault;
GRANT DELETE, SELECT (merchant_id) ON removed_cards TO paygate_sandbox;

-- migrate:down

REVOKE SELECT ON sandbox_clock FROM paygate_vault;
REVOKE DELETE, SELECT (merchant_id, token, create_time, use_time, expire_time), UPDATE (use_time)
ON cards FROM paygate_gateway;
DROP TABLE removed_cards;
ALTER TABLE cards RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE cards DROP COLUMN use_time, DROP COLUMN expire_time;
