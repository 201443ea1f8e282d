-- squawk-ignore-file require-lock-timeout, require-statement-timeout, ban-concurrent-index-creation-in-transaction
-- One index a file: made concurrently it can be in no transaction, and then it blocks nobody.

-- migrate:up transaction:false

-- Another bound than that of payments_in_order: or the planner would take that one for a status that
-- it believes to be frequent, and read all that a merchant has to find a rare one.
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_by_status_in_order
ON payments (merchant_id, status, commit_order, id) WHERE commit_order >= -1;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS payments_by_status_in_order;
