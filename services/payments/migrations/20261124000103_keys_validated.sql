-- The checks of keys hold for all of them; validated apart, so that nothing waits meanwhile.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE api_keys VALIDATE CONSTRAINT named_shortly;
ALTER TABLE api_keys VALIDATE CONSTRAINT scopes_are_known;
ALTER TABLE api_keys VALIDATE CONSTRAINT two_slots;

-- migrate:down

SET LOCAL lock_timeout = '5s'; -- a check that holds need not be made doubtful again
