-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS cards_by_expiry
ON cards (expire_time);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS cards_by_expiry;
