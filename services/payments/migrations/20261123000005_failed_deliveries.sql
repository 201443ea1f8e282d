-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS webhook_deliveries_failed
ON webhook_deliveries (merchant_id, endpoint_id, event_id) WHERE status = 'FAILED';

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_failed;
