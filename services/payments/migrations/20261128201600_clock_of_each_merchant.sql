-- Each merchant of the sandbox has a clock of its own. The one that all shared stays for the version before.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- A row for each merchant whose clock was ever turned; none in production. `ahead`: of the real time.
-- `turns` tells of two readings which is the later one, and `reading` is both in one, in microseconds.
-- `visit_time`: when, by the real time, somebody last looked for what is too old by a clock that is ahead.
CREATE TABLE sandbox_clocks (
  merchant_id text COLLATE "C" PRIMARY KEY,
  ahead       interval NOT NULL CHECK (ahead >= interval '0'),
  turns       bigint NOT NULL DEFAULT 1,
  reading     bigint[] NOT NULL
    GENERATED ALWAYS AS (ARRAY[turns, (extract(epoch FROM ahead) * 1000000)::bigint]) STORED,
  visit_time  timestamptz NOT NULL DEFAULT '-infinity'
);

-- The clocks by which something may be due that is not by the real time.
CREATE INDEX sandbox_clocks_ahead ON sandbox_clocks (visit_time) WHERE ahead > interval '0';

-- A sandbox that is ahead stays so, for each of its merchants.
INSERT INTO sandbox_clocks (merchant_id, ahead)
SELECT m.id, c.ahead
FROM merchants m
CROSS JOIN sandbox_clock c
WHERE c.ahead > interval '0';

-- The time by which a merchant's payments expire, its retries are due and its keys age. Leases go by real
-- time. Where there are many rows of several merchants, statements join the table instead.
CREATE FUNCTION gateway_now(merchant text) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
  SELECT clock_timestamp()
    + coalesce((SELECT ahead FROM sandbox_clocks WHERE merchant_id = merchant), interval '0')
$$;

GRANT SELECT ON sandbox_clocks
TO paygate_gateway, paygate_events, paygate_reader, paygate_webhooks, paygate_admin, paygate_vault;
GRANT UPDATE (visit_time) ON sandbox_clocks TO paygate_gateway;
GRANT SELECT, INSERT, UPDATE ON sandbox_clocks TO paygate_sandbox;

ALTER TABLE sandbox_clocks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON sandbox_clocks TO paygate_reader, paygate_webhooks
USING (merchant_id = current_setting('paygate.merchant_id', true));
CREATE POLICY everybody ON sandbox_clocks
TO paygate_gateway, paygate_events, paygate_admin, paygate_vault, paygate_sandbox USING (true);

-- migrate:down

DROP FUNCTION gateway_now(text);
DROP TABLE sandbox_clocks;
