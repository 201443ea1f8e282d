-- squawk-ignore-file ban-drop-default
-- Only its way back drops one.

-- The bank's own code for what it approved. And the version of a fingerprint is written no more, since
-- nothing ever read it: the column goes in a later release.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE actions ADD COLUMN approval_code text NOT NULL DEFAULT '';
ALTER TABLE actions ADD CONSTRAINT approved_by_the_bank CHECK (
  approval_code = '' OR (status = 'SUCCEEDED' AND length(approval_code) <= 64)) NOT VALID;

ALTER TABLE idempotency_keys ALTER COLUMN fingerprint_version SET DEFAULT 1;

-- migrate:down

ALTER TABLE actions DROP COLUMN approval_code;
ALTER TABLE idempotency_keys ALTER COLUMN fingerprint_version DROP DEFAULT;
