-- Of the tables that grow and change, a twentieth may be dead before autovacuum comes: its own fifth
-- would be two million rows of ten million, and as many dead entries at the head of the indexes by
-- which recovery, expiry and the relay look for work.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE payments SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE actions SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE idempotency_keys SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE webhook_deliveries SET (autovacuum_vacuum_scale_factor = 0.05);

-- migrate:down

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE payments RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE actions RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE idempotency_keys RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE outbox RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE webhook_deliveries RESET (autovacuum_vacuum_scale_factor);
