-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

-- Dropped in the release that stopped using it, and not in a later one: the version before has
-- `webhook_deliveries_in_order` in its place, which begins with the same columns.
DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_by_event;

-- migrate:down transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS webhook_deliveries_by_event
ON webhook_deliveries (event_id, merchant_id, endpoint_id);
