-- The check holds for all actions; validated apart, so that nothing waits meanwhile.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE actions VALIDATE CONSTRAINT approved_by_the_bank;

-- migrate:down

SET LOCAL lock_timeout = '5s'; -- a check that holds need not be made doubtful again
