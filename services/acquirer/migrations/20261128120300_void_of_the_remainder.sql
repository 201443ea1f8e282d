-- A void may be of what no capture has taken.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE operations ADD COLUMN remainder boolean NOT NULL DEFAULT false;
ALTER TABLE operations ADD CONSTRAINT operations_remainder
CHECK (NOT remainder OR verb = 'VOID') NOT VALID;

-- migrate:down

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE operations DROP COLUMN remainder;
