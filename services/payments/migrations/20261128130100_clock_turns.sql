-- squawk-ignore-file adding-field-with-default
-- The sandbox's clock can be put back: `turns` tells of two readings of it which is the later one.
-- `reading` is both in one: the turns, and how far the clock is ahead in microseconds.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE sandbox_clock ADD COLUMN turns bigint NOT NULL DEFAULT 1;
-- The table has one row at most: writing it anew is nothing.
ALTER TABLE sandbox_clock ADD COLUMN reading bigint[] NOT NULL
  GENERATED ALWAYS AS (ARRAY[turns, (extract(epoch FROM ahead) * 1000000)::bigint]) STORED;

-- What was to be delivered by the clock as it was is due by the one that it is now.
GRANT UPDATE (due_time) ON webhook_deliveries TO paygate_sandbox;

-- migrate:down

REVOKE UPDATE (due_time) ON webhook_deliveries FROM paygate_sandbox;
ALTER TABLE sandbox_clock DROP COLUMN reading;
ALTER TABLE sandbox_clock DROP COLUMN turns;
