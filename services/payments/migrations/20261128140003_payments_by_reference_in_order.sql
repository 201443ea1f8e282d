-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

-- A bound of its own, as the index by status has.
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_by_reference_in_order
ON payments (merchant_id, reference, commit_order, id) WHERE commit_order >= -2 AND reference <> '';

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS payments_by_reference_in_order;
