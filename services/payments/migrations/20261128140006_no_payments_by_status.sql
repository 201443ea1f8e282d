-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

-- Dropped in the release that stopped using it, and not in a later one: beside it the version before
-- lists by status without it, more slowly, by all that the merchant has.
DROP INDEX CONCURRENTLY IF EXISTS payments_by_status;

-- migrate:down transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_by_status ON payments (status, merchant_id, id);
