-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_by_event;

-- migrate:down transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS webhook_deliveries_by_event
ON webhook_deliveries (event_id, merchant_id, endpoint_id);
