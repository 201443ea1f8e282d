-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

-- Only lists say `commit_order >= 0`, which always holds: so no look-up by key can take this index,
-- in a new database either, where the planner believes that any index will do.
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_in_order
ON payments (merchant_id, commit_order, id) WHERE commit_order >= 0;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS payments_in_order;
