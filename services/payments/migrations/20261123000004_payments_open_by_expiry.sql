-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_open_by_expiry
ON payments (expire_time) WHERE status IN ('AUTHORIZED', 'PARTIALLY_CAPTURED');

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS payments_open_by_expiry;
