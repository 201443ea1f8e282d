-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_in_order
ON outbox (merchant_id, commit_order, id) WHERE commit_order >= 0;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS outbox_in_order;
