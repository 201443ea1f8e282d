-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_by_status_in_order
ON payments (merchant_id, status, commit_order, id) WHERE commit_order >= 0;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS payments_by_status_in_order;
