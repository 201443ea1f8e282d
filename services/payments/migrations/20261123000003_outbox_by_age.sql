-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_by_age
ON outbox (create_time);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS outbox_by_age;
