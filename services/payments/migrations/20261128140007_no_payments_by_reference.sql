-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

DROP INDEX CONCURRENTLY IF EXISTS payments_by_reference;

-- migrate:down transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_by_reference
ON payments (reference, merchant_id, id) WHERE reference <> '';
