-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

-- No merchant has more than two live keys, however many are made at once.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS api_keys_slots
ON api_keys (merchant_id, slot) WHERE slot IS NOT NULL;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS api_keys_slots;
