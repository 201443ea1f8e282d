-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS webhook_deliveries_in_order
ON webhook_deliveries (event_id, merchant_id, commit_order, endpoint_id);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_in_order;
