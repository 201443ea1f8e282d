-- The check holds for all operations; validated apart, so that nothing waits meanwhile.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE operations VALIDATE CONSTRAINT operations_remainder;

-- migrate:down

SET LOCAL lock_timeout = '5s'; -- a check that holds need not be made doubtful again
